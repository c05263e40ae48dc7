/** What `bench brokers` does to a cluster under traffic, and what it measures meanwhile. Repairs nothing: that is the control plane's. */
import { DescribeInstancesCommand, RunInstancesCommand } from '@aws-sdk/client-ec2';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import type { SlotSummary, StatusSummary } from '../../lambdas/core/memory';
import { TAG } from '../../lambdas/core/names';
import { type ClusterSpec, parseSpec } from '../../lambdas/core/spec';
import { makeClients } from '../clients';
import { watchUntil } from '../cluster-eye';
import { killInstance } from '../fault';
import { LabError } from '../lab-error';
import { feltBetween, whenFailed } from '../load/felt';
import { sleep } from '../run-command';
import { CLUSTER } from './bench-cluster';
import { untilNewBroker, untilServed } from './broker-eye';
import type { BrokerChange, BrokerLoss, ChangeName } from './brokers-figures';
import { type EntryBench, holderOf, makeBothWhole } from './entry-bench';

const REPAIR_MS = 120_000;
/** One node of a role after the other: drained for up to half a minute, restarted, and well for `deadAfterS` before the next. */
const ROLLOUT_MS = 300_000;
/** Long enough for the recipe's own checks to notice: three of them, 2 s apart, and some. */
const WATCH_LOSS_MIN_MS = 12_000;
/** The clients go on for a while after each act, so that a late failure is seen. */
const SETTLE_MS = 2_500;
/** Brokers at rest; scaling out adds two. */
export const BROKERS = 2;
const BROKERS_MORE = BROKERS + 2;

function brokersIn(status: StatusSummary): (SlotSummary & { instanceId: string })[] {
  return status.slots.flatMap((slot) => (slot.role === 'orion' && slot.instanceId ? [{ ...slot, instanceId: slot.instanceId }] : []));
}

/** The broker whose turn it is. */
function brokerOfRun(status: StatusSummary, run: number) {
  const brokers = brokersIn(status);
  const broker = brokers[run % brokers.length];
  if (!broker) throw new LabError(`${CLUSTER}: no broker in its status: ${status.sentence}`);
  return broker;
}

function sayWhenFailed({ ours, say }: EntryBench, fromMs: number, toMs: number): void {
  const words = whenFailed(ours.records, fromMs, toMs);
  if (words) say(`  ours: ${words}`);
}

/** Kills a broker that both pairs have behind them, and measures until another one serves in its place. */
export async function loseBroker(bench: EntryBench, run: number): Promise<BrokerLoss> {
  const { status } = await makeBothWhole(bench);
  const { slot, instanceId } = brokerOfRun(status, run);
  bench.say(`docker kill: ${slot} (${instanceId})`);
  bench.taken.add(instanceId);
  const fromMs = Date.now();
  await killInstance(instanceId);
  const servesMs = await untilNewBroker(fromMs, REPAIR_MS);
  await sleep(Math.max(SETTLE_MS, fromMs + WATCH_LOSS_MIN_MS - Date.now()));
  const toMs = Date.now() - SETTLE_MS;
  const [ours, recipe] = [bench.ours, bench.theirs].map(({ records }) => feltBetween(records, fromMs, toMs));
  if (!ours || !recipe || ours.requests === 0 || recipe.requests === 0) throw new LabError(`${slot} killed: a client sent nothing`);
  const loss = { slot, ours, recipe, replacedS: (servesMs - fromMs) / 1000 };
  bench.say(
    `  a new broker serves after ${loss.replacedS.toFixed(1)} s; failed: ours ${ours.failed} (${ours.failedIdempotent} GET or PUT), recipe ${recipe.failed}`,
  );
  sayWhenFailed(bench, fromMs, toMs);
  return loss;
}

/** Measures one change: `work` does it and answers when it was done, ms. */
async function change(bench: EntryBench, name: ChangeName, work: (status: StatusSummary) => Promise<number>): Promise<BrokerChange> {
  const { status } = await makeBothWhole(bench);
  bench.say(name);
  const fromMs = Date.now();
  const doneMs = await work(status);
  await sleep(SETTLE_MS);
  const toMs = Date.now();
  const felt = feltBetween(bench.ours.records, fromMs, toMs);
  if (felt.requests === 0) throw new LabError(`${name}: the client sent nothing`);
  bench.say(`  ${((doneMs - fromMs) / 1000).toFixed(1)} s, ${felt.failed} of ${felt.requests} requests failed`);
  sayWhenFailed(bench, fromMs, toMs);
  return { name, tookS: (doneMs - fromMs) / 1000, felt };
}

async function changeSpec({ ports }: EntryBench, edit: (spec: ClusterSpec) => ClusterSpec): Promise<void> {
  const stored = await ports.specs.get(CLUSTER);
  const parsed = stored && parseSpec(JSON.parse(stored.text));
  if (!stored || !parsed?.ok) throw new LabError(`${CLUSTER}: its spec is missing or not valid`);
  await ports.specs.replace(CLUSTER, JSON.stringify(edit(parsed.value)), stored.version);
}

