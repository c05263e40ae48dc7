/** Plans launches: empty slots are filled, dead nodes get a successor. Never takes anything down. */
import { serviceEntry } from '../catalogue/catalogue';
import { isSeenDead } from '../health';
import type { JobOf } from '../jobs';
import { isService, type Role, SERVICE_ROLES, type ServiceRole } from '../names';
import type { Node } from '../observation';
import { hostOf, type Slot } from '../slots';
import { instanceTypeOf } from '../spec';
import { loadBarrier, trialBarrier } from './all-sick';
import { LAST_COPY, mayHaveBegunOn, mayKnowTheSetAlone, UNKNOWN_BEGINNING } from './beginning';
import { awaitsRollback } from './rollout-barrier';
import { common, emptyStep, mayTry, type Situation, type Step } from './situation';
import { startBarrier } from './start-barrier';
import { wantedConfigOf } from './wanted-config';

const ORDER: readonly Role[] = ['mongo', ...SERVICE_ROLES, 'lb'];

/** Living nodes of a role by zone, launches under way included. */
function zoneLoad(s: Situation, role: Role): Map<string, number> {
  const load = new Map(s.observation.zones.map((zone) => [zone, 0]));
  const add = (zone: string) => load.set(zone, (load.get(zone) ?? 0) + 1);
  for (const node of s.observation.nodes) if (node.fact.role === role && node.health.health !== 'dead') add(node.fact.zone);
  for (const job of s.inFlight) if (job.kind === 'launchNode' && job.role === role) add(job.zone);
  return load;
}

/** The emptiest zone that is not known to be full; with all of them full, the emptiest of all. */
function chooseZone(s: Situation, load: ReadonlyMap<string, number>): string | undefined {
  const isFull = (zone: string) => (s.memory.zoneFullUntilMs[zone] ?? 0) > s.nowMs;
  const open = s.observation.zones.filter((zone) => !isFull(zone));
  const choice = open.length > 0 ? open : s.observation.zones;
  return [...choice].sort((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0))[0];
}

function isGone(node: Node): boolean {
  return node.health.sickness === 'gone';
}

/** What all of a role suffer from alike, and a successor would as well. */
function sharedBarrier(s: Situation, role: ServiceRole, node: Node): string | undefined {
  return loadBarrier(s.slots, role, node) ?? trialBarrier(s.slots, role, node, wantedConfigOf(s.configs, node)?.version);
}

/** Whether a slot's replacement is not over yet, so that others of its role wait for theirs. */
function isBeingReplaced({ role, current, extras }: Slot): boolean {
  // The end of a dead balancer may wait for the fleet's budget, and an address for the next one: a successor that is well is enough.
  const isFollowed = role === 'lb' && current?.health.health === 'healthy';
  // A predecessor that came back is well: waiting for its removal, which may need this slot's vote, could last for ever.
  return extras.some((extra) => !isGone(extra) && extra.health.health !== 'healthy' && !(isFollowed && isSeenDead(extra.health)));
}

/** Why a dead node can't have its successor yet; undefined when it can. */
function replacementBarrier(s: Situation, slot: Slot, node: Node): string | undefined {
  if (isGone(node)) return undefined;
  if (mayHaveBegunOn(s) === node) return UNKNOWN_BEGINNING;
  if (mayKnowTheSetAlone(s, node)) return LAST_COPY;
  if (s.breaker.open) return s.breaker.reason;
  const shared = isService(slot.role) ? sharedBarrier(s, slot.role, node) : undefined;
  if (shared) return shared;
  const until = s.memory.cooldownUntilMs[slot.slot] ?? 0;
  if (until > s.nowMs) return `${slot.slot} was replaced a short while ago: it rests another ${Math.ceil((until - s.nowMs) / 1000)} s`;
  const other = s.slots.wanted[slot.role].find((o) => o !== slot && isBeingReplaced(o));
  if (other) return `${other.slot} is being replaced: one ${slot.role} at a time`;
  return undefined;
}

/** A database that is out of reach stops those who need it from starting; replacing them would not help (facts: Orion's 1026 stays closed). */
export function isDatabaseFault(s: Situation, role: Role): boolean {
  return isService(role) && serviceEntry(role).needs.replicaSet && !s.mongo.primary;
}

/**
 * Whether a restart comes before a replacement: the instance runs, its process does not, and it was not restarted enough yet. One that
 * may hold the only copy of the replica set is restarted once whatever the policy says: nothing else can bring the set back.
 */
