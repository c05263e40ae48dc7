/** A state of the walk: slots of nodes, ghosts, the open change and the commands. Canonical text and back; no rule of its own. */
import { describeEntity, type Entity, forget, get, HEALTH, isMarked, isVoter, MEMBER, marksOf, runs } from './entity';

/** The newest change of the configuration while it is not committed: an election may keep it or roll it back. */
export const PENDING = { none: 0, added: 1, removedSilent: 2, removedVoter: 3, raised: 4 } as const;
export const COMMAND = { none: 0, add: 1, remove: 2, 'raise-vote': 3, stepDown: 4, terminate: 5, initiate: 6 } as const;
export type CommandName = Exclude<keyof typeof COMMAND, 'none'>;
/** What a command expects: the very configuration of now, the one before the open change, or neither. */
export const EXPECTS = { now: 0, base: 1, other: 2 } as const;
/** Nothing yet; a configuration exists that no look has seen; seen. */
export const INITIATED = { no: 0, unseen: 1, seen: 2 } as const;

/** Nodes of one slot, oldest incarnation first, or hosts: a character for each entity, so that states are cheap to copy, sort and compare. */
export type Entities = string;

export interface State {
  /** Slots the spec wants. */
  wanted: Entities[];
  /** Slots it does not want any more. */
  surplus: Entities[];
  /** Members whose instance is gone. */
  ghosts: Entities;
  initiated: number;
  pending: number;
  command: number;
  expects: number;
  zombie: number;
  zombieExpects: number;
}

/** Above `|` and `/`, which stand between slots. */
const FIRST_CHAR = 256;

export function pack(entity: Entity): Entities {
  return String.fromCharCode(entity + FIRST_CHAR);
}

export function packAll(entities: readonly Entity[]): Entities {
  return entities.map(pack).join('');
}

export function entityIn(list: Entities, at: number): Entity {
  return list.charCodeAt(at) - FIRST_CHAR;
}

export function unpack(list: Entities): Entity[] {
  const entities: Entity[] = [];
  for (let i = 0; i < list.length; i++) entities.push(list.charCodeAt(i) - FIRST_CHAR);
  return entities;
}

export function clone(state: State): State {
  const { wanted, surplus, ghosts, initiated, pending, command, expects, zombie, zombieExpects } = state;
  return { wanted: wanted.slice(), surplus: surplus.slice(), ghosts, initiated, pending, command, expects, zombie, zombieExpects };
}

/** All entities in one order: by wanted slot, surplus slot, ghosts. */
export function entitiesOf(state: State): Entity[] {
  const all: Entity[] = [];
  for (const slot of state.wanted) for (let i = 0; i < slot.length; i++) all.push(slot.charCodeAt(i) - FIRST_CHAR);
  for (const slot of state.surplus) for (let i = 0; i < slot.length; i++) all.push(slot.charCodeAt(i) - FIRST_CHAR);
  for (let i = 0; i < state.ghosts.length; i++) all.push(state.ghosts.charCodeAt(i) - FIRST_CHAR);
  return all;
}

type Change = (entity: Entity, index: number) => Entity;

function mapList(list: Entities, first: number, change: Change): Entities {
  let next: Entities | undefined;
  for (let i = 0; i < list.length; i++) {
    const was = list.charCodeAt(i) - FIRST_CHAR;
    const now = change(was, first + i);
    // Most stay as they are, and then the text does.
    if (next === undefined && now === was) continue;
    next = (next ?? list.slice(0, i)) + String.fromCharCode(now + FIRST_CHAR);
  }
  return next ?? list;
}

/** Changes every entity in place. */
export function mapEntities(state: State, change: Change): State {
  let index = 0;
  for (const slots of [state.wanted, state.surplus])
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] as Entities;
      slots[i] = mapList(slot, index, change);
      index += slot.length;
    }
  state.ghosts = mapList(state.ghosts, index, change);
  return state;
}

function isSpokenOf(ghost: Entity): boolean {
  return get(ghost, 'member') !== MEMBER.none || isMarked(ghost);
}

/** A node that died before it was a member: its slot is as good as empty. While a set begins it is not: its slot waits for it. */
function isLost(node: Entity): boolean {
  return get(node, 'health') === HEALTH.down && get(node, 'member') === MEMBER.none && !isMarked(node);
}

function isFilled(slot: Entities): boolean {
  return slot !== '';
}

/** Forgets what means nothing any more: ghosts nobody speaks of, empty surplus slots, marks of commands that are over. */
export function tidy(state: State): State {
  if (state.command === COMMAND.none) state.expects = EXPECTS.now;
  if (state.zombie === COMMAND.none) state.zombieExpects = EXPECTS.now;
  const marks = marksOf({
    pending: state.pending === PENDING.none,
    command: state.command === COMMAND.none,
    zombie: state.zombie === COMMAND.none,
  });
  mapEntities(state, (entity) => forget(entity, marks));
  if (state.initiated === INITIATED.seen)
    for (let i = 0; i < state.wanted.length; i++) {
      let slot = state.wanted[i] as Entities;
      while (slot !== '' && isLost(entityIn(slot, slot.length - 1))) slot = slot.slice(0, -1);
      state.wanted[i] = slot;
    }
  if (state.ghosts !== '') state.ghosts = packAll(unpack(state.ghosts).filter(isSpokenOf));
  if (state.surplus.length > 0) state.surplus = state.surplus.filter(isFilled);
  return state;
}

