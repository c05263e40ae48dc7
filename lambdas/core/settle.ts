/** Settles jobs in flight: folds how they ended into memory. Decides nothing about what comes next. */
import type { PlannedJob } from './jobs';
import type { Memory } from './memory';
import { isService } from './names';
import type { JobFact, JobOutput } from './observation';
import { baseOf } from './plan/situation';
import type { Policy } from './spec';

/** A job nobody has claimed by then is taken for lost (it may sit in a dead-letter queue), ms. */
export const UNCLAIMED_MAX_MS = 600_000;
/**
 * A job claimed but without an end by then is taken for lost, ms. A hung node never ends its command, and nothing else
 * may wait for it long; a command that comes through later finds the world changed and says `stale`.
 */
export function runningMaxMs(job: Pick<PlannedJob, 'kind'>): number {
  return job.kind === 'restartRole' ? 45_000 : 180_000;
}
/** A zone without capacity is avoided for this long, ms. */
const ZONE_FULL_MS = 300_000;
/** Counters outlive the claims (kept for a day), so that a finished key is never planned again. */
const ATTEMPTS_KEPT_MS = 25 * 3_600_000;
/** EC2 may show a terminated instance for an hour, ms. */
const TERMINATED_KEPT_MS = 2 * 3_600_000;
/** A launched node EC2 still does not list by then is given up, ms. */
export const UNSEEN_MAX_MS = 120_000;

/** What settling tells the journal. */
export interface Settled {
  job: PlannedJob;
  event: 'done' | 'stale' | 'refused' | 'failed' | 'waiting';
  text: string;
}

function countTry(memory: Memory, job: PlannedJob, event: Settled['event'], nowMs: number): void {
  const base = baseOf(job.jobKey);
  const before = memory.attempts[base];
  const failed = event === 'failed' || event === 'refused';
  memory.attempts[base] = {
    count: (before?.count ?? 0) + 1,
    failures: failed ? (before?.failures ?? 0) + 1 : event === 'waiting' ? 1 : 0,
    lastAtMs: nowMs,
    ...(event === 'waiting' ? { waiting: true } : {}),
  };
}

/** What a finished launch means: the node counts as there, even while EC2's reads do not show it yet. */
function settleLaunch(
  memory: Memory,
  job: Extract<PlannedJob, { kind: 'launchNode' }>,
  output: JobOutput,
  policy: Policy,
  nowMs: number,
): void {
  if (!output.instanceId) return;
  memory.incarnations[job.slot] = Math.max(memory.incarnations[job.slot] ?? 0, job.incarnation);
  if (job.incarnation > 1) memory.cooldownUntilMs[job.slot] = nowMs + policy.slotCooldownS * 1000;
  const { cluster, role, slot, incarnation, zone } = job;
  const fact = {
    instanceId: output.instanceId,
    cluster,
    role,
    slot,
    incarnation,
    zone,
    state: 'pending',
    launchedAtMs: nowMs,
    status: 'initializing',
  } as const;
  memory.launched[output.instanceId] = { fact, atMs: nowMs };
}

/** A restarted process has to show that it is back, and gets as long for it as a healthy one gets until it is called dead. */
function doubt(memory: Memory, instanceId: string, nowMs: number): void {
  const restarted = memory.health[instanceId];
  if (restarted) memory.health[instanceId] = { ...restarted, health: 'suspect', sinceMs: nowMs, good: 0, bad: 0 };
}

function settleDone(memory: Memory, job: PlannedJob, output: JobOutput, policy: Policy, nowMs: number): void {
  if (job.kind === 'launchNode') settleLaunch(memory, job, output, policy, nowMs);
  if (job.kind === 'terminateNode') {
    memory.terminated[job.instanceId] = nowMs;
    delete memory.launched[job.instanceId];
  }
  if (job.kind === 'applyConfig') {
    memory.applied[job.instanceId] = output.configVersion ?? job.version;
    memory.appliedAtMs[job.instanceId] = nowMs;
  }
  if (job.kind === 'applyConfig' && job.config.role === 'orion') memory.brokerSeeds = job.config.seeds;
  if (job.kind === 'initiateReplicaSet') memory.replicaSetInitiated = true;
  if (job.kind === 'setDefaultWriteConcern') memory.writeConcernSet = job.writeConcern;
  if (output.nextMemberId !== undefined) memory.nextMemberId = Math.max(memory.nextMemberId, output.nextMemberId);
  if (job.kind === 'restartRole' || (job.kind === 'applyConfig' && isService(job.role) && job.restarts))
    doubt(memory, job.instanceId, nowMs);
}

