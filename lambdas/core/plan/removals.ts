/** Plans which superfluous node goes next: successors' predecessors, duplicates, slots the spec gave up. Never one in service. */
import type { Node } from '../observation';
import { hostOf, type Slot } from '../slots';
import { common, emptyStep, mayTry, type Situation, type Step } from './situation';
import { isInStep } from './wanted-config';

/** Why a node must stay for now; undefined when it may go. */
function mustStay(s: Situation, node: Node): string | undefined {
  const { role, slot, instanceId } = node.fact;
  if (s.observation.addresses.some((address) => address.holder === instanceId)) return `${slot} (${instanceId}) still holds an address`;
  if (role === 'mongo') {
    const host = hostOf(node);
    const member = s.mongo.members.some((m) => m.host === host);
    if (member) return `${slot} (${host}) is still a member of the replica set`;
    if (s.mongo.initiated && !s.mongo.primary) return `${slot} (${host}) may be a member: the replica set has no primary to ask`;
    if (s.mongo.initiated && !s.mongo.committed)
      return `${slot} (${host}) may be a member again: the newest configuration is not on a majority yet`;
  }
  if (role === 'orion' && node.health.health !== 'dead') {
    const behind = s.slots.wanted.lb.find(({ current }) => current && current.health.health !== 'dead' && !isInStep(s.configs, current));
    if (behind) return `${slot} (${instanceId}) is drained first: ${behind.slot} still has it in its configuration`;
  }
  return undefined;
}

/** A predecessor stays while it is not surely dead and its successor is not yet well: it may come back before. */
function waitsForSuccessor(slot: Slot, extra: Node): boolean {
  if (extra.health.health === 'dead') return false;
  return slot.current?.health.health !== 'healthy';
}

interface Goer {
  node: Node;
  reason: string;
}

function goers(s: Situation): Goer[] {
  const all: Goer[] = [];
  for (const role of ['orion', 'lb', 'mongo'] as const) {
    for (const slot of s.slots.wanted[role])
      for (const node of slot.extras)
        if (!waitsForSuccessor(slot, node)) {
          const successor = slot.current ? `${slot.slot} is filled by ${slot.current.fact.instanceId}` : `${slot.slot} is empty`;
          all.push({
            node,
            reason: `${node.fact.instanceId} (${slot.slot}, incarnation ${node.fact.incarnation}) is superfluous: ${successor}`,
          });
        }
    for (const node of s.slots.unwanted[role])
      all.push({
        node,
        reason: `${node.fact.slot} (${node.fact.instanceId}) is beyond the ${s.spec[role].count} ${role} nodes of the spec`,
      });
  }
  return all.sort((a, b) => Number(b.node.health.health === 'dead') - Number(a.node.health.health === 'dead'));
}

/** The next node to terminate, one at a time; what keeps the others is noted. */
export function planRemovals(s: Situation): Step {
  const step = emptyStep();
  for (const { node, reason } of goers(s)) {
    const { role, slot, instanceId } = node.fact;
    const stay = mustStay(s, node);
    if (stay) {
      step.notes.push(stay);
      continue;
    }
    if (node.health.health !== 'healthy' && node.health.sickness !== 'gone' && s.breaker.open) {
      step.blocked.push(`${reason}; not terminated: ${s.breaker.reason}`);
      continue;
    }
    const base = `terminate/${instanceId}`;
    if (!mayTry(s, base)) continue;
    step.jobs.push({ kind: 'terminateNode', ...common(s, base, reason), role, slot, instanceId, expect: { holdsAddress: false } });
    break;
  }
  return step;
}
