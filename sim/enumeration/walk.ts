/**
 * Walks all reachable states of a set of one size within named bounds, breadth first, with failures possible between any two steps, and
 * checks each step of ours. Samples nothing; says whether all states were walked. What a state leaves out is told by `run.ts --help`.
 */
import { Control, type OwnStep, type Subject } from './control';
import { anEntity, HEALTH, MEMBER } from './entity';
import { environment, type Failures, type Transition } from './environment';
import { looks } from './looks';
import { specOf } from './situation-of';
import {
  COMMAND,
  canonicalKey,
  countHidden,
  countOld,
  countOpen,
  describeState,
  EXPECTS,
  INITIATED,
  PENDING,
  pack,
  parseKey,
  type State,
} from './state';

export interface Bounds extends Failures {
  /** Slots without a voter of their own, at a time. */
  openMax: number;
  /** Predecessors, duplicates and members whose instance is gone, at a time. */
  oldMax: number;
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
  /** Times the planner and the script were run. */
  plans: number;
  scripts: number;
  violations: Violation[];
  keys: string[];
}

const VOTER = anEntity({ member: MEMBER.voter, synced: 1 });
const LEADER = anEntity({ member: MEMBER.voter, synced: 1, primary: 1 });
const BOOTING = anEntity({ health: HEALTH.boot });

/** A set in service with so many voters, of which the spec wants the first `wanted`. */
export function setOf(voters: number, wanted: number): State {
  const slots = Array.from({ length: Math.max(voters, wanted) }, (_, i) => (i >= voters ? '' : pack(i === 0 ? LEADER : VOTER)));
  return {
    wanted: slots.slice(0, wanted),
    surplus: slots.slice(wanted),
    ghosts: '',
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
  return { ...setOf(0, size), wanted: Array.from({ length: size }, () => pack(BOOTING)), initiated: INITIATED.no };
}

/** Everything we may do in a state. */
export function ownSteps(control: Control, state: State): OwnStep[] {
  const steps = looks(control, state);
  if (state.command !== COMMAND.none) steps.push(control.execute(state, 'command'));
  if (state.command !== COMMAND.none && control.failures.lateCommands) steps.push(control.execute(state, 'command', 'lost'));
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
  starts: State[];
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
  starts,
  statesMax = Number.POSITIVE_INFINITY,
}: WalkOptions): Walk & { control: Control; traceOf(key: string): string[] } {
  const control = new Control(subject, specOf(size), bounds);
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
    // What goes beyond the bounds from the beginning on, as slots of a set that grows, may be mended and not grow.
    const [openMax, oldMax] = [Math.max(bounds.openMax, countOpen(state)), Math.max(bounds.oldMax, countOld(state))];
    const isWithin = (next: State) => countOpen(next) <= openMax && countOld(next) <= oldMax && countHidden(next) <= bounds.hiddenMax;
    for (const transition of environment(state, bounds)) if (isWithin(transition.next)) take(transition);
    for (const transition of control.interruptions(state)) take(transition);
    for (const step of ownSteps(control, state)) {
      report(step.label, step.next, step.violations);
      if (isWithin(step.next)) take(step);
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
    scripts: control.ran,
    violations: [...found.values()],
    keys: paths.keys.slice(0, at),
    control,
    traceOf,
  };
}
