/** Rollout barriers: which node waits for which other before it is given other settings. Judges what the rollouts remember. */
import type { Memory, Rollout } from '../memory';
import type { Role } from '../names';
import type { Node } from '../observation';
import { hashOf, settingsOf } from '../rollout-settings';
import type { Slots } from '../slots';
import type { ClusterSpec } from '../spec';
import { isInStep, type WantedConfigs, wantedConfigOf } from './wanted-config';

/** What of a situation a barrier is judged from; the configurations need not name the balancers' yet. */
export interface RolloutView {
  spec: ClusterSpec;
  slots: Slots;
  memory: Memory;
  configs: WantedConfigs;
  /** Bases of the jobs in flight. */
  busy: ReadonlySet<string>;
}

/** Nodes that fill a slot of a role. */
export function nodesOf(s: RolloutView, role: Role): Node[] {
  return s.slots.wanted[role].flatMap(({ current }) => current ?? []);
}

/** A service node that alone does not reach the database is not well, though it answers. */
export function isWell({ health }: Node): boolean {
  return health.health === 'healthy' && health.sickness !== 'database';
}

/** Whether a node is being configured. */
export function isUnderWay(s: RolloutView, { fact }: Node): boolean {
  return s.busy.has(`config/${fact.instanceId}`);
}

/** The last good settings a bad rollout goes back to; undefined where none are known, or where the templates alone are new. */
export function goesBackTo(s: RolloutView, role: Role, { state, good }: Rollout): Rollout['good'] {
  return state === 'bad' && good && good.hash !== hashOf(settingsOf(s.spec, role)) ? good : undefined;
}

/** Whether a rollout is settled, one way or the other: nodes then only follow each other. */
function isCalm({ state, rolledBack }: Rollout): boolean {
  return state === 'good' || rolledBack === true;
}

/** Whether a node suffers from a rollout that goes back, and has not gone back yet: that comes before a restart or a successor. */
export function awaitsRollback(s: RolloutView, node: Node): boolean {
  const { role, instanceId, state } = node.fact;
  const r = s.memory.rollouts[role];
  if (r?.failure?.instanceId !== instanceId || !goesBackTo(s, role, r) || state !== 'running') return false;
  const tries = s.memory.attempts[`config/${instanceId}`]?.failures ?? 0;
  return tries < 2 && !isInStep(s.configs, node);
}

/** Why a node that runs may not be given another configuration yet; undefined where its rollout does not speak against it. */
export function rolloutBarrier(s: RolloutView, node: Node): string | undefined {
  const { role, slot, instanceId } = node.fact;
  const r = s.memory.rollouts[role];
  if (!r || awaitsRollback(s, node)) return undefined;
  if (r.state === 'bad' && !goesBackTo(s, role, r)) return `${slot} is left as it is: the rollout it waits for has stopped`;
  const others = nodesOf(s, role).filter((other) => other !== node && other.configVersion !== undefined);
  const calm = isCalm(r);
  // Two that settle, and are both unwell: while the other is to be given something else, what it was given proves nothing.
  const waitsForThis = (other: Node) =>
    r.settling[instanceId] !== undefined && !isWell(node) && !isWell(other) && !isInStep(s.configs, other);
  const holdsUp = (other: Node) => {
    if (other.health.health === 'dead') return !calm;
    if (r.settling[other.fact.instanceId] !== undefined) return !waitsForThis(other);
    // Two that lost their database for want of a configuration would else wait for each other: one that is unwell has nothing to lose.
    return !calm && !isWell(other) && isWell(node);
  };
  const first = others.find(holdsUp);
  if (first) return `${slot} waits for ${first.fact.slot}: one ${role} after the other, each well again before the next`;
  return r.settling[instanceId] && isUnderWay(s, node) ? `${slot} is being configured` : undefined;
}

/** Whether a node that runs should be given another configuration, and its rollout lets it. */
export function isDue(s: RolloutView, node: Node): boolean {
  return wantedConfigOf(s.configs, node) !== undefined && !isInStep(s.configs, node) && rolloutBarrier(s, node) === undefined;
}
