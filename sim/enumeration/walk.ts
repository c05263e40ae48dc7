/**
 * Walks the reachable states of a set of one size, breadth first and within bounds, with a failure possible between any two steps, and
 * checks each step of ours. Samples nothing; says whether all states were walked.
 * A state: per slot its nodes (running, out of our sight, process dead, booting; no member, without vote, voter; data copied or not),
 * members whose instance is gone, who leads, the newest change while it is not on a majority, the command under way. Slots are alike,
 * so states that differ by their names alone are one. Left out: time (all waiting is over between two steps), process restarts, the
 * default write concern, two primaries at once. A command that was given up acts no more (its deadline, and the executor's look at what
 * is in flight, are tested apart); with `lateCommands` it may all the same.
 */
import { Control, type OwnStep, type Subject } from './control';
import { anEntity, get, HEALTH, MEMBER } from './entity';
import { environment, type Transition } from './environment';
import { specOf } from './situation-of';
import { COMMAND, canonicalKey, countFaults, describeState, EXPECTS, entitiesOf, INITIATED, PENDING, parseKey, type State } from './state';

export interface Bounds {
  /** Members or nodes that are not well at a time. */
  faultsMax: number;
  /** Nodes in one slot at a time. */
  nodesPerSlotMax: number;
  /** Nodes may run and not be seen by us. */
  sightLost: boolean;
  /** Commands given up may still run later, in spite of their deadline. */
  lateCommands: boolean;
  /** Orders of the slots the planner is asked in: it takes the first that fits. */
  orders: 'two' | 'all';
}

export interface Violation {
  text: string;
  trace: string[];
}

export interface Walk {
  size: number;
  bounds: Bounds;
  /** States whose every step was taken. */
  states: number;
  /** All reachable states within the bounds were. */
  complete: boolean;
  transitions: number;
  plans: number;
  violations: Violation[];
  keys: string[];
}

const VOTER = anEntity({ member: MEMBER.voter, synced: 1 });
const LEADER = anEntity({ member: MEMBER.voter, synced: 1, primary: 1 });
const BOOTING = anEntity({ health: HEALTH.boot });

/** A set in service with so many voters, of which the spec wants the first `wanted`. */
export function setOf(voters: number, wanted: number): State {
  const slots = Array.from({ length: Math.max(voters, wanted) }, (_, i) => (i >= voters ? [] : [i === 0 ? LEADER : VOTER]));
  return {
    wanted: slots.slice(0, wanted),
    surplus: slots.slice(wanted),
    ghosts: [],
    initiated: INITIATED.seen,
    pending: PENDING.none,
    command: COMMAND.none,
    expects: EXPECTS.now,
    zombie: COMMAND.none,
    zombieExpects: EXPECTS.now,
  };
}

/** Nothing but nodes that boot. */
export function nothingYet(size: number): State {
  return { ...setOf(0, size), wanted: Array.from({ length: size }, () => [BOOTING]), initiated: INITIATED.no };
}

/** Where a set of a size begins: from nothing, in service, just grown to it, just shrunk to it. */
export function beginnings(size: number): State[] {
  const others = [size - 2, size + 2].filter((count) => count >= 1 && count <= 7);
  return [nothingYet(size), setOf(size, size), ...others.map((count) => setOf(count, size))];
}

/** The same state with its slots in other orders; the first is the given one. */
export function ordersOf(state: State, orders: Bounds['orders']): State[] {
  const turned = (by: number): State => ({
    ...state,
    wanted: [...state.wanted.slice(by), ...state.wanted.slice(0, by)],
  });
  const reversed = {
    ...state,
    wanted: [...state.wanted].reverse(),
    surplus: [...state.surplus].reverse(),
    ghosts: [...state.ghosts].reverse(),
  };
  if (orders === 'two') return [state, reversed];
  return [...state.wanted.map((_, by) => turned(by)), reversed];
}

