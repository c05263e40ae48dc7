/** Scenarios on messages: jobs sent many times, a day late, out of order, and bodies that nobody can read. */
import { DescribeAddressesCommand, DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import type { JobOf } from '../../lambdas/core/jobs';
import type { StatusSummary } from '../../lambdas/core/memory';
import { PORT, TAG } from '../../lambdas/core/names';
import { watchUntil } from '../cluster-eye';
import { untilDeadLetters } from '../dead-letters';
import { LabError } from '../lab-error';
import { waitFor } from '../run-command';
import { UNFELT } from './bounds';
import { kill } from './hands';
import type { Bounds, JobEnd, Scenario, Stage } from './scenario';
import { choose, nodesOfRole } from './victims';

const SCALE_MS = 120_000;
const DAY_MS = 86_400_000;
const TIMES = 5;
const BROKERS = 2;

// A broker that comes and goes is drained; a POST that was under way on a connection that ends may fail.
const SCALED: Bounds = { ...UNFELT, disturbedS: 5, repairedS: 45 };
// Messages that change nothing.
const UNCHANGED: Bounds = { ...UNFELT, repairedS: 30 };

/** A key of this scenario alone, so that it can be played again in the same cluster. */
function freshKey(what: string): string {
  return `chaos-${what}-${Date.now().toString(36)}`;
}

async function untilBrokers({ read }: Stage, count: number): Promise<void> {
  const isSo = (status: StatusSummary) => status.converged && nodesOfRole(status, 'orion').length === count;
  await watchUntil(`${count} brokers`, read, isSo, SCALE_MS);
}

/** Asks for so many brokers, `times` times by the same key. */
async function scale(
  stage: Stage,
  must: JobEnd,
  body: { count: number; expect?: { count: number } },
  times = 1,
  delayS = 0,
): Promise<void> {
  const jobKey = freshKey(`scale-${body.count}`);
  const message = { kind: 'scale', cluster: stage.cluster, role: 'orion', jobKey, ...body };
  const job = { what: `scale to ${body.count}`, claimKey: `request/${stage.cluster}/${jobKey}`, must };
  for (let n = 0; n < times; n++) await stage.enqueue('provision', message, job, delayS);
}

async function backToUsual(stage: Stage): Promise<void> {
  await scale(stage, 'done', { count: BROKERS });
  await untilBrokers(stage, BROKERS);
  stage.repairCountsFromNow();
}

/** The launch that the plan has in flight for a slot. */
function launchOf(stage: Stage, slot: string): Promise<JobOf<'launchNode'>> {
  return waitFor(`a launch for ${slot}`, SCALE_MS, 50, async () => {
    const row = await stage.ports.rows.get(stage.cluster);
    const jobs = Object.values(row?.memory.inFlight ?? {}).map(({ job }) => job);
    return jobs.find((job) => job.kind === 'launchNode' && job.slot === slot) as JobOf<'launchNode'> | undefined;
  });
}

/** How many instances ever were this incarnation of a slot. */
async function launchesOf({ clients, cluster }: Stage, { slot, incarnation }: JobOf<'launchNode'>): Promise<number> {
  const tags = { [TAG.cluster]: cluster, [TAG.slot]: slot, [TAG.incarnation]: String(incarnation) };
  const Filters = Object.entries(tags).map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] }));
  const { Reservations = [] } = await clients.ec2.send(new DescribeInstancesCommand({ Filters }));
  return Reservations.flatMap(({ Instances = [] }) => Instances).length;
}

async function launchSentAgain(stage: Stage): Promise<void> {
  const victim = choose(stage.status, 'broker');
  stage.harms(victim.instanceId);
  await kill(victim);
  const job = await launchOf(stage, victim.slot);
  const account = { what: `launch of ${victim.slot}`, claimKey: job.jobKey, must: 'done' } as const;
  for (let n = 1; n < TIMES; n++) await stage.enqueue('provision', job, account);
  await watchUntil(
    'the whole cluster',
    stage.read,
    ({ converged, slots }) => converged && slots.every(({ instanceId }) => instanceId !== victim.instanceId),
    SCALE_MS,
  );
  const launches = await launchesOf(stage, job);
  if (launches !== 1) throw new LabError(`launch of ${victim.slot} sent ${TIMES} times: expected 1 instance; EC2 knows ${launches}`);
}

