/** Hears a balancer's claim that its peer fell silent. A claim is a request to look: this worker's own probes decide, never the claim. */
import type { InstanceFact } from '../core/facts';
import { QUICK_MS } from '../core/health';
import type { AddressClaim } from '../core/jobs';
import { nudge } from './execute';
import { moveAddress } from './executors/addresses';
import { type Context, PortError } from './ports';
import type { Result } from './result';

/** Later than this after the balancer saw it, a claim says nothing about now, ms. */
export const CLAIM_AGE_MAX_MS = 30_000;
/** What the clocks of a node and of this function may differ by, ms. */
const CLOCK_SKEW_MAX_MS = 5_000;
/** Claims of one cluster that are looked into a minute; a balancer gone wild must not keep the worker from planned moves. */
const CLAIMS_PER_MINUTE = 30;

/** Why a claim is not even looked into; undefined for a fresh one. */
function whyNotFresh(claim: AddressClaim, nowMs: number): string | undefined {
  const ageMs = nowMs - claim.atMs;
  if (ageMs > CLAIM_AGE_MAX_MS)
    return `atMs: expected a claim of at most ${CLAIM_AGE_MAX_MS / 1000} s; this one is ${Math.round(ageMs / 1000)} s old`;
  if (ageMs < -CLOCK_SKEW_MAX_MS)
    return `atMs: expected a time that has come; this one is ${Math.round(-ageMs / 1000)} s ahead: is the clock of ${claim.claimant} right?`;
  return undefined;
}

/** Why an instance may claim nothing in a cluster; undefined for a balancer of it that runs. */
function whyNotClaimant(claim: AddressClaim, fact: InstanceFact | undefined): string | undefined {
  if (!fact) return `claimant: expected a load balancer of ${claim.cluster}; ${claim.claimant} is not one of its nodes`;
  if (fact.role !== 'lb') return `claimant: expected a load balancer; ${claim.claimant} is ${fact.slot}`;
  if (fact.state !== 'running') return `claimant: expected a node that runs; ${claim.claimant} (${fact.slot}) is ${fact.state}`;
  return undefined;
}

/** Looks at each address the claimant does not hold; all that may move do, one after the other. */
async function decide(context: Context, claim: AddressClaim): Promise<Result> {
  const { compute, budget, clock } = context.ports;
  const nowMs = clock.nowMs();
  const old = whyNotFresh(claim, nowMs);
  if (old) return { is: 'refused', reason: old };
  if (!(await budget.take(`claims/${claim.cluster}`, CLAIMS_PER_MINUTE, 60_000, nowMs)))
    return { is: 'refused', reason: `expected at most ${CLAIMS_PER_MINUTE} claims a minute; the checks see to it` };
  const seen = await compute.describeCluster(claim.cluster);
  const stranger = whyNotClaimant(
    claim,
    seen.instances.find((instance) => instance.instanceId === claim.claimant),
  );
  if (stranger) return { is: 'refused', reason: stranger };
  const others = seen.addresses.filter((address) => address.holder !== claim.claimant);
  if (others.length === 0)
    return seen.addresses.length > 0 ? { is: 'already' } : { is: 'refused', reason: `${claim.cluster} has no address yet` };
  const { settings } = context;
  const quick = { ...context, settings: { ...settings, probeTimeoutMs: Math.min(settings.probeTimeoutMs, QUICK_MS) } };
  const { cluster, claimant } = claim;
  const results: Result[] = [];
  for (const { allocationId, holder } of others)
    results.push(await moveAddress(quick, { cluster, allocationId, to: claimant, holder: holder ?? null }, seen));
  return summaryOf(results);
}

/** How a claim on several addresses ended: as the first that failed, else as the first that moved; refused where all stay. */
function summaryOf(results: readonly Result[]): Result {
  const told = (['failed', 'done', 'already'] as const).flatMap((is) => results.find((result) => result.is === is) ?? []);
  if (told[0]) return told[0];
  const reason = results.map((result) => ('reason' in result ? result.reason : result.is)).join('; ');
  return { is: results.every(({ is }) => is === 'stale') ? 'stale' : 'refused', reason };
}

/** Writes down how a claim ended; a journal out of reach undoes nothing. */
async function note({ ports }: Context, claim: AddressClaim, result: Result): Promise<void> {
  const { journal, telemetry, clock } = ports;
  const { cluster, claimant } = claim;
  const reason = 'reason' in result ? result.reason : result.is === 'already' ? 'it holds the address already' : 'the address moved to it';
  const event = result.is === 'already' ? 'done' : result.is;
  telemetry.count(`Claims${result.is[0]?.toUpperCase()}${result.is.slice(1)}`);
  telemetry.info('claim', { ...claim, result });
  try {
    await journal.append(cluster, [
      { atMs: clock.nowMs(), topic: 'claimAddress', event, text: `${claimant} took the lead of its pair: ${reason}` },
    ]);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    telemetry.error('claim: the journal could not be written', { cluster, code: error.code, detail: error.message });
  }
}

/**
 * Moves an address to the claimant where its holder is dead by two probes of this worker, or gone, and the claimant serves by two.
 * A replay finds the address where it is and changes nothing. Failures outside end the claim: the next check finds the same fault.
 */
export async function hearClaim(context: Context, claim: AddressClaim): Promise<void> {
  let result: Result;
  try {
    result = await decide(context, claim);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    result = { is: 'failed', reason: `${error.code}: ${error.message}` };
  }
  await note(context, claim, result);
  if (result.is === 'done' || result.is === 'failed') await nudge(context, claim.cluster);
}
