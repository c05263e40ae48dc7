/** Follows how new settings come to a role's nodes: proven on one, stopped at the first that turns unhealthy. Judges and remembers; plans no job. */
import { isSilent } from '../health';
import type { Memory, Rollout, Settling } from '../memory';
import { isService, ROLES, type Role } from '../names';
import type { Node } from '../observation';
import { hashOf, rolloutVersion, settingsOf } from '../rollout-settings';
import { isSame } from '../same';
import type { Settled } from '../settle';
import { countOf } from '../spec';
import { goesBackTo, isUnderWay, isWell, nodesOf } from './rollout-barrier';
import type { Situation } from './situation';
import { isInStep } from './wanted-config';

/** A node that took new settings and is not well after this long never will be, ms; above any restart. */
const SETTLE_MAX_MS = 90_000;

/** When a node took what it was given, ms; the time it was given while that is not known. */
function takenAtMs(s: Situation, { fact }: Node, { atMs }: Settling): number {
  return Math.max(s.memory.appliedAtMs[fact.instanceId] ?? 0, atMs);
}

/** One more look at a node that took a configuration; undefined once it was well for long enough. */
function lookAtSettling(s: Situation, node: Node, before: Settling): Settling | undefined {
  if (isUnderWay(s, node)) return before;
  const sinceMs = takenAtMs(s, node, before);
  // What was seen before it took the configuration says nothing.
  const isNews = (node.probe?.atMs ?? 0) > sinceMs;
  const good = isWell(node) ? before.good + (isNews ? 1 : 0) : 0;
  const { healthyAfterChecks, deadAfterS } = s.spec.policy;
  // A process that dies of its settings may take as long as one is given before it is called dead.
  const restMs = before.of === undefined ? 0 : deadAfterS * 1000;
  return good >= healthyAfterChecks && s.nowMs - sinceMs >= restMs ? undefined : { ...before, good };
}

/** Whether a node lacked its database before it was given anything: one whose disk is full never takes it, and goes on lacking it. */
function lackedDatabaseBefore({ health: { lacksDatabaseSinceMs } }: Node, given: Settling | undefined): boolean {
  return given !== undefined && lacksDatabaseSinceMs !== undefined && lacksDatabaseSinceMs < given.atMs;
}

/** What is wrong with a node that took new settings; undefined while it is well, may yet become so, was so before, or can't be seen. */
function sicknessOf(s: Situation, node: Node, given: Settling | undefined): string | undefined {
  const { health, sickness, detail } = node.health;
  if (isWell(node) || health === 'unknown' || sickness === 'gone' || isSilent(node.probe)) return undefined;
  if (lackedDatabaseBefore(node, given)) return undefined;
  const ageMs = given ? s.nowMs - takenAtMs(s, node, given) : 0;
  const lacksDatabase = sickness === 'database' && ageMs >= s.spec.policy.deadAfterS * 1000;
  const isStuck = ageMs >= Math.max(SETTLE_MAX_MS, 2 * s.spec.policy.deadAfterS * 1000);
  return health === 'dead' || lacksDatabase || isStuck ? `it turned unhealthy with it: ${detail ?? sickness ?? health}` : undefined;
}

/** Whether something else explains the sickness of a node: then the rollout waits, and nothing is blamed on it. */
function isExcused(s: Situation, role: Role, touched: ReadonlySet<string>): boolean {
  if (s.breaker.open || (isService(role) && !s.mongo.primary)) return true;
  return nodesOf(s, role).some((node) => node.configVersion !== undefined && !touched.has(node.fact.instanceId) && !isWell(node));
}

function refusalOf(s: Situation, role: Role, r: Rollout, settled: readonly Settled[]): Rollout['failure'] {
  for (const { job, event, text } of settled) {
    if (job.kind !== 'applyConfig' || job.role !== role || event !== 'refused') continue;
    if (r.settling[job.instanceId]?.of !== r.version) continue;
    return { slot: job.slot, instanceId: job.instanceId, why: `it refused it: ${text}`, atMs: s.nowMs, refused: true };
  }
  return undefined;
}

/** The first node that the rollout made sick. */
function victimOf(s: Situation, role: Role, r: Rollout): Rollout['failure'] {
  const inHand = Object.entries(r.settling).flatMap(([id, { of }]) => (of === r.version ? [id] : []));
  const touched = new Set([...inHand, ...r.took]);
  if (isExcused(s, role, touched)) return undefined;
  for (const node of nodesOf(s, role)) {
    const { slot, instanceId } = node.fact;
    if (!touched.has(instanceId) || isUnderWay(s, node)) continue;
    const why = sicknessOf(s, node, r.settling[instanceId]);
    if (why) return { slot, instanceId, why, atMs: s.nowMs };
  }
  return undefined;
}

function isDone(s: Situation, role: Role, r: Rollout): boolean {
  if (Object.keys(r.settling).length > 0) return false;
  return s.slots.wanted[role].every(({ current }) => current && isWell(current) && isInStep(s.configs, current));
}