/** What a plan of yesterday could have asked for, each harmful today. */
async function sendYesterdaysJobs(stage: Stage): Promise<void> {
  const { status, cluster, clients } = stage;
  const [broker, standby, holder, secondary] = (['broker', 'standby', 'holder', 'secondary'] as const).map((who) => choose(status, who));
  const { Addresses = [] } = await clients.ec2.send(
    new DescribeAddressesCommand({ Filters: [{ Name: `tag:${TAG.cluster}`, Values: [cluster] }] }),
  );
  const [address] = Addresses;
  if (!broker || !standby || !holder || !secondary || !address?.AllocationId) throw new LabError(`${cluster}: not whole`);
  const voters = nodesOfRole(status, 'mongo')
    .map(({ privateIp }) => `${privateIp}:${PORT.mongo}`)
    .sort();
  const late = (kind: string) => ({ kind, cluster, jobKey: freshKey(kind), reason: 'planned yesterday' });
  const jobs = [
    { ...late('terminateNode'), role: 'orion', slot: broker.slot, instanceId: broker.instanceId, expect: { holdsAddress: false } },
    { ...late('moveAddress'), allocationId: address.AllocationId, to: standby.instanceId, expect: { holder: holder.instanceId } },
    {
      ...late('reconfigReplicaSet'),
      instanceId: choose(status, 'primary').instanceId,
      replicaSet: 'orion_rs',
      change: { change: 'remove', host: `${secondary.privateIp}:${PORT.mongo}` },
      expect: { setVersion: 1, voters, nonVoters: [] },
    },
  ];
  for (const job of jobs) {
    const queue = job.kind === 'moveAddress' ? 'failover' : 'provision';
    await stage.enqueue(queue, job, { what: `${job.kind} of yesterday`, claimKey: job.jobKey, must: 'stale' });
  }
  const claim = { kind: 'claimAddress', cluster, claimant: standby.instanceId, atMs: Date.now() - DAY_MS, state: 'MASTER' };
  await stage.enqueue('failover', claim, null);
  await scale(stage, 'stale', { count: BROKERS + 3, expect: { count: BROKERS + 1 } });
}

async function sendUnreadable({ clients, ports, cluster }: Stage): Promise<void> {
  const QueueUrl = ports.controlPlane.queues.provision;
  const key = freshKey('unreadable');
  const bodies = [
    `{"kind":"scale","cluster":"${cluster}","jobKey":"${key}"`,
    `{"kind":"explode","cluster":"${cluster}","jobKey":"${key}"}`,
  ];
  await untilDeadLetters(clients.sqs, QueueUrl, bodies, async () => {
    for (const MessageBody of bodies) await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  });
}

export const JOB_SCENARIOS: readonly Scenario[] = [
  {
    name: 'scale-sent-five-times',
    does: `one request for a broker more is sent ${TIMES} times; then back`,
    bounds: SCALED,
    act: async (stage) => {
      await scale(stage, 'done', { count: BROKERS + 1 }, TIMES);
      await untilBrokers(stage, BROKERS + 1);
      await backToUsual(stage);
    },
  },
  {
    name: 'launch-sent-five-times',
    does: `a broker is killed, and the planned launch of its successor is sent ${TIMES - 1} times more`,
    bounds: { ...SCALED, repairedS: 60 },
    act: launchSentAgain,
  },
  {
    name: 'jobs-a-day-late',
    does: "yesterday's terminateNode, moveAddress, reconfigReplicaSet, claimAddress and scale arrive today",
    bounds: UNCHANGED,
    keepsNodes: true,
    act: sendYesterdaysJobs,
  },
  {
    name: 'jobs-out-of-order',
    does: 'two requests that build on each other arrive the wrong way round: 3 to 4 brokers before 2 to 3; then back',
    bounds: SCALED,
    act: async (stage) => {
      await scale(stage, 'stale', { count: BROKERS + 2, expect: { count: BROKERS + 1 } });
      await scale(stage, 'done', { count: BROKERS + 1, expect: { count: BROKERS } }, 1, 3);
      await untilBrokers(stage, BROKERS + 1);
      await backToUsual(stage);
    },
  },
  {
    name: 'unreadable-messages',
    does: 'bodies that nobody can decode: each ends as a dead letter, and nothing waits behind it',
    bounds: UNCHANGED,
    keepsNodes: true,
    act: sendUnreadable,
  },
];
