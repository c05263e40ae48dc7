/** One check of one cluster: look, settle, fold, plan, commit, send. The only use case that decides; it acts on nothing itself. */
import type { CloudFacts } from '../core/facts';
import { findViolations } from '../core/invariants';
import { type PlannedJob, queueOf } from '../core/jobs';
import { type ClusterRow, EMPTY_MEMORY, type Memory } from '../core/memory';
import { SERVICE_ROLES } from '../core/names';
import { observe } from '../core/observe';
import { putInFlight } from '../core/outbox';
import { allSick } from '../core/plan/all-sick';
import { withDrain } from '../core/plan/drain';
import { chooseNextLook } from '../core/plan/next-look';
import { type Plan, planSituation } from '../core/plan/plan';
import { isMajorityLost } from '../core/plan/replica-set';
import { foldRollouts } from '../core/plan/rollout';
import { rolloutProblems } from '../core/plan/rollout-words';
import { baseOf, lookAt, type Situation } from '../core/plan/situation';
import { isSame } from '../core/same';
import { type Settled, settleJobs } from '../core/settle';
import { type ClusterSpec, parseSpec } from '../core/spec';
import { problemsOfChange } from '../core/spec-change';
import { isConverged, summarize } from '../core/status';
import { lookAtCloud, lookAtJobs, probeNodes } from './look';
import { type Context, type JournalEntry, PortError } from './ports';
import { readSpec } from './read-spec';

/** A job planned this long ago and not claimed yet is sent once more, ms; doubles are harmless. */
const RESEND_AFTER_MS = 30_000;
/** An unchanged row is written this often all the same, so that `status` shows its age, ms. */
const REFRESH_MS = 60_000;

interface Loaded {
  row: ClusterRow;
  /** Version the write must find; 0 while there is no row. */
  storedVersion: number;
  problems: string[];
}

/** The spec that was followed last, whole: a row of an earlier release lacks the fields that came later. */
function lastSpecOf({ spec }: ClusterRow, newest: ClusterSpec | undefined): ClusterSpec {
  if (isSame(spec, newest)) return spec;
  const last = parseSpec(spec);
  return last.ok ? last.value : spec;
}

/** The row with the newest valid spec. A broken or missing spec is said, and the last valid one goes on being used. */
async function load({ ports }: Context, cluster: string): Promise<Loaded | null> {
  const [row, beside] = await Promise.all([ports.rows.get(cluster), ports.specs.get(cluster)]);
  // A deletion takes the spec first, then the row. A spec that was read before a row that is gone would begin the cluster anew.
  const stored = row ? beside : await ports.specs.get(cluster);
  const { spec, problems } = readSpec(cluster, stored?.text);
  if (row) {
    const known = { ...row, spec: lastSpecOf(row, spec), memory: { ...EMPTY_MEMORY, ...row.memory } };
    if (row.phase === 'deleting') return { row: known, storedVersion: row.version, problems: [] };
    const refused = spec ? problemsOfChange(known, spec) : [];
    const followed = spec && refused.length === 0 ? spec : known.spec;
    return { row: { ...known, spec: followed }, storedVersion: row.version, problems: [...problems, ...refused] };
  }
  if (!spec) {
    ports.telemetry.warn('check: no such cluster, or no valid spec for it', { cluster, problems });
    return null;
  }
  const memory: Memory = { ...EMPTY_MEMORY, bornAtMs: ports.clock.nowMs() };
  return { row: { cluster, version: 0, phase: 'active', spec, memory, status: null }, storedVersion: 0, problems };
}

/** What happened, without the tries of a node that is still installing. */
function journalOf(settled: Settled[], plan: Plan, row: ClusterRow, memory: Memory, nowMs: number): JournalEntry[] {
  const isNews = ({ jobKey }: PlannedJob) => !memory.attempts[baseOf(jobKey)]?.waiting;
  const ended = settled
    .filter(({ event }) => event !== 'waiting')
    .map(({ job, event, text }) => ({
      atMs: nowMs,
      topic: job.kind,
      event,
      text: event === 'done' ? job.reason : `${text} (planned because ${job.reason})`,
      jobKey: job.jobKey,
    }));
  const planned = plan.jobs
    .filter(isNews)
    .map((job) => ({ atMs: nowMs, topic: job.kind, event: 'planned', text: job.reason, jobKey: job.jobKey }));
  const entries: JournalEntry[] = [...ended, ...planned];
  const before = new Set(row.status?.blocked ?? []);
  for (const text of plan.blocked) if (!before.has(text)) entries.push({ atMs: nowMs, topic: 'plan', event: 'blocked', text });
  if (plan.jobs.length === 0 && plan.blocked.length === 0 && plan.sentence !== row.status?.sentence)
    entries.push({ atMs: nowMs, topic: 'plan', event: 'note', text: plan.sentence });
  return entries;
}

/** The plan, or an empty one with its violations when an invariant speaks against it; problems of the spec stand first. */
function planSafely(s: Situation, problems: string[]): { plan: Plan; violations: string[] } {
  const plan = planSituation(s);
  const violations = findViolations(s, plan.jobs).map((text) => `unsafe plan dropped: ${text}`);
  const jobs = violations.length > 0 ? [] : plan.jobs;
  const blocked = [...problems, ...violations, ...plan.blocked];
  const sentence = jobs.length === 0 && blocked.length > 0 ? `blocked: ${blocked.join('; ')}` : plan.sentence;
  return { plan: { ...plan, jobs, blocked, sentence }, violations };
}

