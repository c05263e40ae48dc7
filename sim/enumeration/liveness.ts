/** From a state on when nothing fails any more: whether the planner brings the set to its spec, in how many steps. Injects nothing. */
import type { Control } from './control';
import { get, HEALTH, isVoter, put, serves } from './entity';
import { commit, elections, settle } from './environment';
import { OTHERS } from './situation-of';
import {
  COMMAND,
  canonicalKey,
  clone,
  type Entities,
  entitiesOf,
  entityIn,
  INITIATED,
  isMajority,
  mapEntities,
  PENDING,
  parseKey,
  type State,
  tidy,
  voices,
  wasVoter,
} from './state';

/** Exactly the voters the spec wants, each the only node of its slot, and nothing under way. */
export function isAsWanted(state: State): boolean {
  const isWell = (slot: Entities) => {
    const only = entityIn(slot, 0);
    return slot.length === 1 && isVoter(only) && get(only, 'synced') === 1 && get(only, 'health') === HEALTH.up;
  };
  const isIdle = state.command === COMMAND.none && state.zombie === COMMAND.none && state.pending === PENDING.none;
  return isIdle && state.surplus.length === 0 && state.ghosts.length === 0 && state.wanted.every(isWell);
}

/** As good as half of all nodes are dead by our probes: the observer may be the patient, nothing is replaced and a person must look. */
function isBreakerNear(state: State): boolean {
  const nodes = entitiesOf(state).filter((entity) => get(entity, 'health') !== HEALTH.ghost && get(entity, 'health') !== HEALTH.boot);
  return nodes.filter((entity) => get(entity, 'health') === HEALTH.down).length >= (nodes.length + OTHERS - 1) / 2;
}

/** Whether the set can be brought to its spec at all: a majority runs and one that may lead holds the data. */
export function canRecover(state: State): boolean {
  if (state.initiated === INITIATED.no) return !isBreakerNear(state);
  // What nobody saw begin holds no data: its nodes may go, and a majority with them that comes back at the last moment.
  if (state.initiated === INITIATED.unseen && state.command === COMMAND.terminate) return false;
  const all = entitiesOf(state);
  const now = isMajority(voices(state)) && all.some((entity) => isVoter(entity) && serves(entity));
  const base = isMajority(voices(state, 'base')) && all.some((entity) => wasVoter(state, entity) && serves(entity));
  return all.some((entity) => get(entity, 'primary')) ? now : now || base;
}

/** The next thing to happen while nothing fails: the world first, then what is under way, then a look. Undefined at the end. */
export function nextGoodStep(control: Control, state: State): State | undefined {
  const isHidden = (entity: number) => get(entity, 'health') === HEALTH.unseen || get(entity, 'health') === HEALTH.boot;
  if (entitiesOf(state).some(isHidden))
    return tidy(mapEntities(clone(state), (entity) => (isHidden(entity) ? put(entity, 'health', HEALTH.up) : entity)));
  const elected = preferred(elections(state, control.failures).map(({ next }) => next));
  if (elected) return elected;
  for (let i = 0; i < entitiesOf(state).length; i++) {
    const settled = settle(state, i);
    if (settled) return settled;
  }
  const committed = commit(state);
  if (committed) return committed;
  if (state.zombie !== COMMAND.none) return control.execute(state, 'zombie').next;
  if (state.command !== COMMAND.none) return control.execute(state, 'command').next;
  return control.look(state, { blindness: 'unknown', firstMember: 0 })[0]?.next;
}

/** Of the members that may win, one that is to stay: who has stepped down to leave does not stand for a minute. */
function preferred(outcomes: readonly State[]): State | undefined {
  const stays = (state: State) => state.wanted.some((slot) => slot !== '' && get(entityIn(slot, slot.length - 1), 'primary'));
  return outcomes.find(stays) ?? outcomes[0];
}

export interface Liveness {
  /** States from which it was followed, those on the way included. */
  checked: number;
  /** Most steps from any of them to the spec. */
  stepsMax: number;
  /** Where it stops or goes round in a circle instead. */
  stuck?: { key: string; text: string };
}

/** Follows each of the states to its end; what was followed once counts for all that lead there. */
export function checkLiveness(control: Control, keys: readonly string[]): Liveness {
  const steps = new Map<string, number>();
  let stepsMax = 0;
  for (const start of keys) {
    if (steps.has(start) || !canRecover(parseKey(start))) continue;
    const path: string[] = [];
    const onPath = new Set<string>();
    let key = start;
    while (!steps.has(key)) {
      if (onPath.has(key))
        return { checked: steps.size, stepsMax, stuck: { key: start, text: 'goes round in a circle though nothing fails' } };
      path.push(key);
      onPath.add(key);
      const state = parseKey(key);
      const next = nextGoodStep(control, state);
      if (next) key = canonicalKey(control.dropStale(next).next);
      else if (isAsWanted(state)) steps.set(key, 0);
      else return { checked: steps.size, stepsMax, stuck: { key: start, text: 'stops short of its spec though nothing fails' } };
    }
    for (let i = path.length - 1, n = steps.get(key) ?? 0; i >= 0; i--) {
      const at = path[i] as string;
      if (!steps.has(at)) steps.set(at, ++n);
      stepsMax = Math.max(stepsMax, n);
    }
  }
  return { checked: steps.size, stepsMax };
}
