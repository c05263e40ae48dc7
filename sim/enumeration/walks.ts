/** The walks by name: where each begins, what may happen in it, within which bounds for which size. Walks nothing itself. */
import type { State } from './state';
import { type Bounds, nothingYet, setOf } from './walk';

/** Slots without a voter and old nodes at a time, by size; a size without bounds is not walked. */
type Limits = Readonly<Partial<Record<number, readonly [openMax: number, oldMax: number]>>>;

export interface NamedWalk {
  name: string;
  /** What it walks, for people. */
  about: string;
  starts(size: number): State[];
  failures: Omit<Bounds, 'openMax' | 'oldMax'>;
  limits: Limits;
  /** With `--deep`. */
  deepLimits: Limits;
}

export const SIZES = [1, 3, 5, 7] as const;

const NONE = { hiddenMax: 0, staleClaims: false, slowBoots: false, addressReuse: false, lateCommands: false };
const ALL_DEEP: Limits = { 1: [1, 3], 3: [3, 1], 5: [1, 1], 7: [1, 1] };
const FEW: Limits = { 1: [1, 2], 3: [1, 1] };

function inService(size: number): State[] {
  return [setOf(size, size)];
}

function beginnings(size: number): State[] {
  return [nothingYet(size), setOf(size, size)];
}

export const WALKS: readonly NamedWalk[] = [
  {
    name: 'members',
    about: 'a set that begins, serves and replaces its members; any of them dies, comes back, falls behind or is gone at any moment',
    starts: beginnings,
    failures: NONE,
    limits: { 1: [1, 2], 3: [3, 1], 5: [1, 1], 7: [1, 1] },
    deepLimits: { 1: [1, 3], 3: [3, 2], 5: [2, 1], 7: [2, 1] },
  },
  {
    name: 'growing',
    about: 'the same after the spec asked for two members more',
    starts: (size) => [setOf(size - 2, size)],
    failures: NONE,
    limits: { 3: [0, 0], 5: [0, 0], 7: [0, 0] },
    deepLimits: { 3: [3, 1], 5: [1, 1], 7: [1, 1] },
  },
  {
    name: 'shrinking',
    about: 'the same after the spec gave up two members',
    starts: (size) => [setOf(size + 2, size)],
    failures: NONE,
    limits: { 1: [1, 0], 3: [0, 1] },
    deepLimits: { 1: [1, 2], 3: [1, 1], 5: [0, 0] },
  },
  {
    name: 'lost sight',
    about: 'one member at a time runs and does not answer us: we could not look, or take it for dead',
    starts: inService,
    failures: { ...NONE, hiddenMax: 1 },
    limits: FEW,
    deepLimits: ALL_DEEP,
  },
  {
    name: 'late commands',
    about: 'commands whose answer was lost or that were given up run later all the same, once or twice',
    starts: inService,
    failures: { ...NONE, lateCommands: true },
    limits: FEW,
    deepLimits: ALL_DEEP,
  },
  {
    name: 'addresses again',
    about: 'a new node gets the address of a member that is gone',
    starts: inService,
    failures: { ...NONE, addressReuse: true },
    limits: FEW,
    deepLimits: ALL_DEEP,
  },
  {
    name: 'slow and stale nodes',
    about: 'new nodes boot slowly or never; who was away comes back with a configuration left behind, the newest of all by its version',
    starts: inService,
    failures: { ...NONE, staleClaims: true, slowBoots: true },
    limits: FEW,
    deepLimits: ALL_DEEP,
  },
];

/** Throws where no walk has the name. */
export function walkNamed(name: string): NamedWalk {
  const found = WALKS.find((named) => named.name === name);
  if (!found) throw new Error(`${name}: expected ${WALKS.map((named) => named.name).join(', ')}`);
  return found;
}
