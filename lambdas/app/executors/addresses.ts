/** Executes address jobs; the failover worker is the only writer of associations. Never takes an address from a holder that answers. */
import type { AddressFact, CloudFacts, InstanceFact } from '../../core/facts';
import type { JobOf } from '../../core/jobs';
import { probeNode } from '../look';
import type { Context } from '../ports';
import type { Result } from '../result';

/** Looks that must agree before an address leaves a holder. */
const LOOKS = 2;

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

async function whyNotServing(context: Context, instanceId: string, instances: readonly InstanceFact[]): Promise<string | undefined> {
  const fact = instances.find((instance) => instance.instanceId === instanceId);
  if (fact?.state !== 'running' || !fact.privateIp) return `${instanceId} does not run`;
  if (fact.role !== 'lb') return `${instanceId} is ${fact.slot}, not a load balancer`;
  const { process } = await probeNode(context, fact);
  return process.is === 'ok' ? undefined : `${fact.slot} (${instanceId}) does not serve: ${process.detail}`;
}

function isHeldBy(address: AddressFact | undefined, instanceId: string | null): boolean {
  return (address?.holder ?? null) === instanceId;
}

/** An address that shall change hands: from whom, as the one who asks saw it (null: it was free), and to whom. */
interface Move {
  cluster: string;
  allocationId: string;
  to: string;
  holder: string | null;
}

type Seen = Omit<CloudFacts, 'atMs'>;

function addressIn(seen: Seen, { allocationId }: Move): AddressFact | undefined {
  return seen.addresses.find((address) => address.allocationId === allocationId);
}

/** Why the move is over before it began; undefined while the address is where it was expected. */
function whyOver(seen: Seen, move: Move): Result | undefined {
  const address = addressIn(seen, move);
  if (!address) return { is: 'stale', reason: `${move.allocationId} is no more` };
  if (isHeldBy(address, move.to)) return { is: 'already' };
  if (isHeldBy(address, move.holder)) return undefined;
  return {
    is: 'stale',
    reason: `${address.publicIp} is held by ${address.holder ?? 'nobody'} by now, expected ${move.holder ?? 'nobody'}`,
  };
}

/** One look of our own at both sides; why the address stays, or undefined when nothing speaks for that. */
async function whyStays(context: Context, seen: Seen, { holder, to }: Move): Promise<string | undefined> {
  const [alive, notServing] = await Promise.all([
    holder ? barrier(context, holder, seen.instances) : undefined,
    whyNotServing(context, to, seen.instances),
  ]);
  return alive ?? notServing;
}

/**
 * Moves an address when two looks, each at EC2 and at both nodes, find the holder dead or gone and the other side serving.
 * The second look comes after the first has ended, and right before the act: it is also what sees somebody else's move.
 */
export async function moveIfDead(context: Context, move: Move, firstSeen?: Seen): Promise<Result> {
  const { compute, addresses } = context.ports;
  let publicIp = '';
  for (let look = 0; look < LOOKS; look++) {
    const seen = look === 0 && firstSeen ? firstSeen : await compute.describeCluster(move.cluster);
    const over = whyOver(seen, move);
    if (over) return over;
    publicIp = addressIn(seen, move)?.publicIp ?? move.allocationId;
    const stays = await whyStays(context, seen, move);
    if (stays) return { is: 'refused', reason: `${publicIp} stays: ${stays}` };
  }
  await addresses.associate(move.allocationId, move.to, { mayTakeFrom: move.holder !== null });
  const after = addressIn(await compute.describeCluster(move.cluster), move);
  if (isHeldBy(after, move.to)) return { is: 'done' };
  return {
    is: 'failed',
    reason: `${publicIp} was associated with ${move.to}, but EC2 says ${after?.holder ?? 'nobody'} holds it`,
  };
}

/** Moves an address as planned. */
export function executeMove(context: Context, job: JobOf<'moveAddress'>): Promise<Result> {
  return moveIfDead(context, { ...job, holder: job.expect.holder });
}