function begin(before: Rollout | undefined, version: string, nowMs: number): Rollout {
  return {
    version,
    state: 'rolling',
    sinceMs: nowMs,
    settling: before?.settling ?? {},
    took: [],
    ...(before?.good ? { good: before.good } : {}),
  };
}

/** Settling nodes after this look, and those that have taken the rollout's version for good. */
function foldSettling(s: Situation, role: Role, r: Rollout): Pick<Rollout, 'settling' | 'took'> {
  const nodes = new Map(nodesOf(s, role).map((node) => [node.fact.instanceId, node]));
  const settling: Record<string, Settling> = {};
  const took = r.took.filter((id) => nodes.has(id));
  for (const [id, before] of Object.entries(r.settling)) {
    const node = nodes.get(id);
    // A node that is gone, or has a successor already, is the business of others.
    if (!node || node.health.sickness === 'gone') continue;
    const next = lookAtSettling(s, node, before);
    const hasIt = (s.memory.appliedAtMs[id] ?? 0) >= before.atMs;
    if (next) settling[id] = next;
    else if (before.of === r.version && hasIt) took.push(id);
  }
  return { settling, took };
}

/** Who tells whether a rollout was blamed rightly: who fills the slot of the failure; where the spec gave that slot up, one that took it. */
function witnessOf(s: Situation, role: Role, { failure, sinceMs }: Rollout): Node | undefined {
  const fillsIt = ({ fact }: Node) => fact.slot === failure?.slot;
  const tookIt = ({ fact }: Node) => (s.memory.appliedAtMs[fact.instanceId] ?? 0) > sinceMs;
  const isWanted = s.slots.wanted[role].some(({ slot }) => slot === failure?.slot);
  return nodesOf(s, role).find(isWanted ? fillsIt : tookIt);
}

/**
 * Whether a bad rollout with nothing to go back to was blamed in error: its witness has what it was given and has been well with it for
 * long, or never took it without having refused it (its disk was full, it rebooted) and has been well for as long.
 * Without this a fault of another kind, during the first rollout of all, would leave a role as it is for good.
 */
function wasBlamedInError(s: Situation, role: Role, r: Rollout): boolean {
  const { failure, settling, took } = r;
  const node = witnessOf(s, role, r);
  if (!node || !failure || node.configVersion === undefined || !isWell(node)) return false;
  const { instanceId } = node.fact;
  const saidNo = instanceId === failure.instanceId && failure.refused === true && !took.includes(instanceId);
  return !saidNo && settling[instanceId] === undefined && s.nowMs - Math.max(node.health.sinceMs, failure.atMs) >= SETTLE_MAX_MS;
}

function foldRole(s: Situation, role: Role, settled: readonly Settled[]): Rollout {
  const settings = settingsOf(s.spec, role);
  const version = rolloutVersion(role, settings);
  const before = s.memory.rollouts[role];
  if (before?.version !== version) return begin(before, version, s.nowMs);
  // A refusal ends the closer look at its node in the same moment: it runs what it ran before.
  const refusal = before.state === 'rolling' ? refusalOf(s, role, before, settled) : undefined;
  const r: Rollout = { ...before, ...foldSettling(s, role, before) };
  if (r.state === 'rolling') {
    const failure = refusal ?? victimOf(s, role, r);
    if (failure) return { ...r, state: 'bad', failure };
    if (!isDone(s, role, r)) return r;
    return { version, state: 'good', sinceMs: r.sinceMs, good: { version, hash: hashOf(settings), settings }, settling: {}, took: [] };
  }
  if (r.state === 'bad' && !goesBackTo(s, role, r) && wasBlamedInError(s, role, r)) {
    const { failure: _, ...rest } = r;
    return { ...rest, state: 'rolling' };
  }
  return r.state === 'bad' && !r.rolledBack && goesBackTo(s, role, r) && isDone(s, role, r) ? { ...r, rolledBack: true } : r;
}

/**
 * Memory after one more look at all rollouts: the very same where nothing changed, otherwise the situation is to be made anew from it.
 * While nothing can be seen, and in a cluster that ends, all stays as it is.
 */
export function foldRollouts(s: Situation, settled: readonly Settled[]): Memory {
  if (s.phase !== 'active' || !s.observation.cloudKnown) return s.memory;
  const present = ROLES.filter((role) => countOf(s.spec, role) > 0);
  const rollouts = Object.fromEntries(present.map((role) => [role, foldRole(s, role, settled)]));
  return isSame(rollouts, s.memory.rollouts) ? s.memory : { ...s.memory, rollouts };
}

/** Whether some node must still prove itself with what it was given. */
export function isRollingOut({ memory }: Situation): boolean {
  return Object.values(memory.rollouts).some(({ state, settling }) => state === 'rolling' || Object.keys(settling).length > 0);
}
