/** Judges a change of a spec against the cluster that is there: what can't be followed safely is refused with the way out. Changes nothing. */
import type { ClusterRow } from './memory';
import { slotNames } from './names';
import { majorityOf } from './plan/mongo-view';
import type { ClusterSpec } from './spec';

function renameProblem({ memory, spec }: ClusterRow, next: ClusterSpec): string | undefined {
  if (!(memory.replicaSetInitiated || memory.initiating) || next.mongo.replicaSet === spec.mongo.replicaSet) return undefined;
  return `mongo.replicaSet: expected "${spec.mongo.replicaSet}", the name the set was initiated with; got "${next.mongo.replicaSet}": MongoDB can't rename a set; set it back, or move the data to a new cluster of that name`;
}

/** The members that would stay are those of the lowest slots; without a majority of them alive the smaller set could not write. */
function shrinkProblem({ memory, spec, status }: ClusterRow, next: ClusterSpec): string | undefined {
  const { count } = next.mongo;
  if (!memory.replicaSetInitiated || !status || count >= spec.mongo.count) return undefined;
  const staying = new Set(slotNames('mongo', count));
  const living = new Set(status.slots.filter(({ slot, health }) => staying.has(slot) && health === 'healthy').map(({ slot }) => slot));
  if (living.size >= majorityOf(count)) return undefined;
  const missing = [...staying].filter((slot) => !living.has(slot)).join(', ');
  return `mongo.count: expected ${spec.mongo.count} for now; got ${count}: of the members that would stay only ${living.size} of ${count} are healthy, ${majorityOf(count)} needed (not healthy: ${missing}); wait until they are replaced, see fiware-ha status ${spec.name}, then shrink`;
}

/** Why the cluster can't follow a valid new spec; empty where it can. */
export function problemsOfChange(row: ClusterRow, next: ClusterSpec): string[] {
  return [renameProblem(row, next), shrinkProblem(row, next)].filter((problem) => problem !== undefined);
}
