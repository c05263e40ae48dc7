/**
 * Takes up a person's request to force a replica set down to its survivors: looks anew, and where the majority is lost plans that one job.
 * Never forces anything itself, and never while a primary or a majority answers.
 */
import type { HelloFact, InstanceFact } from '../core/facts';
import type { JobOf, UserJob } from '../core/jobs';
import { isDisruptive } from '../core/jobs';
import type { ClusterRow } from '../core/memory';
import { PORT } from '../core/names';
import { livingInstances } from '../core/observe';
import { majorityOf } from '../core/plan/mongo-view';
import { probeNode } from './look';
import { type Context, isConflict, PortError } from './ports';
import type { Result } from './result';

type Repair = Extract<UserJob, { kind: 'repairMajority' }>;
type Force = JobOf<'forceReplicaSet'>;
type Refusal = Extract<Result, { is: 'stale' | 'refused' }>;

interface Answering {
  fact: InstanceFact;
  host: string;
  hello: HelloFact;
}

const refused = (reason: string): Refusal => ({ is: 'refused', reason });
const CONFLICT_RETRIES = 4;

/** Members of the set that answer now, by fresh probes. @throws PortError when EC2 can't be read */
async function answeringMembers(context: Context, row: ClusterRow): Promise<Answering[]> {
  const { compute, clock } = context.ports;
  const cloud = { atMs: clock.nowMs(), ...(await compute.describeCluster(row.cluster)) };
  const running = livingInstances(cloud, row.memory).filter((fact) => fact.role === 'mongo' && fact.state === 'running' && fact.privateIp);
  const seen = await Promise.all(
    running.map(async (fact) => {
      const probe = await probeNode(context, fact);
      const hello = probe.role === 'mongo' ? probe.hello : undefined;
      return hello?.setName === row.spec.mongo.replicaSet ? [{ fact, host: `${fact.privateIp}:${PORT.mongo}`, hello }] : [];
    }),
  );
  return seen.flat();
}

/** Newest write first: term, then time, then place within the second. */
function byNewestWrite(a: Answering, b: Answering): number {
  const position = ({ hello }: Answering) => [hello.lastWriteTerm ?? 0, hello.lastWriteS ?? 0, hello.lastWriteIncrement ?? 0];
  const [left, right] = [position(a), position(b)];
  const at = left.findIndex((value, i) => value !== right[i]);
  return at < 0 ? 0 : (right[at] ?? 0) - (left[at] ?? 0);
}

/** What is left of the set and where to force it, or why nothing may be forced. */
function chooseSurvivors(
  answering: readonly Answering[],
  job: Repair,
): Pick<Force, 'instanceId' | 'survivors' | 'expect' | 'reason'> | Refusal {
  const [newest] = [...answering].sort((a, b) => (b.hello.setVersion ?? 0) - (a.hello.setVersion ?? 0));
  if (!newest) return refused('no member of the replica set answers: there is no survivor to go on with (docs/runbook.md#majority-lost)');
  const primary = answering.find(({ hello }) => hello.isWritablePrimary);
  if (primary) return refused(`${primary.fact.slot} (${primary.host}) is the primary: nothing is lost, nothing to repair`);
  const { hosts: voters, passives, setVersion = 0 } = newest.hello;
  const voting = answering.filter(({ host }) => voters.includes(host));
  const needed = majorityOf(voters.length);
  if (voting.length >= needed)
    return refused(`${voting.length} of ${voters.length} voters answer, ${needed} needed: a majority lives and elects a primary by itself`);
  const unready = voting.find(({ hello }) => !hello.secondary);
  if (unready) return refused(`${unready.fact.slot} (${unready.host}) answers but is no SECONDARY yet: wait until it is`);
  const [target] = [...voting].sort(byNewestWrite);
  if (!target)
    return refused(`no voter answers, only ${answering.map(({ host }) => host).join(', ')}: a member without a vote may lack data`);
  const silentVoters = voters.filter((host) => !voting.some((member) => member.host === host));
  const kept = answering.filter((member) => voting.includes(member) || (passives.includes(member.host) && member.hello.secondary));
  const survivors = kept.map(({ host }) => host).sort();
  if (job.survivors && [...job.survivors].sort().join() !== survivors.join())
    return { is: 'stale', reason: `survivors: ${job.survivors.join(', ')} confirmed, ${survivors.join(', ')} found by now: look again` };
  const reason = `a person confirmed it: ${silentVoters.join(', ')} are given up, ${survivors.join(', ')} go on, from ${target.fact.slot}`;
  return { instanceId: target.fact.instanceId, survivors, expect: { setVersion }, reason: reason.slice(0, 1000) };
}

function confirmProblem(job: Repair): Refusal | undefined {
  if (job.confirm === job.cluster) return undefined;
  const got = JSON.stringify(job.confirm ?? null);
  return refused(`confirm: expected ${JSON.stringify(job.cluster)}, the name of the cluster; got ${got}; nothing is forced without it`);
}

/** The job under a key of its own, in flight like any planned one: it is claimed, executed and settled the same way. */
function jobOf(row: ClusterRow, chosen: Pick<Force, 'instanceId' | 'survivors' | 'expect' | 'reason'>): Force {
  const base = 'force-replica-set';
  const count = row.memory.attempts[base]?.count ?? 0;
  const jobKey = `${row.cluster}@${row.memory.bornAtMs.toString(36)}/${base}#${count}`;
  return { kind: 'forceReplicaSet', cluster: row.cluster, jobKey, replicaSet: row.spec.mongo.replicaSet, ...chosen };
}

/** Plans the forced reconfig into the row, then sends it; the row is the outbox should the sending fail. */
export async function repairMajority(context: Context, job: Repair): Promise<Result> {
  const { rows, queues, journal, clock } = context.ports;
  const problem = confirmProblem(job);
  if (problem) return problem;
  for (let attempt = 0; attempt < CONFLICT_RETRIES; attempt++) {
    const row = await rows.get(job.cluster);
    if (!row) return refused(`cluster: no cluster is called ${JSON.stringify(job.cluster)}, or no check has looked at it yet`);
    if (row.phase === 'deleting') return refused(`cluster: ${JSON.stringify(job.cluster)} is being deleted`);
    const inFlight = Object.values(row.memory.inFlight).map((entry) => entry.job);
    if (inFlight.some(({ kind }) => kind === 'forceReplicaSet')) return { is: 'already' };
    const other = inFlight.find(isDisruptive);
    if (other) return { is: 'stale', reason: `${other.kind} is in flight (${other.reason}): repeat once it has ended` };
    const chosen = chooseSurvivors(await answeringMembers(context, row), job);
    if ('is' in chosen) return chosen;
    const force = jobOf(row, chosen);
    const atMs = clock.nowMs();
    const memory = { ...row.memory, inFlight: { ...row.memory.inFlight, [force.jobKey]: { job: force, plannedAtMs: atMs } } };
    if (await isConflict(rows.put({ ...row, version: row.version + 1, memory }, row.version))) continue;
    await queues.send('provision', force);
    await journal.append(job.cluster, [{ atMs, topic: force.kind, event: 'planned', text: force.reason, jobKey: force.jobKey }]);
    return { is: 'done' };
  }
  throw new PortError('conflict', `the row of ${job.cluster} changed ${CONFLICT_RETRIES} times while the repair was to be planned`);
}
