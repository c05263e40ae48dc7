/** What may happen to a set by itself between any two of our steps: failures, returns, copies, elections, commits. Nothing here is our doing. */
import { type Entity, get, HEALTH, isVoter, MEMBER, put, runs, serves } from './entity';
import {
  clone,
  type Entities,
  EXPECTS,
  entitiesOf,
  entityIn,
  hasPrimary,
  isMajority,
  mapEntities,
  PENDING,
  pack,
  type State,
  tidy,
  voices,
  wasVoter,
} from './state';

export interface Transition {
  label: string;
  next: State;
}

/** Changes one entity and tidies up. */
function withEntity(state: State, index: number, change: (entity: Entity) => Entity): State {
  return tidy(mapEntities(clone(state), (entity, i) => (i === index ? change(entity) : entity)));
}

/** The instance is gone: its node leaves the slot, its host stays a member until it is removed. */
export function vanish(state: State, index: number): State {
  const next = clone(state);
  let first = 0;
  for (const slots of [next.wanted, next.surplus])
    for (const [i, slot] of slots.entries()) {
      const at = index - first;
      first += slot.length;
      if (at < 0 || at >= slot.length) continue;
      slots[i] = slot.slice(0, at) + slot.slice(at + 1);
      next.ghosts += pack(put(entityIn(slot, at), 'health', HEALTH.ghost));
    }
  return tidy(next);
}

/** What may fail beside members that die, come back, fall behind, lead no more or are gone. */
export interface Failures {
  /** Nodes that run and are not seen by us, at a time. */
  hiddenMax: number;
  /** A member that was away when it was removed, or was added in vain, comes back and claims to be one, with the newest version of all. */
  staleClaims: boolean;
  /** A new node takes its time to boot, or never does. */
  slowBoots: boolean;
  /** A new node may get the address of a member that is gone. */
  addressReuse: boolean;
  /** Commands given up may still run later, in spite of their deadline. */
  lateCommands: boolean;
}

const crash = (entity: Entity) => put(put(put(entity, 'health', HEALTH.down), 'primary', 0), 'synced', 0);
const inHealth = (health: number) => (entity: Entity) => put(entity, 'health', health);
const serving = (entity: Entity) => put(put(entity, 'health', HEALTH.up), 'synced', 1);

/** What may befall one node. A member comes back with what it had, which is enough to serve, or is too little. */
function fateOf(state: State, entity: Entity, i: number, failures: Failures): Transition[] {
  const to = (label: string, change: (entity: Entity) => Entity): Transition => ({ label, next: withEntity(state, i, change) });
  const gone = (): Transition => ({ label: 'a node is gone', next: vanish(state, i) });
  const isMember = get(entity, 'member') !== MEMBER.none;
  const found: Transition[] = [];
  switch (get(entity, 'health')) {
    case HEALTH.up:
    case HEALTH.unseen: {
      found.push(to('a process dies', crash), gone());
      if (get(entity, 'primary')) found.push(to('the primary leads no more', (one) => put(one, 'primary', 0)));
      else if (isMember && get(entity, 'synced')) found.push(to('a member falls behind', (one) => put(one, 'synced', 0)));
      if (get(entity, 'health') === HEALTH.unseen) found.push(to('a node is seen again', inHealth(HEALTH.up)));
      else if (failures.hiddenMax > 0 && isMember) found.push(to('a node is out of our sight', inHealth(HEALTH.unseen)));
      return found;
    }
    case HEALTH.down:
      if (isMember) found.push(to('a member comes back', serving), to('a member comes back and is behind', inHealth(HEALTH.up)));
      else found.push(to('a process comes back', inHealth(HEALTH.up)));
      return [...found, gone()];
    case HEALTH.boot:
      return [to('a node has booted', inHealth(HEALTH.up)), to('a node does not boot', inHealth(HEALTH.down)), gone()];
    case HEALTH.taken:
      return [gone()];
    default:
      return [];
  }
}

/** A member that runs gets the data, or hears that the set went on without it; both need a primary. */
export function settle(state: State, index: number): State | undefined {
  const entity = entitiesOf(state)[index] ?? 0;
  if (!runs(entity) || !hasPrimary(state)) return undefined;
  if (get(entity, 'stale')) return withEntity(state, index, (one) => put(one, 'stale', 0));
  if (get(entity, 'member') === MEMBER.none || get(entity, 'synced')) return undefined;
  return withEntity(state, index, (one) => put(one, 'synced', 1));
}

/** A majority runs the newest configuration. */
export function commit(state: State): State | undefined {
  if (state.pending === PENDING.none || !hasPrimary(state) || !isMajority(voices(state))) return undefined;
  const next = mapEntities(clone(state), (entity) => (get(entity, 'member') === MEMBER.none ? put(entity, 'synced', 0) : entity));
  next.pending = PENDING.none;
  if (next.expects === EXPECTS.base) next.expects = EXPECTS.other;
  if (next.zombieExpects === EXPECTS.base) next.zombieExpects = EXPECTS.other;
  return tidy(next);
}

/** The open change never was: what was added hears of it later, what was removed is a member again. */
function rollBack(state: State, { staleClaims }: Failures): State {
  const { pending } = state;
  const next = mapEntities(clone(state), (entity) => {
    if (!get(entity, 'pending')) return entity;
    if (pending === PENDING.added) return put(put(entity, 'member', MEMBER.none), 'stale', Number(staleClaims));
    const member = pending === PENDING.removedVoter ? MEMBER.voter : MEMBER.silent;
    return put(put(entity, 'member', member), 'stale', 0);
  });
  next.pending = PENDING.none;
  next.expects = next.expects === EXPECTS.base ? EXPECTS.now : EXPECTS.other;
  next.zombieExpects = next.zombieExpects === EXPECTS.base ? EXPECTS.now : EXPECTS.other;
  return tidy(next);
}

/** All elections that may end now: of any member that holds the data, with the open change kept or rolled back. */
export function elections(state: State, failures: Failures): Transition[] {
  if (hasPrimary(state)) return [];
  const found: Transition[] = [];
  const elect = (label: string, over: State) => {
    const all = entitiesOf(over);
    for (const i of kindsOf(over))
      if (serves(all[i] as Entity) && isVoter(all[i] as Entity))
        found.push({ label, next: withEntity(over, i, (one) => put(one, 'primary', 1)) });
  };
  if (isMajority(voices(state))) elect('a member is elected', state);
  if (state.pending !== PENDING.none && isMajority(voices(state, 'base')) && entitiesOf(state).some((e) => serves(e) && wasVoter(state, e)))
    elect('a member is elected and the open change rolled back', rollBack(state, failures));
  return found;
}

/** One index of each kind of entity that fares alike: slots and hosts with the same content stand side by side in a canonical state. */
function kindsOf({ wanted, surplus, ghosts }: State): number[] {
  const found: number[] = [];
  let index = 0;
  for (const slots of [wanted, surplus, ghosts])
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] as Entities;
      if (slot !== slots[i - 1]) for (let older = 0; older < slot.length; older++) found.push(index + older);
      index += slot.length;
    }
  return found;
}

/** Everything that may happen next without us. */
export function environment(state: State, failures: Failures): Transition[] {
  const all = entitiesOf(state);
  const found = elections(state, failures);
  const committed = commit(state);
  if (committed) found.push({ label: 'the configuration is committed', next: committed });
  for (const i of kindsOf(state)) {
    for (const fate of fateOf(state, all[i] as Entity, i, failures)) found.push(fate);
    const next = settle(state, i);
    if (next) found.push({ label: 'a member catches up', next });
  }
  return found;
}
