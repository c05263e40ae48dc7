/** Plans which superfluous node goes next: successors' predecessors, duplicates, slots the spec gave up. Never one in service. */
import { isService } from '../names';
import type { Node } from '../observation';
import { hostOf } from '../slots';
import { mayHaveBegunOn, UNKNOWN_BEGINNING } from './beginning';
import { howDrained, isTakenForDead, mayBeServing, whyNotStopped } from './drain';
import { common, emptyStep, mayTry, type Situation, type Step } from './situation';
import { superfluousNodes } from './superfluous';

/** Why a node must stay for now; undefined when it may go. */
function mustStay(s: Situation, node: Node): string | undefined {
  const { role, slot, instanceId } = node.fact;
  if (s.observation.addresses.some((address) => address.holder === instanceId)) return `${slot} (${instanceId}) still holds an address`;
  if (role === 'mongo') {
    if (mayHaveBegunOn(s) === node) return `${slot} (${instanceId}): ${UNKNOWN_BEGINNING}`;
    const host = hostOf(node);
    const member = s.mongo.members.some((m) => m.host === host);
    if (member) return `${slot} (${host}) is still a member of the replica set`;
    if (s.mongo.initiated && !s.mongo.primary) return `${slot} (${host}) may be a member: the replica set has no primary to ask`;
    if (s.mongo.initiated && !s.mongo.committed)
      return `${slot} (${host}) may be a member again: the newest configuration is not on a majority yet`;
  }
  if (s.busy.has(`config/${instanceId}`)) return `${slot} (${instanceId}) is taking a configuration, and may serve in a moment`;
  if (isService(role) && mayBeServing(node)) return whyNotStopped(s, node);
  return undefined;
}

/** The next node to terminate, one at a time; what keeps the others is noted. */
export function planRemovals(s: Situation): Step {
  const step = emptyStep();
  for (const { node, reason: why } of superfluousNodes(s.spec, s.slots)) {
    const { role, slot, instanceId } = node.fact;
    const stay = mustStay(s, node);
    if (stay) {
      step.notes.push(stay);
      continue;
    }
    const reason = isService(role) && mayBeServing(node) ? `${why}; ${howDrained(s)}` : why;
    if (node.health.health !== 'healthy' && node.health.sickness !== 'gone' && s.breaker.open) {
      step.blocked.push(`${reason}; not terminated: ${s.breaker.reason}`);
      continue;
    }
    const base = `terminate/${instanceId}`;
    if (!mayTry(s, base)) continue;
    const undrained = isService(role) && isTakenForDead(node) ? { serves: false as const } : {};
    const expect = { holdsAddress: false, ...undrained };
    step.jobs.push({ kind: 'terminateNode', ...common(s, base, reason), role, slot, instanceId, expect });
    break;
  }
  return step;
}
