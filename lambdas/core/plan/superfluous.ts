/** Superfluous nodes: successors' predecessors, duplicates, slots the spec gave up. Says which and why; takes nothing down. */
import { isSeenDead } from '../health';
import { type Role, SERVICE_ROLES } from '../names';
import type { Node } from '../observation';
import type { Slot, Slots } from '../slots';
import { type ClusterSpec, countOf } from '../spec';

const ORDER: readonly Role[] = [...SERVICE_ROLES, 'lb', 'mongo'];

export interface Superfluous {
  node: Node;
  reason: string;
}

/** A predecessor stays while it is not seen dead and its successor is not yet well: it may come back before, or be back already. */
function waitsForSuccessor(slot: Slot, extra: Node): boolean {
  if (isSeenDead(extra.health)) return false;
  return slot.current?.health.health !== 'healthy';
}

/** All that may go, the dead ones first. */
export function superfluousNodes(spec: ClusterSpec, slots: Slots): Superfluous[] {
  const all: Superfluous[] = [];
  for (const role of ORDER) {
    for (const slot of slots.wanted[role])
      for (const node of slot.extras)
        if (!waitsForSuccessor(slot, node)) {
          const successor = slot.current ? `${slot.slot} is filled by ${slot.current.fact.instanceId}` : `${slot.slot} is empty`;
          all.push({
            node,
            reason: `${node.fact.instanceId} (${slot.slot}, incarnation ${node.fact.incarnation}) is superfluous: ${successor}`,
          });
        }
    for (const node of slots.unwanted[role])
      all.push({
        node,
        reason: `${node.fact.slot} (${node.fact.instanceId}) is beyond the ${countOf(spec, role)} ${role} nodes of the spec`,
      });
  }
  return all.sort((a, b) => Number(isSeenDead(b.node.health)) - Number(isSeenDead(a.node.health)));
}