function flagsOf(s: State): string {
  return String.fromCharCode(48 + s.initiated, 48 + s.pending, 48 + s.command, 48 + s.expects, 48 + s.zombie, 48 + s.zombieExpects);
}

/** The text of a state in the order its slots stand in. */
export function orderedKey(state: State): string {
  return `${flagsOf(state)}${state.wanted.join('|')}/${state.surplus.join('|')}/${state.ghosts}`;
}

/** Slots are alike: they are sorted, so that states that differ by their names alone become one. */
export function canonicalKey(state: State): string {
  const surplus = state.surplus.length < 2 ? state.surplus : state.surplus.slice().sort();
  const ghosts = state.ghosts.length < 2 ? state.ghosts : [...state.ghosts].sort().join('');
  return `${flagsOf(state)}${state.wanted.slice().sort().join('|')}/${surplus.join('|')}/${ghosts}`;
}

const FLAGS = 6;

export function parseKey(key: string): State {
  const wantedEnd = key.indexOf('/', FLAGS);
  const surplusEnd = key.indexOf('/', wantedEnd + 1);
  return {
    wanted: key.slice(FLAGS, wantedEnd).split('|'),
    surplus: surplusEnd === wantedEnd + 1 ? [] : key.slice(wantedEnd + 1, surplusEnd).split('|'),
    ghosts: key.slice(surplusEnd + 1),
    initiated: key.charCodeAt(0) - 48,
    pending: key.charCodeAt(1) - 48,
    command: key.charCodeAt(2) - 48,
    expects: key.charCodeAt(3) - 48,
    zombie: key.charCodeAt(4) - 48,
    zombieExpects: key.charCodeAt(5) - 48,
  };
}

/** Who voted before the open change; the same as now while none is open. */
export function wasVoter(state: State, entity: Entity): boolean {
  if (get(entity, 'pending')) return state.pending === PENDING.removedVoter;
  return isVoter(entity);
}

export interface Voices {
  voters: number;
  living: number;
}

export function isMajority({ voters, living }: Voices): boolean {
  return living > voters / 2;
}

/** Voters and those of them that run, of the newest configuration or of the one before the open change. */
export function voices(state: State, config: 'now' | 'base' = 'now'): Voices {
  let voters = 0;
  let living = 0;
  for (const entity of entitiesOf(state))
    if (config === 'now' ? isVoter(entity) : wasVoter(state, entity)) {
      voters++;
      if (runs(entity)) living++;
    }
  return { voters, living };
}

export function hasPrimary(state: State): boolean {
  for (const entity of entitiesOf(state)) if (get(entity, 'primary')) return true;
  return false;
}

/** Nodes and hosts beyond the one node a slot wants: predecessors, duplicates, members whose instance is gone. */
export function countOld(state: State): number {
  let count = state.ghosts.length;
  for (const slot of state.wanted) count += Math.max(0, slot.length - 1);
  return count;
}

/** Slots that want a voter and have none: empty, or with a newest node that does not vote. */
export function countOpen(state: State): number {
  let count = 0;
  for (const slot of state.wanted) if (slot === '' || !isVoter(entityIn(slot, slot.length - 1))) count++;
  return count;
}

/** Nodes that run and that we do not see. */
export function countHidden(state: State): number {
  let count = 0;
  for (const entity of entitiesOf(state)) if (get(entity, 'health') === HEALTH.unseen) count++;
  return count;
}

const nameOf = (names: Record<string, number>, value: number) => Object.keys(names).find((name) => names[name] === value) ?? String(value);

/** One line for a trace. */
export function describeState(state: State): string {
  const slots = (list: Entities[], prefix: string) =>
    list.map((slot, i) => `${prefix}${i + 1}[${unpack(slot).map(describeEntity).join(' + ') || 'empty'}]`);
  const open = state.pending ? ` uncommitted:${nameOf(PENDING, state.pending)}` : '';
  const tells = (what: string, command: number, expects: number) =>
    command ? ` ${what}:${nameOf(COMMAND, command)} (expects ${nameOf(EXPECTS, expects)})` : '';
  const ghosts = unpack(state.ghosts).map((ghost) => `gone[${describeEntity(ghost)}]`);
  const parts = [...slots(state.wanted, 'slot'), ...slots(state.surplus, 'surplus'), ...ghosts].join(' ');
  return `${parts}${open}${tells('command', state.command, state.expects)}${tells('zombie', state.zombie, state.zombieExpects)}${state.initiated ? '' : ' (not initiated)'}`;
}
