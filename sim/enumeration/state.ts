/** A state of the walk: slots of nodes, ghosts, the open change and the commands. Canonical text and back; no rule of its own. */
import { describeEntity, type Entity, get, HEALTH, isVoter, MEMBER, put, runs } from './entity';

/** The newest change of the configuration while it is not committed: an election may keep it or roll it back. */
export const PENDING = { none: 0, added: 1, removedSilent: 2, removedVoter: 3, raised: 4 } as const;
export const COMMAND = { none: 0, add: 1, remove: 2, 'raise-vote': 3, stepDown: 4, terminate: 5, initiate: 6 } as const;
export type CommandName = Exclude<keyof typeof COMMAND, 'none'>;
/** What a command expects: the very configuration of now, the one before the open change, or neither. */
export const EXPECTS = { now: 0, base: 1, other: 2 } as const;
/** Nothing yet; a configuration exists that no look has seen; seen. */
export const INITIATED = { no: 0, unseen: 1, seen: 2 } as const;

export interface State {
  /** Slots the spec wants: their nodes, oldest incarnation first. */
  wanted: Entity[][];
  /** Slots it does not want any more. */
  surplus: Entity[][];
  /** Members whose instance is gone. */
  ghosts: Entity[];
  initiated: number;
  pending: number;
  command: number;
  expects: number;
  zombie: number;
  zombieExpects: number;
}

const FLAGS = ['initiated', 'pending', 'command', 'expects', 'zombie', 'zombieExpects'] as const;

export function clone(state: State): State {
  const copy = (slot: Entity[]) => slot.slice();
  const { initiated, pending, command, expects, zombie, zombieExpects } = state;
  const lists = { wanted: state.wanted.map(copy), surplus: state.surplus.map(copy), ghosts: state.ghosts.slice() };
  return { ...lists, initiated, pending, command, expects, zombie, zombieExpects };
}

/** All entities in one order: by wanted slot, surplus slot, ghosts. */
export function entitiesOf(state: State): Entity[] {
  const all: Entity[] = [];
  for (const slot of state.wanted) for (const entity of slot) all.push(entity);
  for (const slot of state.surplus) for (const entity of slot) all.push(entity);
  for (const entity of state.ghosts) all.push(entity);
  return all;
}

/** Changes every entity in place. */
export function mapEntities(state: State, change: (entity: Entity, index: number) => Entity): State {
  let index = 0;
  const over = (list: Entity[]) => {
    for (let i = 0; i < list.length; i++) list[i] = change(list[i] as Entity, index++);
  };
  for (const slot of state.wanted) over(slot);
  for (const slot of state.surplus) over(slot);
  over(state.ghosts);
  return state;
}

/** Forgets what means nothing any more: ghosts nobody speaks of, empty surplus slots, marks of commands that are over. */
export function tidy(state: State): State {
  mapEntities(state, (entity) => {
    let next = entity;
    if (state.pending === PENDING.none) next = put(next, 'pending', 0);
    if (state.command === COMMAND.none) next = put(next, 'command', 0);
    if (state.zombie === COMMAND.none) next = put(next, 'zombie', 0);
    return next;
  });
  if (state.command === COMMAND.none) state.expects = EXPECTS.now;
  if (state.zombie === COMMAND.none) state.zombieExpects = EXPECTS.now;
  const isSpokenOf = (ghost: Entity) =>
    get(ghost, 'member') !== MEMBER.none || get(ghost, 'pending') || get(ghost, 'command') || get(ghost, 'zombie');
  state.ghosts = state.ghosts.filter(isSpokenOf).map((ghost) => put(put(put(ghost, 'synced', 0), 'stale', 0), 'primary', 0));
  state.surplus = state.surplus.filter((slot) => slot.length > 0);
  return state;
}

function text(slot: readonly Entity[]): string {
  let chars = '';
  for (const entity of slot) chars += String.fromCharCode(entity + 256);
  return chars;
}

function flagsOf(s: State): string {
  return `${s.initiated}${s.pending}${s.command}${s.expects}${s.zombie}${s.zombieExpects}`;
}

/** The text of a state in the order its slots stand in. */
export function orderedKey(state: State): string {
  return `${flagsOf(state)}${state.wanted.map(text).join('|')}/${state.surplus.map(text).join('|')}/${text(state.ghosts)}`;
}

/** Slots are alike: they are sorted, so that states that differ by their names alone become one. */
export function canonicalKey(state: State): string {
  const sorted = (slots: Entity[][]) => slots.map(text).sort().join('|');
  return `${flagsOf(state)}${sorted(state.wanted)}/${sorted(state.surplus)}/${[...text(state.ghosts)].sort().join('')}`;
}

export function parseKey(key: string): State {
  const [wanted = '', surplus = '', ghosts = ''] = key.slice(FLAGS.length).split('/');
  const list = (chars: string) => {
    const entities: Entity[] = [];
    for (let i = 0; i < chars.length; i++) entities.push(chars.charCodeAt(i) - 256);
    return entities;
  };
  const flags = Object.fromEntries(FLAGS.map((flag, i) => [flag, Number(key[i])])) as Pick<State, (typeof FLAGS)[number]>;
  return {
    ...flags,
    wanted: wanted.split('|').map(list),
    surplus: surplus === '' ? [] : surplus.split('|').map(list),
    ghosts: list(ghosts),
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
  const voters = entitiesOf(state).filter((entity) => (config === 'now' ? isVoter(entity) : wasVoter(state, entity)));
  return { voters: voters.length, living: voters.filter(runs).length };
}

export function hasPrimary(state: State): boolean {
  return entitiesOf(state).some((entity) => get(entity, 'primary'));
}

/** Members and nodes that are not as they should be; the bound of a walk counts them. */
export function countFaults(state: State): number {
  return entitiesOf(state).filter((entity) => {
    const health = get(entity, 'health');
    if (health === HEALTH.ghost) return isVoter(entity);
    return health === HEALTH.unseen || health === HEALTH.down || (isVoter(entity) && get(entity, 'synced') === 0);
  }).length;
}

const nameOf = (names: Record<string, number>, value: number) => Object.keys(names).find((name) => names[name] === value) ?? String(value);

/** One line for a trace. */
export function describeState(state: State): string {
  const slots = (list: Entity[][], prefix: string) =>
    list.map((slot, i) => `${prefix}${i + 1}[${slot.map(describeEntity).join(' + ') || 'empty'}]`);
  const open = state.pending ? ` uncommitted:${nameOf(PENDING, state.pending)}` : '';
  const tells = (what: string, command: number, expects: number) =>
    command ? ` ${what}:${nameOf(COMMAND, command)} (expects ${nameOf(EXPECTS, expects)})` : '';
  const ghosts = state.ghosts.map((ghost) => `gone[${describeEntity(ghost)}]`);
  const parts = [...slots(state.wanted, 'slot'), ...slots(state.surplus, 'surplus'), ...ghosts].join(' ');
  return `${parts}${open}${tells('command', state.command, state.expects)}${tells('zombie', state.zombie, state.zombieExpects)}${state.initiated ? '' : ' (not initiated)'}`;
}
