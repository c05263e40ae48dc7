/** Carries out what people ask for: create, scale, delete. Writes the spec or the row's phase, never touches a node. */
import type { UserJob } from '../core/jobs';
import { type ClusterRow, EMPTY_MEMORY, type Memory } from '../core/memory';
import { type ClusterSpec, countOf, parseSpec, warningsOf, withCount } from '../core/spec';
import { problemsOfChange } from '../core/spec-change';
import { LEASE_MS, nudge, standBack } from './execute';
import { type Context, isConflict, PortError } from './ports';
import { readSpec } from './read-spec';
import { repairMajority } from './repair-majority';
import type { Result } from './result';

type Create = Extract<UserJob, { kind: 'createCluster' }>;
type Scale = Extract<UserJob, { kind: 'scale' }>;
type Delete = Extract<UserJob, { kind: 'deleteCluster' }>;

const CONFLICT_RETRIES = 4;

/** Row first, then spec: the row remembers which request made it, so that a redelivery continues and a second request is refused. */
async function createCluster({ ports }: Context, job: Create, jobKey: string): Promise<Result> {
  const { cluster } = job;
  const parsed = parseSpec({ ...job.spec, name: cluster });
  if (!parsed.ok) return { is: 'refused', reason: parsed.problems.join('; ') };
  const exists = `cluster: ${JSON.stringify(cluster)} exists already; choose another name, or change its spec or scale it`;
  const [row, stored] = await Promise.all([ports.rows.get(cluster), ports.specs.get(cluster)]);
  if (row ? row.memory.createdBy !== jobKey : stored) return { is: 'refused', reason: exists };
  if (!row) {
    const memory: Memory = { ...EMPTY_MEMORY, bornAtMs: ports.clock.nowMs(), createdBy: jobKey };
    const first: ClusterRow = { cluster, version: 1, phase: 'active', spec: parsed.value, memory, status: null };
    // The row that is in the way may be this request's own: a write whose answer was lost is tried again.
    if ((await isConflict(ports.rows.put(first, 0))) && (await ports.rows.get(cluster))?.memory.createdBy !== jobKey)
      return { is: 'refused', reason: exists };
  }
  if (!stored) await isConflict(ports.specs.create(cluster, JSON.stringify(parsed.value, null, 2)));
  return { is: 'done' };
}

async function currentSpec(
  { ports }: Context,
  cluster: string,
): Promise<{ row: ClusterRow | null; spec: ClusterSpec; version: number | null } | { problem: Result }> {
  const [beside, stored] = await Promise.all([ports.rows.get(cluster), ports.specs.get(cluster)]);
  // A missing spec is a loss where the row is still there after it, and a deletion where it is not: writing one would begin the cluster anew.
  const row = stored ? beside : await ports.rows.get(cluster);
  if (row?.phase === 'deleting') return { problem: { is: 'refused', reason: `cluster: ${JSON.stringify(cluster)} is being deleted` } };
  if (!row && !stored) return { problem: { is: 'refused', reason: await unknownCluster({ ports }, cluster) } };
  const read = stored ? readSpec(cluster, stored.text) : undefined;
  if (read && !read.spec)
    return { problem: { is: 'refused', reason: `the stored spec is not valid, mend it first: ${read.problems.join('; ')}` } };
  const spec = read?.spec ?? row?.spec;
  if (!spec) return { problem: { is: 'refused', reason: await unknownCluster({ ports }, cluster) } };
  return { row, spec, version: stored?.version ?? null };
}

async function unknownCluster({ ports }: Pick<Context, 'ports'>, cluster: string): Promise<string> {
  const known = await ports.rows.listClusters();
  return `cluster: no cluster is called ${JSON.stringify(cluster)}; known: ${known.length > 0 ? known.sort().join(', ') : 'none yet'}`;
}

/** Rewrites the spec's count, conditional on the version read; somebody else's write in between means reading again. */
async function scale(context: Context, job: Scale): Promise<Result> {
  const { specs } = context.ports;
  for (let attempt = 0; attempt < CONFLICT_RETRIES; attempt++) {
    const found = await currentSpec(context, job.cluster);
    if ('problem' in found) return found.problem;
    const now = countOf(found.spec, job.role);
    if (now === job.count) return { is: 'already' };
    if (job.expect && job.expect.count !== now)
      return {
        is: 'stale',
        reason: `${job.role}.count: expected ${job.expect.count}; is ${now} by now: look again and repeat if you still want ${job.count}`,
      };
    const next = withCount(found.spec, job.role, job.count);
    if (!next.ok) return { is: 'refused', reason: next.problems.join('; ') };
    const problems = found.row ? problemsOfChange(found.row, next.value) : [];
    if (problems.length > 0) return { is: 'refused', reason: problems.join('; ') };
    const text = JSON.stringify(next.value, null, 2);
    const write = found.version === null ? specs.create(job.cluster, text) : specs.replace(job.cluster, text, found.version);
    if (!(await isConflict(write))) return { is: 'done' };
  }
  throw new PortError('conflict', `the spec of ${job.cluster} changed ${CONFLICT_RETRIES} times while it was scaled`);
}

