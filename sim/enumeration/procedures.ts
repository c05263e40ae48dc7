/** Replays every prefix of every procedure with every interruption at its end, then lets it go on without failures. Each must end at the spec. */
import type { Control } from './control';
import { get, HEALTH, isVoter, put } from './entity';
import { environment, vanish } from './environment';
import { canRecover, checkLiveness, nextGoodStep } from './liveness';
import { COMMAND, canonicalKey, clone, entityIn, mapEntities, pack, parseKey, type State } from './state';
import { nothingYet, setOf } from './walk';

export interface Procedure {
  name: string;
  /** Size it ends with. */
  size: number;
  start: State;
}

/** A set in service whose member at a slot is changed. */
function withMember(size: number, slot: number, change: (entity: number) => number): State {
  const state = clone(setOf(size, size));
  state.wanted[slot] = pack(change(entityIn(state.wanted[slot] ?? '', 0)));
  return state;
}

const down = (entity: number) => put(put(put(entity, 'health', HEALTH.down), 'primary', 0), 'synced', 0);

/** The procedures of one size: beginning, replacements of its members, growth and shrinking to it. */
export function proceduresOf(size: number): Procedure[] {
  const found: Procedure[] = [{ name: 'initiate', size, start: nothingYet(size) }];
  if (size > 1) {
    found.push({ name: 'replace a dead voter', size, start: withMember(size, 1, down) });
    found.push({ name: 'replace a voter that is gone', size, start: vanish(setOf(size, size), 1) });
    found.push({ name: 'replace the primary that is gone', size, start: vanish(setOf(size, size), 0) });
    found.push({ name: `grow ${size - 2} to ${size}`, size, start: setOf(size - 2, size) });
  }
  const handover = withMember(size, 0, (entity) => entity);
  handover.wanted[0] += pack(put(0, 'health', HEALTH.boot));
  found.push({ name: size === 1 ? 'hand over the sole vote' : 'replace the living primary', size, start: handover });
  if (size < 7) found.push({ name: `shrink ${size + 2} to ${size}`, size, start: setOf(size + 2, size) });
  return found;
}

/** States of the good course from a start on, the start included. */
function courseOf(control: Control, start: State): State[] {
  const course: State[] = [];
  for (let state: State | undefined = start; state && course.length < 500; state = nextGoodStep(control, state)) {
    state = parseKey(canonicalKey(state));
    course.push(state);
  }
  return course;
}

/** Every way in which a course may be cut: a failure of the world, a lost or late command, a primary that steps down. */
function interruptionsAt(control: Control, state: State): State[] {
  const cut = [...environment(state, control.failures), ...control.interruptions(state)].map(({ next }) => next);
  // Killed after acting: what it did stays, its answer is lost. Killed before: above.
  if (state.command !== COMMAND.none) cut.push(control.execute(state, 'command').next);
  cut.push(mapEntities(clone(state), (entity) => (isVoter(entity) && get(entity, 'primary') ? put(entity, 'primary', 0) : entity)));
  return cut;
}

export interface Replay {
  prefixes: number;
  interruptions: number;
  failures: string[];
}

export function replayProcedure(control: Control, { name, start }: Procedure): Replay {
  const course = courseOf(control, start);
  const replay: Replay = { prefixes: course.length, interruptions: 0, failures: [] };
  for (const [length, state] of course.entries())
    for (const cut of interruptionsAt(control, state)) {
      const key = canonicalKey(control.dropStale(cut).next);
      if (!canRecover(parseKey(key))) continue;
      replay.interruptions++;
      const { stuck } = checkLiveness(control, [key]);
      if (stuck) replay.failures.push(`${name}, cut after ${length} steps: ${stuck.text}`);
    }
  return replay;
}
