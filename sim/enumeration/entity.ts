/** One member or node of the walk packed into a small number, so that a state is a short text. Reads and changes fields, knows no rule. */

/**
 * up: answers us and its peers. unseen: answers its peers, but not us. down: its process is dead, its instance is there.
 * boot: a new node before its first answer; one that never answers is down. ghost: the instance is gone, its host may still be a member.
 * taken: a new node that runs nothing yet and has the address of a member that is gone.
 */
export const HEALTH = { up: 0, unseen: 1, down: 2, boot: 3, ghost: 4, taken: 5 } as const;
export const MEMBER = { none: 0, silent: 1, voter: 2 } as const;

/** Fields by their first bit and their mask. */
const FIRST_BIT = {
  health: 0,
  member: 3,
  /** Holds the set's data: SECONDARY or PRIMARY while it runs. */
  synced: 5,
  primary: 6,
  /** It runs a configuration with itself that the set has left behind. */
  stale: 7,
  /** The change that is not committed yet is about it. */
  pending: 8,
  /** The command under way is about it. */
  command: 9,
  /** The command given up, which may still run, is about it. */
  zombie: 10,
} as const;
const MASK = { health: 7, member: 3, synced: 1, primary: 1, stale: 1, pending: 1, command: 1, zombie: 1 } as const;
export type Field = keyof typeof FIRST_BIT;

export type Entity = number;

export function get(entity: Entity, field: Field): number {
  return (entity >> FIRST_BIT[field]) & MASK[field];
}

export function put(entity: Entity, field: Field, value: number): Entity {
  const bit = FIRST_BIT[field];
  return (entity & ~(MASK[field] << bit)) | (value << bit);
}

export function anEntity(fields: Partial<Record<Field, number>>): Entity {
  let entity = 0;
  for (const [field, value] of Object.entries(fields)) entity = put(entity, field as Field, value);
  return entity;
}

const bitOf = (field: Field) => MASK[field] << FIRST_BIT[field];
const MARKS = bitOf('pending') | bitOf('command') | bitOf('zombie');

/** A change, a command or a command given up is about it. */
export function isMarked(entity: Entity): boolean {
  return (entity & MARKS) !== 0;
}

/** Bits to clear where there is no such change or command. */
export function marksOf(are: { pending: boolean; command: boolean; zombie: boolean }): number {
  return (are.pending ? bitOf('pending') : 0) | (are.command ? bitOf('command') : 0) | (are.zombie ? bitOf('zombie') : 0);
}

const HEALTH_BITS = bitOf('health');
const MEMBER_BITS = bitOf('member');
const PENDING_BIT = bitOf('pending');
const SYNCED_BIT = bitOf('synced');
const LEADS_BITS = bitOf('synced') | bitOf('primary');
const STALE_BIT = bitOf('stale');

/** What an entity must remember: what a node held and ran that does not run, or is outside, means nothing any more. Runs most of all. */
export function forget(entity: Entity, marks: number): Entity {
  let next = entity & ~marks;
  const health = next & HEALTH_BITS;
  if (health > HEALTH.unseen) next &= ~LEADS_BITS;
  if (health >= HEALTH.ghost) next &= ~STALE_BIT;
  return (next & (MEMBER_BITS | PENDING_BIT)) === 0 ? next & ~SYNCED_BIT : next;
}

/** Its process runs and its peers hear it, whether we do or not. */
export function runs(entity: Entity): boolean {
  return get(entity, 'health') <= HEALTH.unseen;
}

export function isVoter(entity: Entity): boolean {
  return get(entity, 'member') === MEMBER.voter;
}

/** Runs and holds the data: it may lead. */
export function serves(entity: Entity): boolean {
  return runs(entity) && get(entity, 'synced') === 1;
}

const HEALTH_NAMES = Object.keys(HEALTH);

/** For traces: `voter up (primary)`. */
export function describeEntity(entity: Entity): string {
  const role = ['outside', 'silent', 'voter'][get(entity, 'member')];
  const behind = get(entity, 'member') !== MEMBER.none && get(entity, 'synced') === 0 ? ' syncing' : '';
  const marks = (['primary', 'stale', 'pending', 'command', 'zombie'] as const).filter((mark) => get(entity, mark));
  return `${role} ${HEALTH_NAMES[get(entity, 'health')]}${behind}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}`;
}
