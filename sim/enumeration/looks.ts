/** Every look we may take at a state: in the orders that lead to other choices, with our sight of hidden nodes lost or wrong. Plans nothing. */
import type { Control, OwnStep } from './control';
import type { Entity } from './entity';
import type { Blindness } from './situation-of';
import { canonicalKey, countHidden, entitiesOf, type State } from './state';

interface Order {
  state: State;
  firstMember: number;
}

/** The same state with a slot, or a host, first of all; slots, hosts and members are taken round from there. */
function from(state: State, at: number): Order {
  const turn = <T>(list: readonly T[], by: number): T[] => [...list.slice(by), ...list.slice(0, by)];
  let index = 0;
  for (const part of ['wanted', 'surplus'] as const)
    for (const [by, slot] of state[part].entries()) {
      if (at < index + slot.length)
        return { state: { ...state, [part]: turn(state[part], by) }, firstMember: part === 'wanted' ? 0 : index };
      index += slot.length;
    }
  return { state: { ...state, ghosts: turn([...state.ghosts], at - index).join('') }, firstMember: index };
}

function reversed(state: State): Order {
  const turn = {
    wanted: state.wanted.slice().reverse(),
    surplus: state.surplus.slice().reverse(),
    ghosts: [...state.ghosts].reverse().join(''),
  };
  return { state: { ...state, ...turn }, firstMember: state.ghosts === '' ? 0 : entitiesOf(state).length - state.ghosts.length };
}

/** One order for each kind of entity, which stands first there. */
function* ordersByKind(state: State): Iterable<Order> {
  const met = new Set<Entity>();
  for (const [i, entity] of entitiesOf(state).entries()) {
    if (met.has(entity)) continue;
    met.add(entity);
    yield from(state, i);
  }
  for (const [by, slot] of state.wanted.entries())
    if (slot === '') yield { state: { ...state, wanted: [...state.wanted.slice(by), ...state.wanted.slice(0, by)] }, firstMember: 0 };
}

/**
 * What may follow from a look. The planner takes the first that fits, of slots and of members: where it takes the same whichever way the
 * state is read, nothing else fits; else it is asked with each kind first.
 */
function choices(control: Control, state: State, blindness: Blindness): OwnStep[] {
  const steps = new Map<string, OwnStep>();
  const look = ({ state: ordered, firstMember }: Order): number => {
    const found = control.look(ordered, { blindness, firstMember });
    let added = 0;
    for (const step of found) {
      const key = step.label + canonicalKey(step.next);
      const known = steps.get(key);
      if (!known) {
        steps.set(key, step);
        added++;
      } else known.violations.push(...step.violations);
    }
    return added;
  };
  look({ state, firstMember: 0 });
  if (look(reversed(state)) > 0) for (const order of ordersByKind(state)) look(order);
  return [...steps.values()];
}

/** All that we may begin by looking at a state. */
export function looks(control: Control, state: State): OwnStep[] {
  const found = choices(control, state, 'unknown');
  return countHidden(state) === 0 ? found : [...found, ...choices(control, state, 'dead')];
}