async function deleteCluster(context: Context, job: Delete): Promise<Result> {
  const { rows, clock, specs } = context.ports;
  const { cluster } = job;
  if (job.confirm !== cluster)
    return {
      is: 'refused',
      reason: `confirm: expected ${JSON.stringify(cluster)}, the name of the cluster; got ${JSON.stringify(job.confirm ?? null)}; nothing is deleted without it`,
    };
  for (let attempt = 0; attempt < CONFLICT_RETRIES; attempt++) {
    const row = await rows.get(cluster);
    if (row?.phase === 'deleting') return { is: 'already' };
    const stored = row ? null : await specs.get(cluster);
    const spec = row?.spec ?? (stored ? readSpec(cluster, stored.text).spec : undefined);
    if (!spec) return { is: 'refused', reason: await unknownCluster(context, cluster) };
    const base: ClusterRow = row ?? {
      cluster,
      version: 0,
      phase: 'active',
      spec,
      memory: { ...EMPTY_MEMORY, bornAtMs: clock.nowMs() },
      status: null,
    };
    if (!(await isConflict(rows.put({ ...base, version: base.version + 1, phase: 'deleting' }, base.version)))) return { is: 'done' };
  }
  throw new PortError('conflict', `the row of ${cluster} changed ${CONFLICT_RETRIES} times while it was to be deleted`);
}

function describe(job: UserJob): string {
  if (job.kind === 'scale') return `scale ${job.role} to ${job.count}`;
  if (job.kind === 'repairMajority') return 'repair majority';
  return job.kind === 'createCluster' ? 'create' : 'delete';
}

/** What a new cluster's spec risks, for the journal. */
function warningOf(job: UserJob): string {
  const parsed = job.kind === 'createCluster' ? parseSpec({ ...job.spec, name: job.cluster }) : undefined;
  return parsed?.ok
    ? warningsOf(parsed.value)
        .map((warning) => `; warning: ${warning}`)
        .join('')
    : '';
}

/**
 * Runs a person's request once and journals how it ended. Its key is the one in the message, or the message's id.
 * A failure outside gives the claim back and throws, so that the queue delivers it again and, after three times, keeps it as a dead letter.
 */
export async function carryOut(context: Context, job: UserJob, messageId: string): Promise<void> {
  const { claims, clock, journal, telemetry } = context.ports;
  const jobKey = `request/${job.cluster}/${job.jobKey ?? messageId}`;
  const claim = await claims.claim(jobKey, clock.nowMs(), LEASE_MS);
  if (claim.is === 'held') {
    standBack(claim.state, jobKey, telemetry);
    return;
  }
  let result: Result;
  try {
    result =
      job.kind === 'createCluster'
        ? await createCluster(context, job, jobKey)
        : job.kind === 'scale'
          ? await scale(context, job)
          : job.kind === 'repairMajority'
            ? await repairMajority(context, job)
            : await deleteCluster(context, job);
  } catch (error) {
    await claims.release(jobKey);
    throw error;
  }
  const atMs = clock.nowMs();
  const reason = 'reason' in result ? result.reason : undefined;
  const text = `${describe(job)}: ${reason ?? (result.is === 'already' ? 'it is so already' : `accepted${warningOf(job)}`)}`;
  await journal.append(job.cluster, [
    { atMs, topic: 'request', event: result.is === 'already' ? 'done' : result.is, text, jobKey: job.jobKey ?? messageId },
  ]);
  await claims.record(
    jobKey,
    reason === undefined ? { is: 'done', atMs } : { is: result.is === 'stale' ? 'stale' : 'refused', reason, atMs },
  );
  telemetry.count(reason === undefined ? 'RequestsDone' : 'RequestsRefused');
  telemetry.info('request', { kind: job.kind, cluster: job.cluster, jobKey, result });
  if (reason === undefined) await nudge(context, job.cluster);
}
