/** What `bench mongo` does to a replica set under a writer, and what it measures meanwhile. Repairs nothing: that is the control plane's. */
import { TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import type { HelloFact } from '../../lambdas/core/facts';
import type { SlotSummary, StatusSummary } from '../../lambdas/core/memory';
import { PORT } from '../../lambdas/core/names';
import { type OperatorPorts, operatorPorts } from '../../lambdas/runtime';
import { makeClients } from '../clients';
import { type ReadStatus, watchUntil } from '../cluster-eye';
import { killInstance } from '../fault';
import { freezeInstance, stateOf, thaw } from '../frozen';
import type { Lab } from '../lab';
import { LabError } from '../lab-error';
import { askMember, watchMembers } from '../member-eye';
import { type MongoWriter, startMongoWriter } from '../mongo-writer';
import { runCli } from '../project-cli';
import { sleep } from '../run-command';
import type { Change, Freeze, Replacement, Victim } from './mongo-figures';
import { stepsOf } from './replacement-steps';

const REPAIR_MS = 180_000;
const ELECTION_MS = 60_000;
const SCALE_S = 240;
/** The writer goes on for a while after each act, so that a late failure is seen. */
const SETTLE_MS = 2_000;
const LOOK_EVERY_MS = 200;
const JOURNAL_ENTRIES = 300;

export interface ActContext {
  lab: Lab;
  cluster: string;
  ports: OperatorPorts;
  writer: MongoWriter;
  read: ReadStatus;
  say: (line: string) => void;
  /** Rest of a slot after its replacement, s: a person's faults come further apart, so it is waited out before the next one. */
  slotCooldownS: number;
  /** When each slot was replaced last, ms. */
  replacedAtMs: Map<string, number>;
}

function hostOfSlot({ privateIp }: SlotSummary): string {
  return `${privateIp}:${PORT.mongo}`;
}

/** Writes each second, as the design asks. */
export const WRITES_A_SECOND = 50;

/** Starts a writer to the set of a cluster that is there, and what else the acts need. @throws LabError when the cluster has no status yet */
export async function openActs({ lab, say }: Pick<ActContext, 'lab' | 'say'>, cluster: string): Promise<ActContext> {
  const ports = await operatorPorts();
  const row = await ports.rows.get(cluster);
  if (!row?.status) throw new LabError(`${cluster}: no such cluster, or none that was looked at yet`);
  const { policy, mongo } = row.spec;
  const seeds = row.status.slots.filter((slot) => slot.role === 'mongo').map(hostOfSlot);
  const writer = await startMongoWriter({ seeds, replicaSet: mongo.replicaSet, everyMs: 1000 / WRITES_A_SECOND });
  const read = async () => (await ports.rows.get(cluster))?.status ?? null;
  return { lab, cluster, ports, writer, read, say, slotCooldownS: policy.slotCooldownS, replacedAtMs: new Map() };
}

function votersOf(status: StatusSummary): SlotSummary[] {
  return status.slots.filter((slot) => slot.role === 'mongo' && (slot.member === 'primary' || slot.member === 'secondary'));
}

function isHostIn({ hosts, passives }: HelloFact, host: string): boolean {
  return hosts.includes(host) || passives.includes(host);
}

/** A whole cluster and a voter of it; of several, the one that was replaced longest ago, rested. */
async function chooseVictim(
  context: ActContext,
  victim: Victim,
): Promise<{ status: StatusSummary; node: SlotSummary; instanceId: string }> {
  const { read, replacedAtMs, slotCooldownS } = context;
  const replaced = ({ slot }: SlotSummary): number => replacedAtMs.get(slot) ?? 0;
  const choose = (status: StatusSummary): SlotSummary | undefined =>
    votersOf(status)
      .filter((slot) => slot.member === victim)
      .sort((a, b) => replaced(a) - replaced(b))[0];
  const isRested = (status: StatusSummary): boolean => {
    const node = choose(status);
    return status.converged && node !== undefined && Date.now() - replaced(node) > slotCooldownS * 1000;
  };
  const { status } = await watchUntil(`a rested ${victim} in a whole cluster`, read, isRested, REPAIR_MS);
  const node = choose(status);
  if (!node?.instanceId) throw new LabError(`${context.cluster}: no ${victim} in its status: ${status.sentence}`);
  return { status, node, instanceId: node.instanceId };
}

/** When another instance votes in the slot, ms; waits for the whole cluster after that. */
async function watchReplacement(context: ActContext, what: string, slot: string, instanceId: string): Promise<number> {
  const votes = (status: StatusSummary): boolean => {
    const now = votersOf(status).find((node) => node.slot === slot && node.instanceId !== instanceId);
    return now !== undefined;
  };
  const isWhole = (status: StatusSummary): boolean => status.converged && status.slots.every((node) => node.instanceId !== instanceId);
  const { atMs } = await watchUntil(`${what}: the replacement's vote`, context.read, votes, REPAIR_MS);
  await watchUntil(`${what}: the whole cluster`, context.read, isWhole, REPAIR_MS);
  context.replacedAtMs.set(slot, Date.now());
  await sleep(SETTLE_MS);
  return atMs;
}

/** Kills a voter's container and measures until another votes in its place. */
export async function killVoter(context: ActContext, victim: Victim): Promise<Replacement> {
  const { writer, ports, cluster, say } = context;
  const { status, node, instanceId } = await chooseVictim(context, victim);
  const { slot } = node;
  const others = votersOf(status).flatMap((other) => (other.slot === slot ? [] : [hostOfSlot(other)]));
  say(`docker kill: the ${victim} ${slot} (${instanceId})`);
  const fromMs = Date.now();
  const election =
    victim === 'primary'
      ? watchMembers('a new primary', others, (hello) => hello.isWritablePrimary, ELECTION_MS).then(({ atMs }) => (atMs - fromMs) / 1000)
      : Promise.resolve(null);
  const [electedS, votesAtMs] = await Promise.all([
    election,
    killInstance(instanceId).then(() => watchReplacement(context, `${victim} killed`, slot, instanceId)),
  ]);
  const toMs = Date.now();
  const outage = writer.outageBetween(fromMs, toMs);
  const failoverS = victim === 'primary' ? (outage.gapEndMs - fromMs) / 1000 : null;
  const replaceS = (votesAtMs - fromMs) / 1000;
  say(`  ${failoverS === null ? '' : `writes again after ${failoverS.toFixed(1)} s, `}replacement votes after ${replaceS.toFixed(1)} s`);
  const steps = stepsOf(await ports.journal.read(cluster, JOURNAL_ENTRIES), slot, fromMs, toMs);
  return { victim, slot, electedS, failoverS, replaceS, outage, steps };
}

/** Replaces a living secondary as an operator would: the instance is terminated through EC2, cleanly. */
export async function replaceLiving(context: ActContext): Promise<Change> {
  const { node, instanceId } = await chooseVictim(context, 'secondary');
  context.say(`aws ec2 terminate-instances: the secondary ${node.slot} (${instanceId})`);
  const fromMs = Date.now();
  await makeClients(context.lab.endpoint).ec2.send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }));
  const atMs = await watchReplacement(context, 'secondary terminated', node.slot, instanceId);
  return {
    what: `secondary replaced (${node.slot}, TerminateInstances)`,
    tookS: (atMs - fromMs) / 1000,
    outage: context.writer.outageBetween(fromMs, Date.now()),
    note: 'until the replacement votes',
  };
}

