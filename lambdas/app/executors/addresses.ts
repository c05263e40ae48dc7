/**
 * Executes address jobs; the failover worker is the only writer of associations. Takes an address from a holder that answers in one case
 * alone: the plan says that it gives it, and the looks here agree that it keeps another, or its successor has one, and the taker none.
 */
import { placeOf, whyNotAt } from '../../core/entry-place';
import type { AddressFact, CloudRead, InstanceFact } from '../../core/facts';
import type { JobOf } from '../../core/jobs';
import { type AddressLease, underLease } from '../address-lease';
import { probeNode } from '../look';
import type { Context } from '../ports';
import type { Result } from '../result';

/** Allocates or returns an address. */
export async function executeAddress({ ports }: Context, job: JobOf<'allocateAddress'> | JobOf<'releaseAddress'>): Promise<Result> {
  if (job.kind === 'allocateAddress') {
    const address = await ports.addresses.allocate(job.cluster, job.name);
    return { is: 'done', output: { allocationId: address.allocationId } };
  }
  await ports.addresses.release(job.allocationId);
  return { is: 'done' };
}

/** Why an address must not leave its holder; undefined when the holder is gone, or runs and does not answer. */
async function barrier(context: Context, holder: string, instances: readonly InstanceFact[]): Promise<string | undefined> {
  const fact = instances.find((instance) => instance.instanceId === holder);
  if (fact?.state !== 'running' || !fact.privateIp) return undefined;
  const { process } = await probeNode(context, fact);
  if (process.is === 'ok') return `its holder ${fact.slot} (${holder}) answers`;
  if (process.is === 'unknown') return `its holder ${fact.slot} (${holder}) could not be looked at: ${process.detail}`;
  return undefined;
}

/** Why a balancer could not serve the address called `name`; undefined when it serves where that would lead. */
async function whyNotServing(
  context: Context,
  instanceId: string,
  name: string,
  instances: readonly InstanceFact[],
): Promise<string | undefined> {
  const fact = instances.find((instance) => instance.instanceId === instanceId);
  if (fact?.state !== 'running' || !fact.privateIp) return `${instanceId} does not run`;
  if (fact.role !== 'lb') return `${instanceId} is ${fact.slot}, not a load balancer`;
  const probe = await probeNode(context, fact);
  if (probe.process.is !== 'ok') return `${fact.slot} (${instanceId}) does not serve: ${probe.process.detail}`;
  return whyNotAt(name, fact, probe);
}

/** An address that shall change hands: from whom, as the one who asks saw it (null: it was free), and to whom. */
interface Move {
  cluster: string;
  allocationId: string;
  to: string;
  holder: string | null;
  /** The holder is well, and gives it. */
  gives?: true | undefined;
}

function addressIn(seen: CloudRead, { allocationId }: Move): AddressFact | undefined {
  return seen.addresses.find((address) => address.allocationId === allocationId);
}

/** The address, while it is where it was expected, or free: EC2 frees it when its holder is terminated. Else how the move ends at once. */
function expectedAddress(seen: CloudRead, move: Move): AddressFact | Result {
  const address = addressIn(seen, move);
  if (!address) return { is: 'stale', reason: `${move.allocationId} is no more` };
  if (address.holder === move.to) return { is: 'already' };
  if (address.holder === undefined || address.holder === move.holder) return address;
  return { is: 'stale', reason: `${address.publicIp} is held by ${address.holder} by now, expected ${move.holder ?? 'nobody'}` };
}

/** Why a healthy holder must not give an address; undefined while it keeps another one, or its successor has one, and the taker has none. */
function whyNotGiven({ addresses, instances }: CloudRead, { allocationId, holder, to }: Move): string | undefined {
  const others = addresses.filter((address) => address.allocationId !== allocationId);
  const from = instances.find(({ instanceId }) => instanceId === holder);
  const isSuccessor = ({ slot, incarnation }: InstanceFact) => slot === from?.slot && incarnation > from.incarnation;
  const keepers = [holder, ...instances.filter(isSuccessor).map(({ instanceId }) => instanceId)];
  if (!others.some((address) => address.holder !== undefined && keepers.includes(address.holder)))
    return `its holder ${holder} is well and would keep none`;
  const held = others.find((address) => address.holder === to);
  return held && `${to} holds ${held.publicIp} already`;
}

/** One look of our own at both sides; why the address stays, or undefined when nothing speaks for that. */
async function whyStays(context: Context, seen: CloudRead, address: AddressFact, move: Move): Promise<string | undefined> {
  // Once its holder is gone it is nobody's gift any more.
  const isGift = move.gives && address.holder !== undefined;
  const [alive, notServing] = await Promise.all([
    isGift ? whyNotGiven(seen, move) : address.holder && barrier(context, address.holder, seen.instances),
    whyNotServing(context, move.to, address.name, seen.instances),
  ]);
  return alive || notServing;
}

/** Leads the address to the taker; one that was free by the last look only while it still is. */
async function associate({ ports }: Context, seen: CloudRead, address: AddressFact, { allocationId, to }: Move): Promise<void> {
  const fact = seen.instances.find(({ instanceId }) => instanceId === to);
  const place = fact && placeOf(address.name, fact);
  await ports.addresses.associate(allocationId, to, {
    mayTakeFrom: address.holder !== undefined,
    ...(place?.is === 'at' ? { privateIp: place.ip } : {}),
  });
}

interface Look {
  seen: CloudRead;
  address: AddressFact;
}

/** One look at both nodes, upon what EC2 tells: the address where it may leave from, else how the move ends at once. */
async function look(context: Context, move: Move, seen: CloudRead): Promise<Look | Result> {
  const address = expectedAddress(seen, move);
  if ('is' in address) return address;
  const stays = await whyStays(context, seen, address, move);
  return stays ? { is: 'refused', reason: `${address.publicIp} stays: ${stays}` } : { seen, address };
}

/** Acts by the last look, and reads where the address is afterwards. */
async function act(context: Context, { seen, address }: Look, move: Move, lease: AddressLease): Promise<Result> {
  await lease.associate(move.to, () => associate(context, seen, address, move));
  const after = addressIn(await context.ports.compute.describeCluster(move.cluster), move);
  if (after?.holder === move.to) return { is: 'done' };
  const words = `${address.publicIp} was associated with ${move.to}, but EC2 says ${after?.holder ?? 'nobody'} holds it`;
  return { is: 'failed', reason: words };
}

/**
 * Moves an address when two looks, each at EC2 and at both nodes, find the holder dead or gone (or, where it gives the address, keeping
 * another) and the other side serving. The second look comes after the first has ended, right before the act, and under a lease: a claim
 * that the first look refuses keeps nobody off.
 */
export async function moveAddress(context: Context, move: Move, firstSeen?: CloudRead): Promise<Result> {
  const describe = () => context.ports.compute.describeCluster(move.cluster);
  const first = await look(context, move, firstSeen ?? (await describe()));
  if ('is' in first) return first;
  return underLease(context, move.allocationId, describe, async (seen, lease) => {
    const second = await look(context, move, lease.correct(seen));
    if ('is' in second) return second;
    const late = lease.whyTooLate();
    return late ? { is: 'failed', reason: late } : act(context, second, move, lease);
  });
}

/** Moves an address as planned. */
export function executeMove(context: Context, job: JobOf<'moveAddress'>): Promise<Result> {
  return moveAddress(context, { ...job, holder: job.expect.holder });
}
