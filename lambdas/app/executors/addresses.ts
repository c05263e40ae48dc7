/** Executes address jobs; the failover worker is the only writer of associations. Never takes an address from a holder that answers. */
import type { AddressFact, InstanceFact } from '../../core/facts';
import type { JobOf } from '../../core/jobs';
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

/** Moves an address: only when this worker's own probes say that the holder is dead and the claimant serves. */
export async function executeMove(context: Context, job: JobOf<'moveAddress'>): Promise<Result> {
  const { compute, addresses } = context.ports;
  const { cluster, allocationId, to, expect } = job;
  const find = async () => {
    const seen = await compute.describeCluster(cluster);
    return { ...seen, address: seen.addresses.find((a) => a.allocationId === allocationId) };
  };
  const { address, instances } = await find();
  if (!address) return { is: 'stale', reason: `${allocationId} is no more` };
  if (isHeldBy(address, to)) return { is: 'already' };
  if (!isHeldBy(address, expect.holder))
    return {
      is: 'stale',
      reason: `${address.publicIp} is held by ${address.holder ?? 'nobody'} by now, expected ${expect.holder ?? 'nobody'}`,
    };
  const [alive, notServing] = await Promise.all([
    expect.holder ? barrier(context, expect.holder, instances) : undefined,
    whyNotServing(context, to, instances),
  ]);
  if (alive) return { is: 'refused', reason: `${address.publicIp} stays: ${alive}` };
  if (notServing) return { is: 'refused', reason: `${address.publicIp} stays: ${notServing}` };
  await addresses.associate(allocationId, to, { mayTakeFrom: expect.holder !== null });
  const after = await find();
  if (isHeldBy(after.address, to)) return { is: 'done' };
  return {
    is: 'failed',
    reason: `${address.publicIp} was associated with ${to}, but EC2 says ${after.address?.holder ?? 'nobody'} holds it`,
  };
}
