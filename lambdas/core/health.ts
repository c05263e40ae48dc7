/** Folds probes into a node's health: slow to dead, slower back. Judges one node at a time and never acts on it. */
import type { InstanceFact, NodeProbe, Outcome } from './facts';
import type { NodeHealth, Sickness } from './memory';
import { isService, type ServiceRole } from './names';
import type { Policy } from './spec';

/** An answer slower than this is a sign of overload, never of death, ms. */
export const SLOW_MS = 1000;
/** A balancer that takes longer counts as dead once its peer claims the addresses: a healthy one answers in a few ms, ms. */
export const QUICK_MS = 500;

const GONE_STATES: ReadonlySet<InstanceFact['state']> = new Set(['stopping', 'stopped', 'shutting-down', 'terminated']);

/** What one probe says: good, bad, or nothing at all (we could not look). */
type Verdict =
  | { is: 'good'; sickness?: Sickness; detail?: string }
  | { is: 'bad'; detail: string; isStalled?: boolean }
  | { is: 'blind'; detail: string };

/** Health of a node nobody has looked at yet. */
export function newNodeHealth(nowMs: number): NodeHealth {
  return { health: 'unknown', sinceMs: nowMs, good: 0, bad: 0, everHealthy: false };
}

const TOO_BUSY: ReadonlySet<number | undefined> = new Set([429, 503]);

function isRefusal(status: number | undefined): boolean {
  return status !== undefined && status >= 400 && status < 500 && !TOO_BUSY.has(status);
}

/**
 * What the process of a service says when it is not good. A connection that is taken and not answered, or closed at once, may be load:
 * Orion closes what comes above its `-maxConnections`, and a pool of blocked threads answers nothing at all.
 */
function judgeService(process: Extract<Outcome, { is: 'failed' }>): Verdict {
  const { status, detail, accepts } = process;
  if (TOO_BUSY.has(status)) return { is: 'good', sickness: 'overload', detail };
  if (isRefusal(status)) return { is: 'blind', detail: `${detail}: something answers, but not to us` };
  return { is: 'bad', detail, ...(accepts ? { isStalled: true } : {}) };
}

/** A service whose database fails is itself well: replacing it would help nobody (facts: `/version` is static, `/v2/entities` is not). */
function judgeDatabase(database: Outcome | undefined): Verdict {
  if (database?.is !== 'failed' || isRefusal(database.status)) return { is: 'good' };
  if (TOO_BUSY.has(database.status)) return { is: 'good', sickness: 'overload', detail: database.detail };
  return { is: 'good', sickness: 'database', detail: `database: ${database.detail}` };
}

type ServiceProbe = Extract<NodeProbe, { role: ServiceRole }>;

export function isOfService(probe: NodeProbe): probe is ServiceProbe {
  return isService(probe.role);
}

/** By path and answer; the table of them is in the tests. */
function judge(probe: NodeProbe): Verdict {
  const { process } = probe;
  if (process.is === 'unknown') return { is: 'blind', detail: process.detail };
  if (process.is === 'failed') return isOfService(probe) ? judgeService(process) : { is: 'bad', detail: process.detail };
  const verdict: Verdict = isOfService(probe) ? judgeDatabase(probe.database) : { is: 'good' };
  if (verdict.is === 'good' && verdict.sickness) return verdict;
  if (process.latencyMs > SLOW_MS) return { is: 'good', sickness: 'overload', detail: `answers after ${process.latencyMs} ms` };
  return verdict;
}

/** Whether a service takes connections and answers none: hung, or buried under load; from outside both look the same. */
export function isStalled(probe: NodeProbe | undefined): boolean {
  return probe !== undefined && isOfService(probe) && probe.process.is === 'failed' && probe.process.accepts === true;
}

/** Whether nothing at all on a node answers: it is the machine, or the way to it, whatever was configured. */
export function isSilent(probe: NodeProbe | undefined): boolean {
  if (!probe) return true;
  const tellsVersion = probe.configVersion !== undefined || probe.drifted !== undefined;
  return !tellsVersion && probe.process.is === 'failed' && probe.process.detail === 'no answer in time';
}

