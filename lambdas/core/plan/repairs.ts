/** Plans restarts of dead processes on running instances, before anything is replaced. Never restarts a slow or suspect one. */
import { isSeenDead } from '../health';
import type { Node } from '../observation';
import { loadBarrier } from './all-sick';
import { restartComesFirst } from './launches';
import { awaitsRollback } from './rollout-barrier';
import { common, emptyStep, mayTry, type Situation, type Step } from './situation';

/** Why a dead process must not be restarted now. */
function barrier(s: Situation, node: Node): string | undefined {
  const { role } = node.fact;
  if (s.breaker.open) return s.breaker.reason;
  if (role === 'orion' && s.mongo.initiated && !s.mongo.primary) return 'the replica set has no primary: a broker could not start';
  return role === 'orion' ? loadBarrier(s.slots, node) : undefined;
}

function planRestart(s: Situation, node: Node, step: Step): void {
  const { role, slot, instanceId } = node.fact;
  const dead = `${slot} (${instanceId}) is dead: ${node.health.detail ?? 'its process does not answer'}`;
  const why = barrier(s, node);
  if (why) step.blocked.push(`${dead}; not restarted: ${why}`);
  else if (mayTry(s, `restart/${instanceId}`))
    step.jobs.push({
      kind: 'restartRole',
      ...common(s, `restart/${instanceId}`, `${dead}; its process is restarted first`),
      role,
      slot,
      instanceId,
    });
}

/** Restarts dead processes, one at a time a role: a mistaken look then costs a moment of one of several. */
export function planRepairs(s: Situation): Step {
  const step = emptyStep();
  for (const role of ['lb', 'mongo', 'orion'] as const) {
    if (s.inFlight.some((job) => job.kind === 'restartRole' && job.role === role)) continue;
    const slot = s.slots.wanted[role].find(
      ({ current }) => current && isSeenDead(current.health) && restartComesFirst(s, current) && !awaitsRollback(s, current),
    );
    if (slot?.current) planRestart(s, slot.current, step);
  }
  return step;
}
