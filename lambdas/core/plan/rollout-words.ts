/** Puts rollouts into words: for `blocked`, what went wrong and what a person does; for `status`, how far each has come. Judges nothing. */
import type { Rollout, RolloutSummary } from '../memory';
import { ROLES, type Role } from '../names';
import { differences, settingsOf } from '../rollout-settings';
import { goesBackTo } from './rollout-barrier';
import type { Situation } from './situation';
import { isInStep } from './wanted-config';

/** The start of a version, enough for people to tell two apart. */
export function shortVersion(version: string): string {
  return version.slice(0, 7);
}

function failureWords(s: Situation, role: Role, r: Rollout): string | undefined {
  if (r.state !== 'bad' || !r.failure) return undefined;
  const { slot, instanceId, why } = r.failure;
  const stopped = `the rollout of ${role} ${shortVersion(r.version)} stopped at ${slot} (${instanceId}), ${why}`;
  const back = goesBackTo(s, role, r);
  if (back) {
    const changed = differences(back.settings, settingsOf(s.spec, role)).join(', ');
    return `${stopped}; ${role} goes back to ${shortVersion(back.version)} until the spec changes (${changed}): set it to what works; to try the same again, set it back first`;
  }
  if (r.good)
    return `${stopped}; its settings are those that were good before, so it is the templates of this release: no other node is touched; deploy the release before, or one that mends it`;
  return `${stopped}; nothing is known that was good before: no other node is touched; change the spec, or deploy another release`;
}

/** Rollouts that turned out bad, one sentence each; the same words as long as it lasts. */
export function rolloutProblems(s: Situation): string[] {
  return ROLES.flatMap((role) => {
    const rollout = s.memory.rollouts[role];
    return (rollout && failureWords(s, role, rollout)) ?? [];
  });
}

function stateWords(s: Situation, role: Role, r: Rollout): string {
  if (r.state !== 'bad') return r.state === 'good' ? '' : '; rolling';
  const because = `because ${r.failure?.slot} did not take ${shortVersion(r.version)}: ${r.failure?.why}`;
  if (!goesBackTo(s, role, r)) return `; stopped, ${because}`;
  return `; ${r.rolledBack ? 'rolled back' : 'rolling back'}, ${because}`;
}

/** How far each role's settings have come. */
export function summarizeRollouts(s: Situation): RolloutSummary[] {
  return ROLES.flatMap((role) => {
    const r = s.memory.rollouts[role];
    if (!r) return [];
    const slots = s.slots.wanted[role];
    const inStep = slots.filter(({ current }) => current && isInStep(s.configs, current)).length;
    const version = goesBackTo(s, role, r)?.version ?? r.version;
    const text = `${inStep} of ${slots.length} run ${shortVersion(version)}${stateWords(s, role, r)}`;
    return [{ role, version, state: r.state, inStep, wanted: slots.length, text }];
  });
}
