/** Why a new member's node must not start yet, because an older member may have had its address. Starts nothing, replaces nothing. */
import type { Node } from '../observation';
import { helloOf } from './mongo-view';
import type { Situation } from './situation';

/** It ran before, and does not say that it belongs to no set: it may hold data and a vote. */
export function mayBeMember(node: Node): boolean {
  const hello = helloOf(node);
  return node.fact.role === 'mongo' && node.health.everHealthy && (hello === undefined || hello.setName !== undefined);
}

/**
 * An empty node at the address of a voter would vote for a set whose data it does not have. Only a primary whose configuration is on a
 * majority tells who is a member and stays none; where no member is left that could come back, nobody's vote is at stake.
 */
export function startBarrier(s: Situation, node: Node): string | undefined {
  if (node.fact.role !== 'mongo' || node.configVersion !== undefined) return undefined;
  if (s.mongo.members.some((m) => m.taken && m.node === node))
    return 'starts once the set has let go of its address, which a member had before';
  if (!s.mongo.initiated || (s.mongo.primary && s.mongo.committed) || !s.observation.nodes.some(mayBeMember)) return undefined;
  return 'starts once a primary, its configuration on a majority, tells that no member has its address';
}
