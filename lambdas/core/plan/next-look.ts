/** When to look next, sooner than the next tick, while something is known to be under way. Keeps one chain of looks a cluster. */
import { isBooting } from '../health';
import type { Plan } from './plan';
import type { Situation } from './situation';

/** Pause between two looks while a job runs, whose end lets the next one begin, and while something else moves, seconds. */
const LOOK_AT_JOBS_EVERY_S = 1;
const LOOK_EVERY_S = 2;
/** A due time further ahead than this is another worker's clock gone wrong, ms. */
const LOOK_AHEAD_MAX_MS = 15_000;

/** Whether progress is to be expected within seconds: a command runs, a node boots, a member catches up, a majority elects. */
function isMoving(s: Situation, plan: Plan): boolean {
  const { nodes } = s.observation;
  const booting = nodes.some((node) => isBooting(node.health));
  const unsettled = nodes.some((node) => node.health.health === 'suspect');
  const joining = s.mongo.members.some((m) => !m.votes && m.living);
  const electing = s.mongo.majority && !s.mongo.primary;
  const settling = Object.values(s.memory.rollouts).some((rollout) => Object.keys(rollout.settling).length > 0);
  return (
    settling ||
    electing ||
    s.phase === 'deleting' ||
    s.inFlight.length > 0 ||
    plan.jobs.length > 0 ||
    s.drain !== undefined ||
    booting ||
    unsettled ||
    joining
  );
}

/**
 * `delayS`: send one more check that late; absent when none is needed or one is under way already.
 * `atMs`: when the next look is due, for the row.
 */
export function chooseNextLook(s: Situation, plan: Plan): { delayS?: number; atMs: number } {
  const dueMs = s.memory.lookAgainAtMs;
  if (!s.observation.cloudKnown || !isMoving(s, plan)) return { atMs: 0 };
  const aheadMs = dueMs - s.nowMs;
  if (aheadMs > 0 && aheadMs < LOOK_AHEAD_MAX_MS) return { atMs: dueMs };
  const delayS = s.inFlight.length > 0 || plan.jobs.length > 0 ? LOOK_AT_JOBS_EVERY_S : LOOK_EVERY_S;
  return { delayS, atMs: s.nowMs + delayS * 1000 };
}
