/** Executes launches and terminations of nodes, and gives them private addresses. Touches only instances that carry the job's cluster and slot. */
import { isSeenDead } from '../../core/health';
import type { JobOf } from '../../core/jobs';
import type { ClusterRow } from '../../core/memory';
import type { Context } from '../ports';
import type { Result } from '../result';

const TEN_MINUTES_MS = 600_000;

/** Launches a node, unless one of that slot and incarnation is there already (an earlier try whose answer was lost). */
export async function executeLaunch({ ports }: Context, job: JobOf<'launchNode'>): Promise<Result> {
  const { cluster, role, slot, incarnation, zone, instanceType, volumeGib, jobKey } = job;
  const row = await ports.rows.get(cluster);
  if (row?.phase !== 'active') return { is: 'stale', reason: row ? 'the cluster is being deleted' : 'the cluster is no more' };
  const { instances } = await ports.compute.describeCluster(cluster);
  const twin = instances.find((fact) => fact.slot === slot && fact.incarnation === incarnation && fact.state !== 'terminated');
  if (twin) return { is: 'already', output: { instanceId: twin.instanceId } };
  // The token leaves the try out: a second try in the same zone gets the node of the first, should its answer have been lost.
  const life = jobKey.slice(0, jobKey.indexOf('/'));
  const fact = await ports.compute.launchNode({
    cluster,
    role,
    slot,
    incarnation,
    zone,
    instanceType,
    ...(volumeGib ? { volumeGib } : {}),
    token: `${life}/${slot}/${incarnation}/${zone}/${instanceType}`,
  });
  return { is: 'done', output: { instanceId: fact.instanceId } };
}

/** Gives a balancer another private address, unless it got one since the plan looked. */
export async function executeAddPrivateAddress({ ports }: Context, job: JobOf<'addPrivateAddress'>): Promise<Result> {
  const { cluster, instanceId, slot, expect } = job;
  const { instances } = await ports.compute.describeCluster(cluster);
  const fact = instances.find((instance) => instance.instanceId === instanceId);
  if (fact?.state !== 'running') return { is: 'stale', reason: `${instanceId} is ${fact?.state ?? 'no more'}, expected running` };
  if (fact.slot !== slot) return { is: 'refused', reason: `${instanceId} fills ${fact.slot}, not ${slot}` };
  if ((fact.secondaryIps?.length ?? 0) > expect.secondaryCount) return { is: 'already' };
  await ports.compute.addPrivateAddress(instanceId);
  return { is: 'done' };
}

/** Whether a node has been seen alive, or could not be looked at, since a plan took it for dead: then it may be taking requests again. */
function mayServeAgain(row: ClusterRow | null, { instanceId, expect }: JobOf<'terminateNode'>): boolean {
  const health = row?.memory.health[instanceId];
  return expect.serves === false && health !== undefined && !isSeenDead(health);
}

/** Terminates a node within the fleet's budget, after one more look that it is the cluster's, holds no address, and is still seen dead where it goes undrained. */
export async function executeTerminate({ ports, settings }: Context, job: JobOf<'terminateNode'>): Promise<Result> {
  const { cluster, instanceId, slot } = job;
  const { instances, addresses } = await ports.compute.describeCluster(cluster);
  const fact = instances.find((instance) => instance.instanceId === instanceId);
  // EC2 lists a new instance late: one it does not list may still be about to run.
  if (!fact) return { is: 'waiting', reason: `EC2 does not list ${instanceId} (${slot}): it is gone for long, or not listed yet` };
  if (fact.state === 'terminated' || fact.state === 'shutting-down') return { is: 'already' };
  if (fact.slot !== slot) return { is: 'refused', reason: `${instanceId} fills ${fact.slot}, not ${slot}` };
  const held = addresses.find((address) => address.holder === instanceId);
  if (held && !job.expect.holdsAddress) return { is: 'stale', reason: `${instanceId} holds ${held.publicIp} by now` };
  const row = await ports.rows.get(cluster);
  const isDeletion = row?.phase === 'deleting';
  if (held && !isDeletion) return { is: 'refused', reason: `${instanceId} holds ${held.publicIp} and the cluster is not being deleted` };
  if (!isDeletion && mayServeAgain(row, job)) return { is: 'stale', reason: `${slot} (${instanceId}) is not seen dead any more` };
  // A confirmed deletion is a person's will; the budget guards against our own mistakes.
  const { terminationsPer10Min } = settings;
  if (!isDeletion && !(await ports.budget.take('terminations', terminationsPer10Min, TEN_MINUTES_MS, ports.clock.nowMs())))
    return { is: 'refused', reason: `the fleet's budget of ${terminationsPer10Min} terminations in ten minutes is used up` };
  await ports.compute.terminateNode(instanceId);
  return { is: 'done' };
}