function settleOne(memory: Memory, fact: JobFact, policy: Policy, nowMs: number): Settled | undefined {
  const { job, outcome } = fact;
  const ageMs = nowMs - (memory.inFlight[job.jobKey]?.plannedAtMs ?? nowMs);
  const end = (event: Settled['event'], text: string): Settled => {
    delete memory.inFlight[job.jobKey];
    countTry(memory, job, event, nowMs);
    return { job, event, text };
  };
  switch (outcome.is) {
    case 'unclaimed':
      return ageMs > UNCLAIMED_MAX_MS
        ? end('failed', `nobody took ${job.kind} within ${UNCLAIMED_MAX_MS / 60_000} minutes; look into the dead-letter queue`)
        : undefined;
    case 'running':
      return ageMs > runningMaxMs(job)
        ? end('failed', `${job.kind} did not end within ${runningMaxMs(job) / 1000} s; what is seen then decides`)
        : undefined;
    case 'done':
      settleDone(memory, job, outcome.output ?? {}, policy, nowMs);
      return end('done', `${job.kind} is done`);
    default:
      if (job.kind === 'launchNode' && outcome.zoneFull) memory.zoneFullUntilMs[outcome.zoneFull] = nowMs + ZONE_FULL_MS;
      return end(outcome.is, outcome.reason);
  }
}

function keepRecent<T>(record: Record<string, T>, isRecent: (value: T, key: string) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key, value]) => isRecent(value, key)));
}

/** A copy whose records settling may change; the values in them are replaced, never changed. */
function copyOf(memory: Memory): Memory {
  return {
    ...memory,
    health: { ...memory.health },
    inFlight: { ...memory.inFlight },
    attempts: { ...memory.attempts },
    launched: { ...memory.launched },
    terminated: { ...memory.terminated },
    applied: { ...memory.applied },
    appliedAtMs: { ...memory.appliedAtMs },
    incarnations: { ...memory.incarnations },
    cooldownUntilMs: { ...memory.cooldownUntilMs },
    zoneFullUntilMs: { ...memory.zoneFullUntilMs },
  };
}

/** Forgets what no longer matters, so that a row stays small over years. `present`: instances EC2 lists. */
function forget(memory: Memory, present: ReadonlySet<string>, nowMs: number): void {
  memory.launched = keepRecent(memory.launched, ({ atMs }, id) => !present.has(id) && nowMs - atMs < UNSEEN_MAX_MS);
  memory.terminated = keepRecent(memory.terminated, (atMs) => nowMs - atMs < TERMINATED_KEPT_MS);
  memory.attempts = keepRecent(memory.attempts, ({ lastAtMs }) => nowMs - lastAtMs < ATTEMPTS_KEPT_MS);
  memory.zoneFullUntilMs = keepRecent(memory.zoneFullUntilMs, (untilMs) => untilMs > nowMs);
  memory.cooldownUntilMs = keepRecent(memory.cooldownUntilMs, (untilMs) => untilMs > nowMs);
  const isKnown = (_: unknown, id: string) => present.has(id) || memory.launched[id] !== undefined;
  memory.health = keepRecent(memory.health, isKnown);
  memory.applied = keepRecent(memory.applied, isKnown);
  memory.appliedAtMs = keepRecent(memory.appliedAtMs, isKnown);
}

/**
 * Memory after the jobs in flight were looked at, and what to write into the journal.
 * `present` is undefined while EC2 could not be read: then nothing is forgotten. The given memory stays as it is.
 */
export function settleJobs(
  memory: Memory,
  facts: readonly JobFact[],
  policy: Policy,
  present: ReadonlySet<string> | undefined,
  nowMs: number,
): { memory: Memory; settled: Settled[] } {
  const next = copyOf(memory);
  const settled = facts.flatMap((fact) => settleOne(next, fact, policy, nowMs) ?? []);
  if (present) forget(next, present, nowMs);
  return { memory: next, settled };
}
