/** What may happen to a set by itself between any two of our steps: failures, returns, copies, elections, commits. Nothing here is our doing. */
import { type Entity, get, HEALTH, isVoter, MEMBER, put, runs, serves } from './entity';
import { clone, EXPECTS, entitiesOf, hasPrimary, isMajority, mapEntities, PENDING, type State, tidy, voices, wasVoter } from './state';

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
  const entity = entitiesOf(state)[index] ?? 0;
  const next = clone(state);
  let at = 0;
  for (const slot of [...next.wanted, ...next.surplus]) {
    if (index >= at && index < at + slot.length) {
      slot.splice(index - at, 1);
      next.ghosts.push(put(entity, 'health', HEALTH.ghost));
      break;
    }
    at += slot.length;
  }
  return tidy(next);
}

const crash = (entity: Entity) => put(put(put(entity, 'health', HEALTH.down), 'primary', 0), 'synced', 0);
const inHealth = (health: number) => (entity: Entity) => put(entity, 'health', health);

/** What may befall one node. */
function fateOf(state: State, entity: Entity, i: number): Transition[] {
  const to = (label: string, change: (entity: Entity) => Entity): Transition => ({ label, next: withEntity(state, i, change) });
  const gone = (): Transition => ({ label: 'a node is gone', next: vanish(state, i) });
  switch (get(entity, 'health')) {
    case HEALTH.up:
      return [to('a process dies', crash), to('a node is out of our sight', inHealth(HEALTH.unseen)), gone()];
    case HEALTH.unseen:
      return [to('a node is seen again', inHealth(HEALTH.up)), to('an unseen process dies', crash), gone()];
    case HEALTH.down:
      return [to('a process comes back', inHealth(HEALTH.up)), gone()];
    case HEALTH.boot:
      return [to('a node has booted', inHealth(HEALTH.up)), to('a node does not boot', inHealth(HEALTH.down))];
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
function rollBack(state: State): State {
  const { pending } = state;
  const next = mapEntities(clone(state), (entity) => {
    if (!get(entity, 'pending')) return entity;
    if (pending === PENDING.added) return put(put(put(entity, 'member', MEMBER.none), 'synced', 0), 'stale', 1);
    const member = pending === PENDING.removedVoter ? MEMBER.voter : MEMBER.silent;
    return put(put(entity, 'member', member), 'stale', 0);
  });
  next.pending = PENDING.none;
  next.expects = next.expects === EXPECTS.base ? EXPECTS.now : EXPECTS.other;
  next.zombieExpects = next.zombieExpects === EXPECTS.base ? EXPECTS.now : EXPECTS.other;
  return tidy(next);
}

/** All elections that may end now: of any member that holds the data, with the open change kept or rolled back. */
export function elections(state: State): Transition[] {
  if (hasPrimary(state)) return [];
  const found: Transition[] = [];
  const elect = (label: string, over: State, isCandidate: (entity: Entity) => boolean) => {
    for (const [i, entity] of entitiesOf(over).entries())
      if (serves(entity) && isCandidate(entity)) found.push({ label, next: withEntity(over, i, (one) => put(one, 'primary', 1)) });
  };
  if (isMajority(voices(state))) elect('a member is elected', state, isVoter);
  if (state.pending !== PENDING.none && isMajority(voices(state, 'base')) && entitiesOf(state).some((e) => serves(e) && wasVoter(state, e)))
    elect('a member is elected and the open change rolled back', rollBack(state), isVoter);
  return found;
}

/** Everything that may happen next without us. */
export function environment(state: State): Transition[] {
  const all = entitiesOf(state);
  const committed = commit(state);
  return [
    ...all.flatMap((entity, i) => fateOf(state, entity, i)),
    ...all.flatMap((_, i) => {
      const next = settle(state, i);
      return next ? [{ label: 'a member catches up', next }] : [];
    }),
    ...elections(state),
    ...(committed ? [{ label: 'the configuration is committed', next: committed }] : []),
  ];
}
