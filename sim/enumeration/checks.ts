/** What is checked of each step of ours, by the truth of a state and not by what was seen; apart from the planner and the script. */
import { votersIn, votersNow } from './abstract-member';
import { type Entity, get, isVoter } from './entity';
import { hostsOf } from './situation-of';
import { COMMAND, type CommandName, entitiesOf, INITIATED, isMajority, type State, unpack, voices, wasVoter } from './state';

/** A command and the entities it is about. */
export interface PlannedCommand {
  command: CommandName;
  targets: number[];
}

/** Who is a member and how, by entity; the same text for the same configuration. */
export function configText(state: State): string {
  return votersNow(state).join() + hostsOf(state).silent.join();
}

export function checkPlanned(state: State, action: PlannedCommand): string[] {
  const { command, targets } = action;
  if (state.command !== COMMAND.none) return [`${command} was planned while another command is under way`];
  if (command === 'terminate') return checkTermination(state, entitiesOf(state)[targets[0] ?? -1] ?? 0).map((text) => `planned: ${text}`);
  if (command !== 'initiate' && !isMajority(voices(state))) return [`${command} was planned while the majority is lost`];
  return [];
}

/** A set that no look has ever seen holds no data, because no broker was told of it: its nodes may go. */
export function checkTermination(state: State, target: Entity): string[] {
  if (state.initiated === INITIATED.unseen) return [];
  if (isVoter(target)) return ['a voter is terminated by us'];
  if (wasVoter(state, target)) return ['a node is terminated whose removal from the voters may still be rolled back'];
  return [];
}

export function checkCommands(state: State, given: readonly Record<string, unknown>[]): string[] {
  const before = votersNow(state);
  return given.flatMap((command) => {
    const found: string[] = [];
    if (JSON.stringify(command).includes('"force"')) found.push('a command is forced');
    const after = votersIn(command);
    if (!after) return found;
    const changed = before.filter((host) => !after.includes(host)).length + after.filter((host) => !before.includes(host)).length;
    if (changed > 1) found.push(`${changed} voters change at once`);
    if (after.length > 7) found.push(`${after.length} voters, 7 at most`);
    return found;
  });
}

/** What a command has done, by the truth and not by what was seen. */
export function checkEffect(before: State, after: State, name: CommandName): string[] {
  const found: string[] = [];
  if (name === 'initiate') {
    const isNew = entitiesOf(after).some((e, i) => isVoter(e) && !isVoter(entitiesOf(before)[i] ?? 0));
    if (isNew && before.initiated === INITIATED.seen) found.push('a replica set is initiated a second time');
    return found;
  }
  if (configText(after) === configText(before)) return found;
  if (!isMajority(voices(before))) found.push(`${name}: a change without a living majority`);
  else if (!isMajority(voices(after))) found.push(`${name}: takes the living majority away`);
  if (
    voices(before).voters > 1 &&
    name === 'raise-vote' &&
    [...after.wanted, ...after.surplus].some((slot) => unpack(slot).filter(isVoter).length > 1)
  )
    found.push('two nodes of one slot vote');
  if (entitiesOf(after).some((e, i) => isVoter(e) && !get(e, 'synced') && !isVoter(entitiesOf(before)[i] ?? 0)))
    found.push('a member votes before it has caught up');
  return found;
}
