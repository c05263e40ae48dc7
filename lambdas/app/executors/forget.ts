/** Executes the last job of a deleted cluster: placement groups, spec, row, in this order, so that a crash in between is continued. */
import type { JobOf } from '../../core/jobs';
import type { Context } from '../ports';
import type { Result } from '../result';

/** Removes what is left once no instance and no address is there; refuses while one is. */
export async function executeForget({ ports }: Context, job: JobOf<'forgetCluster'>): Promise<Result> {
  const { cluster } = job;
  const row = await ports.rows.get(cluster);
  if (row && row.phase !== 'deleting') return { is: 'refused', reason: 'the cluster is not being deleted' };
  const { instances, addresses } = await ports.compute.describeCluster(cluster);
  const left = instances.filter((fact) => fact.state !== 'terminated');
  if (left.length + addresses.length > 0)
    return { is: 'stale', reason: `${left.length} nodes and ${addresses.length} addresses are still there` };
  await ports.compute.deletePlacementGroups(cluster);
  // Without the row nothing else tells that this request was carried out: a redelivery that is still on its way would create it anew.
  const createdBy = row?.memory.createdBy;
  if (createdBy !== undefined) await ports.claims.record(createdBy, { is: 'done', atMs: ports.clock.nowMs() });
  await ports.specs.delete(cluster);
  await ports.journal.append(cluster, [
    { atMs: ports.clock.nowMs(), topic: 'deleteCluster', event: 'done', text: 'nothing of the cluster is left', jobKey: job.jobKey },
  ]);
  await ports.rows.delete(cluster);
  return { is: 'done' };
}