/** Whether two rows differ in nothing but version and age; part by part, because most that differ do so early. */
function saysTheSame(before: ClusterRow, next: ClusterRow): boolean {
  const partsOf = ({ phase, spec, status, memory }: ClusterRow): Record<string, unknown> => ({
    ...memory,
    phase,
    spec,
    status: { ...status, atMs: 0 },
  });
  const [was, is] = [partsOf(before), partsOf(next)];
  return Object.keys({ ...was, ...is }).every((part) => isSame(was[part], is[part]));
}

/** Writes the row when it says something new; false when another check was faster, whose plan then counts. */
async function commit({ ports }: Context, before: ClusterRow, next: ClusterRow, storedVersion: number): Promise<boolean> {
  const isFresh = before.status !== null && (next.status?.atMs ?? 0) - before.status.atMs < REFRESH_MS;
  if (storedVersion > 0 && isFresh && saysTheSame(before, next)) return true;
  try {
    await ports.rows.put({ ...next, version: storedVersion + 1 }, storedVersion);
    return true;
  } catch (error) {
    if (!(error instanceof PortError) || error.code !== 'conflict') throw error;
    ports.telemetry.info('check: another check was faster', { cluster: next.cluster });
    return false;
  }
}

async function send({ ports }: Context, jobs: readonly PlannedJob[]): Promise<void> {
  await Promise.all(jobs.map((job) => ports.queues.send(queueOf(job), job)));
}

/** Writes the journal; a journal that is out of reach holds no repair up. */
async function note({ ports }: Context, cluster: string, entries: JournalEntry[]): Promise<void> {
  try {
    await ports.journal.append(cluster, entries);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    ports.telemetry.error('check: the journal could not be written', { cluster, code: error.code, detail: error.message, entries });
  }
}

/** Jobs of earlier ticks that nobody claimed: their message may never have been sent. */
function unsent(memory: Memory, facts: Awaited<ReturnType<typeof lookAtJobs>>, nowMs: number): PlannedJob[] {
  return facts.flatMap(({ job, outcome }) => {
    const entry = memory.inFlight[job.jobKey];
    return outcome.is === 'unclaimed' && entry && nowMs - entry.plannedAtMs > RESEND_AFTER_MS ? [job] : [];
  });
}

function report({ ports }: Context, s: Situation, plan: Plan, violations: string[]): void {
  const { telemetry } = ports;
  const cluster = s.spec.name;
  telemetry.count('Checks');
  if (s.breaker.open) telemetry.count('BreakerOpen');
  if (plan.blocked.length > 0) telemetry.count('BlockedDecisions', plan.blocked.length);
  if (isMajorityLost(s)) telemetry.count('MajorityLost');
  if (rolloutProblems(s).length > 0) telemetry.count('RolloutStopped');
  const sick = s.phase === 'active' && SERVICE_ROLES.some((role) => allSick(s.slots, role) !== undefined);
  if (sick) telemetry.count('AllBrokersSick');
  if (violations.length > 0) telemetry.error('check: unsafe plan dropped', { cluster, violations });
  telemetry.info('check', { cluster, sentence: plan.sentence, jobs: plan.jobs.map((job) => job.jobKey), converged: isConverged(s, plan) });
}

/**
 * Checks one cluster. `facts` come with a sweep; without them EC2 is read for this cluster alone.
 * Facts older than those already used are passed over, so that reordered messages do no harm.
 */
export async function checkCluster(context: Context, cluster: string, facts: CloudFacts | undefined): Promise<void> {
  const { ports, settings } = context;
  const loaded = await load(context, cluster);
  if (!loaded) return;
  const { row, storedVersion, problems } = loaded;
  if (facts && row.status && facts.atMs < row.status.atMs) return;
  const cloud = facts ?? (await lookAtCloud(context, cluster));
  const [probes, jobFacts] = await Promise.all([
    cloud ? probeNodes(context, cloud, row.memory) : {},
    lookAtJobs(context, row.memory.inFlight),
  ]);

  const nowMs = ports.clock.nowMs();
  const present = cloud ? new Set(cloud.instances.map((fact) => fact.instanceId)) : undefined;
  const { memory: settledMemory, settled } = settleJobs(row.memory, jobFacts, row.spec.policy, present, nowMs);
  const { observation: seen, memory: observed } = observe(row.spec, cloud, probes, settledMemory, settings.zones, nowMs);
  const observation = { ...seen, ...(settings.claimQueueUrl ? { claimQueueUrl: settings.claimQueueUrl } : {}) };
  const seenFirst = lookAt(row.spec, row.phase, observation, observed, nowMs);
  const memory = foldRollouts(seenFirst, settled);
  const situation = memory === observed ? seenFirst : lookAt(row.spec, row.phase, observation, memory, nowMs);
  const { plan, violations } = planSafely(situation, problems);

  const look = chooseNextLook(situation, plan);
  const remembered = { ...withDrain(putInFlight(memory, plan.jobs, nowMs), situation.drain), lookAgainAtMs: look.atMs };
  const next: ClusterRow = { ...row, memory: remembered, status: summarize(situation, plan) };
  if (!(await commit(context, row, next, storedVersion))) return;
  await send(context, [...plan.jobs, ...unsent(memory, jobFacts, nowMs)]);
  await note(context, cluster, journalOf(settled, plan, row, memory, nowMs));
  if (look.delayS !== undefined) await ports.queues.send('health-check', { kind: 'check', cluster }, look.delayS);
  report(context, situation, plan, violations);
}
