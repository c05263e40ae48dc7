/** One member or node of the walk packed into a small number, so that a state is a short text. Reads and changes fields, knows no rule. */

/**
 * up: answers us and its peers. unseen: answers its peers, but not us. down: its process is dead, its instance is there.
 * boot: a new node before its first answer; one that never answers is down. ghost: the instance is gone, its host may still be a member.
 */
export const HEALTH = { up: 0, unseen: 1, down: 2, boot: 3, ghost: 4 } as const;
export const MEMBER = { none: 0, silent: 1, voter: 2 } as const;

/** Fields by their first bit and their mask. */
const FIELD = {
  health: [0, 7],
  member: [3, 3],
  /** Holds the set's data: SECONDARY or PRIMARY while it runs. */
  synced: [5, 1],
  primary: [6, 1],
  /** It runs a configuration with itself that the set has left behind. */
  stale: [7, 1],
  /** The change that is not committed yet is about it. */
  pending: [8, 1],
  /** The command under way is about it. */
  command: [9, 1],
  /** The command given up, which may still run, is about it. */
  zombie: [10, 1],
} as const;
export type Field = keyof typeof FIELD;

export type Entity = number;

export function get(entity: Entity, field: Field): number {
  const [bit, mask] = FIELD[field];
  return (entity >> bit) & mask;
}

export function put(entity: Entity, field: Field, value: number): Entity {
  const [bit, mask] = FIELD[field];
  return (entity & ~(mask << bit)) | (value << bit);
}

export function anEntity(fields: Partial<Record<Field, number>>): Entity {
  let entity = 0;
  for (const [field, value] of Object.entries(fields)) entity = put(entity, field as Field, value);
  return entity;
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