export function restartComesFirst(s: Situation, node: Node): boolean {
  if (node.health.sickness !== 'process' || node.fact.state !== 'running') return false;
  const restarts = Math.max(s.spec.policy.restartsBeforeReplace, mayKnowTheSetAlone(s, node) ? 1 : 0);
  return (s.memory.attempts[`restart/${node.fact.instanceId}`]?.count ?? 0) < restarts;
}

/** A member that never finishes its sync, or fell out of step for good: what is wrong with it; undefined for one that keeps up. */
function neverCatchesUp(s: Situation, { slot, current }: Slot): string | undefined {
  const host = current && hostOf(current);
  const sinceMs = host ? s.memory.behindSinceMs[host] : undefined;
  const { mongoSyncMaxS } = s.spec.policy;
  if (!current || sinceMs === undefined || s.nowMs - sinceMs <= mongoSyncMaxS * 1000) return undefined;
  return `${slot} (${current.fact.instanceId}) answers, but did not catch up with the replica set within ${mongoSyncMaxS} s`;
}

function whyLaunch(s: Situation, slot: Slot, step: Step): string | undefined {
  const node = slot.current;
  if (!node) return (s.memory.incarnations[slot.slot] ?? 0) > 0 ? `${slot.slot} has no node any more` : `${slot.slot} is wanted and empty`;
  const stuck = neverCatchesUp(s, slot);
  const waits = restartComesFirst(s, node) || awaitsRollback(s, node);
  if (!stuck && (!isSeenDead(node.health) || waits)) return undefined;
  // It never ran because it waits, not because it is broken: a successor would wait as well.
  if (!isGone(node) && startBarrier(s, node)) return undefined;
  const dead = stuck ?? `${slot.slot} (${node.fact.instanceId}) is dead: ${node.health.detail ?? node.health.sickness}`;
  if (isDatabaseFault(s, slot.role) && !isGone(node)) {
    step.blocked.push(
      `${dead}; the replica set has no primary, so the ${slot.role === 'orion' ? 'broker' : slot.role} is not replaced for it`,
    );
    return undefined;
  }
  const barrier = replacementBarrier(s, slot, node);
  if (barrier) {
    step.blocked.push(`${dead}; not replaced: ${barrier}`);
    return undefined;
  }
  return `${dead}; a successor is launched`;
}

/** A launch of the slot's next incarnation; undefined while none may be tried, or no zone is left. */
function launchOf(
  s: Situation,
  { role, slot, current }: Slot,
  reason: string,
  load: ReadonlyMap<string, number>,
): JobOf<'launchNode'> | undefined {
  const zone = chooseZone(s, load);
  const base = `launch/${slot}`;
  const instanceType = instanceTypeOf(s.spec, role);
  if (!zone || !instanceType || !mayTry(s, base)) return undefined;
  const incarnation = Math.max(s.memory.incarnations[slot] ?? 0, current?.fact.incarnation ?? 0) + 1;
  const volume = role === 'mongo' ? { volumeGib: s.spec.mongo.volumeGib } : {};
  return {
    kind: 'launchNode',
    ...common(s, base, reason),
    role,
    slot,
    incarnation,
    zone,
    instanceType,
    ...volume,
  };
}

function planRole(s: Situation, role: Role, step: Step): void {
  let load: Map<string, number> | undefined;
  for (const slot of s.slots.wanted[role]) {
    if (slot.current && slot.current.health.health !== 'dead' && !neverCatchesUp(s, slot)) continue;
    if (s.inFlight.some((job) => job.kind === 'launchNode' && job.slot === slot.slot)) continue;
    const reason = whyLaunch(s, slot, step);
    if (!reason) continue;
    load ??= zoneLoad(s, role);
    const job = launchOf(s, slot, reason, load);
    if (!job) continue;
    load.set(job.zone, (load.get(job.zone) ?? 0) + 1);
    step.jobs.push(job);
    // One doubtful node of a role at a time: what a probe calls dead may be a mistake, what EC2 calls gone is none.
    if (slot.current && !isGone(slot.current)) return;
  }
}

/** Fills empty slots and launches successors of dead nodes, each in the emptiest zone. */
export function planLaunches(s: Situation): Step {
  const step = emptyStep();
  for (const role of ORDER) planRole(s, role, step);
  return step;
}