/** Scales the set through the command line and waits until it is as wanted. */
export async function scaleTo(context: ActContext, count: number): Promise<Change> {
  const { lab, cluster, say, writer, read } = context;
  const before = votersOf((await read()) ?? ({ slots: [] as SlotSummary[] } as StatusSummary)).length;
  say(`fiware-ha scale ${cluster} mongo=${count} --wait`);
  const fromMs = Date.now();
  await runCli(lab.endpoint, ['scale', cluster, `mongo=${count}`, '--wait', '--timeout', String(SCALE_S)], () => undefined);
  const { atMs, status } = await watchUntil(`${count} voters`, read, (now) => now.converged && votersOf(now).length === count, REPAIR_MS);
  say(`  ${votersOf(status).length} members vote after ${((atMs - fromMs) / 1000).toFixed(1)} s`);
  await sleep(SETTLE_MS);
  return {
    what: `scaled ${before} -> ${count}`,
    tookS: (atMs - fromMs) / 1000,
    outage: writer.outageBetween(fromMs, Date.now()),
    note: 'until converged',
  };
}

/** Waits until the others' configuration is without the host, or its container is gone. */
async function untilRemoved(context: ActContext, host: string, containerId: string): Promise<'removed' | 'terminated first'> {
  const deadline = Date.now() + REPAIR_MS;
  while (Date.now() < deadline) {
    const others = ((await context.read())?.slots ?? []).filter((slot) => slot.role === 'mongo' && slot.privateIp);
    const hellos = await Promise.all(
      others
        .map(hostOfSlot)
        .filter((other) => other !== host)
        .map(askMember),
    );
    const leader = hellos.find((hello) => hello?.isWritablePrimary);
    if (leader && !isHostIn(leader, host)) return 'removed';
    if ((await stateOf(containerId)) === 'gone') return 'terminated first';
    await sleep(LOOK_EVERY_MS);
  }
  throw new LabError(`the frozen member ${host}: not out of the set within ${REPAIR_MS / 1000} s`);
}

/** Watches a thawed member until its container is gone; says what it did that it must not. */
async function watchThawed(host: string, containerId: string): Promise<string[]> {
  const misdeeds = new Set<string>();
  const deadline = Date.now() + REPAIR_MS;
  while ((await stateOf(containerId)) !== 'gone') {
    const hello = await askMember(host);
    if (hello?.isWritablePrimary) misdeeds.add(`the thawed member ${host} took itself for the primary after its removal`);
    if (Date.now() > deadline) return [...misdeeds, `the thawed member ${host} was not retired within ${REPAIR_MS / 1000} s`];
    await sleep(LOOK_EVERY_MS);
  }
  return [...misdeeds];
}

/** Freezes a voter until the set is without it, thaws it, and sees to it that it finds itself out and is retired. */
export async function freezeVoter(context: ActContext, victim: Victim): Promise<Freeze> {
  const { say, writer } = context;
  const { node, instanceId } = await chooseVictim(context, victim);
  const host = hostOfSlot(node);
  say(`docker pause: the ${victim} ${node.slot} (${instanceId})`);
  const fromMs = Date.now();
  const containerId = await freezeInstance(instanceId);
  let misdeeds: string[] = [];
  let note = '';
  try {
    const how = await untilRemoved(context, host, containerId);
    const frozenS = ((Date.now() - fromMs) / 1000).toFixed(1);
    const wasThawed = await thaw(containerId);
    note = wasThawed
      ? `out of the set and thawed after ${frozenS} s`
      : `${how}: its instance was gone before it could be thawed (${frozenS} s)`;
    say(`  ${note}`);
    if (wasThawed) misdeeds = await watchThawed(host, containerId);
  } finally {
    await thaw(containerId);
  }
  const atMs = await watchReplacement(context, `${victim} frozen`, node.slot, instanceId);
  return {
    what: `${victim} frozen (${node.slot})`,
    tookS: (atMs - fromMs) / 1000,
    outage: writer.outageBetween(fromMs, Date.now()),
    note,
    misdeeds,
  };
}