/** A node runs and we do not see it. */
function isAnyHidden(state: State): boolean {
  return entitiesOf(state).some((entity) => get(entity, 'health') === HEALTH.unseen);
}

/** Everything we may do in a state. */
export function ownSteps(control: Control, state: State, orders: Bounds['orders']): OwnStep[] {
  const steps: OwnStep[] = [];
  const isHidden = isAnyHidden(state);
  for (const ordered of ordersOf(state, orders)) {
    steps.push(...control.look(ordered, 'unknown'));
    if (isHidden) steps.push(...control.look(ordered, 'dead'));
  }
  if (state.command !== COMMAND.none) steps.push(control.execute(state, 'command'));
  if (state.zombie !== COMMAND.none) steps.push(control.execute(state, 'zombie'));
  return steps;
}

/** Remembers how each state was first reached. */
class Paths {
  readonly index = new Map<string, number>();
  readonly keys: string[] = [];
  private readonly from: number[] = [];
  private readonly labels: string[] = [];

  /** Takes a state in; false when it was known. */
  add(key: string, from: number, label: string): boolean {
    if (this.index.has(key)) return false;
    this.index.set(key, this.keys.length);
    this.keys.push(key);
    this.from.push(from);
    this.labels.push(label);
    return true;
  }

  /** Lines from the beginning to a state. */
  trace(at: number): string[] {
    const lines: string[] = [];
    for (let i = at; i >= 0; i = this.from[i] ?? -1)
      lines.unshift(`${this.labels[i]}\n     ${describeState(parseKey(this.keys[i] ?? ''))}`);
    return lines;
  }
}

export interface WalkOptions {
  size: number;
  bounds: Bounds;
  subject: Subject;
  /** Different violations after which it stops. */
  violationsMax?: number;
  progress?: (states: number, queued: number) => void;
  starts?: State[];
  /** States after which it stops unfinished. */
  statesMax?: number;
}

/** Walks breadth first, so that the trace of a violation is a shortest one. */
export function walk({
  size,
  bounds,
  subject,
  violationsMax = 1,
  progress,
  starts = beginnings(size),
  statesMax = Number.POSITIVE_INFINITY,
}: WalkOptions): Walk & { control: Control; traceOf(key: string): string[] } {
  const control = new Control(subject, specOf(size), bounds.nodesPerSlotMax);
  const paths = new Paths();
  for (const start of starts) paths.add(canonicalKey(start), -1, 'beginning');
  const found = new Map<string, Violation>();
  let transitions = 0;
  let at = 0;
  for (; at < Math.min(paths.keys.length, statesMax) && found.size < violationsMax; at++) {
    const state = parseKey(paths.keys[at] ?? '');
    const report = (label: string, next: State, violations: readonly string[]) => {
      for (const text of violations)
        if (!found.has(text)) found.set(text, { text, trace: [...paths.trace(at), `${label}\n     ${describeState(next)}`] });
    };
    const take = ({ label, next }: Transition) => {
      transitions++;
      const kept = control.dropStale(next);
      report(label, next, kept.violations);
      paths.add(canonicalKey(kept.next), at, label);
    };
    const faultsMax = Math.max(bounds.faultsMax, countFaults(state));
    for (const transition of [...environment(state), ...control.interruptions(state, bounds.lateCommands)])
      if (countFaults(transition.next) <= faultsMax && (bounds.sightLost || !isAnyHidden(transition.next))) take(transition);
    for (const step of ownSteps(control, state, bounds.orders)) {
      report(step.label, step.next, step.violations);
      take(step);
    }
    if (progress && at % 20_000 === 0) progress(at, paths.keys.length);
  }
  const traceOf = (key: string) => paths.trace(paths.index.get(key) ?? -1);
  return {
    size,
    bounds,
    states: at,
    complete: at === paths.keys.length,
    transitions,
    plans: control.planned,
    violations: [...found.values()],
    keys: paths.keys.slice(0, at),
    control,
    traceOf,
  };
}