/** Waits until all nodes of a role run another configuration than before and the cluster is whole; answers when, ms. */
async function untilConfigured({ read }: EntryBench, role: string, before: StatusSummary): Promise<number> {
  const old = new Map(before.slots.map(({ instanceId, configVersion }) => [instanceId, configVersion]));
  const isDone = ({ converged, slots }: StatusSummary): boolean =>
    converged && slots.every((slot) => slot.role !== role || old.get(slot.instanceId) !== slot.configVersion);
  return (await watchUntil(`all of ${role} reconfigured`, read, isDone, ROLLOUT_MS)).atMs;
}

/** A value of the spec that stands in the balancers' files alone, changed by hand in Parameter Store. */
export function reloadBalancers(bench: EntryBench): Promise<BrokerChange> {
  return change(bench, 'config reload', async (status) => {
    const other = (s: number) => (s === 0.3 ? 0.4 : 0.3);
    await changeSpec(bench, ({ entry, ...spec }) => ({ ...spec, entry: { ...entry, advertIntervalS: other(entry.advertIntervalS) } }));
    return untilConfigured(bench, 'lb', status);
  });
}

/** A value that stands in the brokers' environment: each takes it by a restart, one after the other. */
export function reconfigureBrokers(bench: EntryBench): Promise<BrokerChange> {
  return change(bench, 'new broker setting', async (status) => {
    await changeSpec(bench, ({ mongo, ...spec }) => ({
      ...spec,
      mongo: { ...mongo, readPreference: mongo.readPreference === 'primary' ? 'primaryPreferred' : 'primary' },
    }));
    return untilConfigured(bench, 'orion', status);
  });
}

async function enqueueScale({ lab, ports }: EntryBench, count: number): Promise<void> {
  const MessageBody = JSON.stringify({ kind: 'scale', cluster: CLUSTER, role: 'orion', count });
  await makeClients(lab.endpoint).sqs.send(new SendMessageCommand({ QueueUrl: ports.controlPlane.queues.provision, MessageBody }));
}

/** A raw message on the provision queue; done when both new brokers have answered requests through the holder of the address. */
export async function scaleOut(bench: EntryBench): Promise<BrokerChange> {
  const added = await change(bench, 'scale-out by two', async (status) => {
    const slots = [BROKERS + 1, BROKERS_MORE].map((n) => `ctx${n}`);
    await enqueueScale(bench, BROKERS_MORE);
    return untilServed(holderOf(status).privateIp ?? '', slots, REPAIR_MS);
  });
  await watchUntil('the whole cluster after scaling out', bench.read, ({ converged }) => converged, REPAIR_MS);
  return added;
}

/** Back again, by a message as well; done when the nodes are gone. */
export function scaleIn(bench: EntryBench): Promise<BrokerChange> {
  return change(bench, 'scale-in by two', async () => {
    await enqueueScale(bench, BROKERS);
    const isDone = (status: StatusSummary): boolean => status.converged && brokersIn(status).length === BROKERS;
    return (await watchUntil('scaling in', bench.read, isDone, ROLLOUT_MS)).atMs;
  });
}

/** Starts the next incarnation of a slot beside the present one, as an operator would to move a broker to another host. */
async function launchSuccessor({ lab }: EntryBench, instanceId: string): Promise<void> {
  const { ec2 } = makeClients(lab.endpoint);
  const found = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
  const instance = found.Reservations?.[0]?.Instances?.[0];
  if (!instance) throw new LabError(`${instanceId}: EC2 does not know it`);
  const Tags = (instance.Tags ?? []).map(({ Key, Value }) => ({ Key, Value: Key === TAG.incarnation ? String(Number(Value) + 1) : Value }));
  const { ImageId, InstanceType, SubnetId } = instance;
  await ec2.send(
    new RunInstancesCommand({
      MinCount: 1,
      MaxCount: 1,
      ImageId,
      InstanceType,
      SubnetId,
      TagSpecifications: [{ ResourceType: 'instance', Tags }],
    }),
  );
}

/** A healthy broker gets a successor; done when it is drained and gone, and the cluster whole. */
export function replaceBroker(bench: EntryBench, run: number): Promise<BrokerChange> {
  return change(bench, 'drained replacement', async (status) => {
    const { instanceId } = brokerOfRun(status, run);
    await launchSuccessor(bench, instanceId);
    const isDone = ({ converged, slots }: StatusSummary): boolean => converged && slots.every((slot) => slot.instanceId !== instanceId);
    return (await watchUntil('a healthy broker replaced', bench.read, isDone, REPAIR_MS)).atMs;
  });
}