function withHealth(previous: NodeHealth, next: Omit<NodeHealth, 'sinceMs'>, nowMs: number): NodeHealth {
  return { ...next, sinceMs: previous.health === next.health ? previous.sinceMs : nowMs };
}

function foldGood(previous: NodeHealth, verdict: Extract<Verdict, { is: 'good' }>, policy: Policy, nowMs: number): NodeHealth {
  const good = Math.min(previous.good + 1, policy.healthyAfterChecks);
  const wasDown = previous.health === 'dead' || previous.health === 'suspect';
  const back = !wasDown || good >= policy.healthyAfterChecks;
  const health = back ? 'healthy' : previous.health;
  const sickness = back ? verdict.sickness : previous.sickness;
  const detail = back ? verdict.detail : previous.detail;
  const next: Omit<NodeHealth, 'sinceMs'> = { health, good, bad: 0, everHealthy: previous.everHealthy || back };
  if (sickness) next.sickness = sickness;
  if (sickness === 'database') next.lacksDatabaseSinceMs = previous.lacksDatabaseSinceMs ?? nowMs;
  if (detail) next.detail = detail;
  return withHealth(previous, next, nowMs);
}

function foldBad(
  previous: NodeHealth,
  { detail, isStalled }: Extract<Verdict, { is: 'bad' }>,
  policy: Policy,
  nowMs: number,
  bootsFromMs: number,
): NodeHealth {
  const badSinceMs = previous.bad > 0 ? (previous.badSinceMs ?? nowMs) : nowMs;
  const bad = Math.min(previous.bad + 1, policy.deadAfterChecks);
  const base = { good: 0, bad, badSinceMs, everHealthy: previous.everHealthy, detail };
  if (!previous.everHealthy) {
    const overGrace = nowMs - bootsFromMs > policy.bootGraceS * 1000;
    if (!overGrace) return withHealth(previous, { ...base, health: 'unknown' }, nowMs);
    return withHealth(previous, { ...base, health: 'dead', sickness: 'boot' }, nowMs);
  }
  const patienceS = isStalled ? Math.max(policy.stalledAfterS, policy.deadAfterS) : policy.deadAfterS;
  const dead = previous.health === 'dead' || (bad >= policy.deadAfterChecks && nowMs - badSinceMs >= patienceS * 1000);
  return withHealth(previous, { ...base, health: dead ? 'dead' : 'suspect', sickness: !dead && isStalled ? 'overload' : 'process' }, nowMs);
}

/**
 * Next health of a node.
 * EC2's word that an instance is gone counts at once; a bad probe counts only in a row of them that also spans `deadAfterS`;
 * a probe that could not be made is unknown, and never makes a node dead. `bootsFromMs`: since when it could have come up.
 */
export function foldHealth(
  previous: NodeHealth | undefined,
  fact: InstanceFact,
  probe: NodeProbe | undefined,
  policy: Policy,
  nowMs: number,
  bootsFromMs = fact.launchedAtMs,
): NodeHealth {
  const before = previous ?? newNodeHealth(nowMs);
  if (GONE_STATES.has(fact.state)) {
    const { everHealthy } = before;
    return withHealth(
      before,
      { health: 'dead', sickness: 'gone', good: 0, bad: before.bad, everHealthy, detail: `EC2 says ${fact.state}` },
      nowMs,
    );
  }
  if (!probe) return before;
  const verdict = judge(probe);
  if (verdict.is === 'good') return foldGood(before, verdict, policy, nowMs);
  if (verdict.is === 'bad') return foldBad(before, verdict, policy, nowMs, bootsFromMs);
  if (before.health === 'dead') return { ...before, bad: 0 };
  return withHealth(before, { ...before, health: 'unknown', detail: verdict.detail }, nowMs);
}

/**
 * Dead, and seen so by the last look. One that answered then is coming back, and of one that could not be looked at nothing new is
 * known: what was seen before a long outage of ours is no reason to restart or replace it now.
 */
export function isSeenDead({ health, sickness, bad }: NodeHealth): boolean {
  return health === 'dead' && (sickness === 'gone' || bad > 0);
}

/** Whether a node has not answered yet and still may take its time. */
export function isBooting(health: NodeHealth): boolean {
  return !health.everHealthy && health.health === 'unknown';
}
