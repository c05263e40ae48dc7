/** Plans restarts: of dead processes on running instances, before anything is replaced; of those that lost their database for good. Never of a slow or suspect one. */
import { serviceEntry } from '../catalogue/catalogue';
import { isSeenDead } from '../health';
import { isService, type Role, SERVICE_ROLES, type ServiceRole } from '../names';
import type { Node } from '../observation';
import { isWell, loadBarrier } from './all-sick';
import { isDatabaseFault, restartComesFirst } from './launches';
import { awaitsRollback } from './rollout-barrier';
import { common, emptyStep, mayTry, type Situation, type Step } from './situation';

const ORDER: readonly Role[] = ['lb', 'mongo', ...SERVICE_ROLES];

/** Why a dead process must not be restarted now. */
function barrier(s: Situation, node: Node): string | undefined {
  const { role } = node.fact;
  if (s.breaker.open) return s.breaker.reason;
  if (!isService(role)) return undefined;
  if (isDatabaseFault(s, role)) return `the replica set has no primary: ${role} could not start`;
  return loadBarrier(s.slots, role, node);
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

/** A driver finds a new primary within seconds; one that takes longer is worth a word, ms. */
const CUT_OFF_MS = 120_000;
/** Doublings of the rest between two restarts that did not help, at most. */
const DOUBLINGS_MAX = 5;

/** Whether a node that lost its database has waited long enough for a restart: twice as long after each that did not help. */
function isTimeToReconnect(s: Situation, { fact, health }: Node, afterS: number): boolean {
  const { lacksDatabaseSinceMs } = health;
  if (health.health !== 'healthy' || health.sickness !== 'database' || lacksDatabaseSinceMs === undefined) return false;
  const { count = 0, lastAtMs = lacksDatabaseSinceMs } = s.memory.attempts[`reconnect/${fact.instanceId}`] ?? {};
  return s.nowMs - Math.max(lastAtMs, lacksDatabaseSinceMs) >= afterS * 1000 * 2 ** Math.min(count, DOUBLINGS_MAX);
}

/** A node that alone of its role lacks the database is left to its driver, and said to be so once that takes long. */
function noteCutOff(s: Situation, role: ServiceRole, step: Step): void {
  const nodes = s.slots.wanted[role].flatMap(({ current }) => current ?? []);
  const isCutOff = ({ health }: Node) => health.lacksDatabaseSinceMs !== undefined && s.nowMs - health.lacksDatabaseSinceMs > CUT_OFF_MS;
  if (!nodes.some(isWell)) return;
  for (const node of nodes.filter(isCutOff)) {
    const { slot, instanceId } = node.fact;
    step.notes.push(`${slot} (${instanceId}) answers without its database, ${node.health.detail}, while others of its role have it`);
  }
}

/** A service whose driver gives up for good is restarted once the database is well and it still says that it has none. */
function planReconnect(s: Situation, role: ServiceRole, step: Step): void {
  const { on, afterS } = serviceEntry(role).restart;
  if (on !== 'truth') {
    noteCutOff(s, role, step);
    return;
  }
  if (!s.mongo.primary || !s.mongo.committed || s.breaker.open) return;
  const node = s.slots.wanted[role].find(({ current }) => current && isTimeToReconnect(s, current, afterS))?.current;
  if (!node || s.busy.has(`config/${node.fact.instanceId}`)) return;
  const { slot, instanceId } = node.fact;
  const base = `reconnect/${instanceId}`;
  if (!mayTry(s, base)) return;
  const why = `${slot} (${instanceId}) answers without its database, ${node.health.detail}, though the replica set has a primary: its driver may have given up, its process is restarted`;
  step.jobs.push({ kind: 'restartRole', ...common(s, base, why), role, slot, instanceId, evenIfItAnswers: true });
}

/** Restarts processes, one at a time a role: a mistaken look then costs a moment of one of several. */
export function planRepairs(s: Situation): Step {
  const step = emptyStep();
  for (const role of ORDER) {
    if (s.inFlight.some((job) => job.kind === 'restartRole' && job.role === role)) continue;
    const slot = s.slots.wanted[role].find(
      ({ current }) => current && isSeenDead(current.health) && restartComesFirst(s, current) && !awaitsRollback(s, current),
    );
    if (slot?.current) planRestart(s, slot.current, step);
    else if (isService(role)) planReconnect(s, role, step);
  }
  return step;
}
