/** The beginning of a replica set that only one node, or none, saw: where it may have begun, and must be looked for. Plans nothing. */
import type { Node } from '../observation';
import { runningMaxMs } from '../settle';
import { helloOf } from './mongo-view';
import type { Situation } from './situation';

/**
 * The node that was told to initiate the set, while it is there and nobody knows whether it did: an answer may be lost, and the command
 * may still come. It may hold the first data. One that belongs to no set once the command can come no more has not begun.
 */
export function mayHaveBegunOn(s: Situation): Node | undefined {
  const { initiating } = s.memory;
  if (!initiating || s.mongo.initiated) return undefined;
  const node = s.observation.nodes.find(({ fact }) => fact.instanceId === initiating.instanceId);
  const isOver = s.nowMs - initiating.atMs > runningMaxMs({ kind: 'initiateReplicaSet' });
  return node && isOver && helloOf(node) ? undefined : node;
}

/**
 * Whether a node may hold the only copy of the set: the set has begun, and nobody who answers knows of it, as when the first member ended
 * before the others heard of it. A successor would not help: it may not start before a primary says who is a member.
 */
export function mayKnowTheSetAlone({ mongo }: Situation, { fact, health }: Node): boolean {
  return fact.role === 'mongo' && health.everHealthy && mongo.initiated && mongo.members.length === 0;
}

/** What keeps the node of an unknown beginning, and the way out. */
export const UNKNOWN_BEGINNING =
  'the replica set may have begun on it: bring it back, or terminate its instance if nobody needs its data, and a new one comes (docs/runbook.md#blocked-decisions)';

/** What keeps a node that may be the last to know the set, and the way out. */
export const LAST_COPY =
  'nobody who answers knows the replica set, and it may hold its data: bring it back, or terminate its instance if nobody needs them (docs/runbook.md#majority-lost)';
