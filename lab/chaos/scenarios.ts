/** The scenarios by name, in the order in which they are played. Plays none. */
import { LabError } from '../lab-error';
import { JOB_SCENARIOS } from './on-jobs';
import { NETWORK_SCENARIOS } from './on-network';
import { NODE_SCENARIOS } from './on-nodes';
import { PLANE_SCENARIOS } from './on-plane';
import { PROCESS_SCENARIOS } from './on-processes';
import type { Scenario } from './scenario';

export const SCENARIOS: readonly Scenario[] = [
  ...NODE_SCENARIOS,
  ...PROCESS_SCENARIOS,
  ...NETWORK_SCENARIOS,
  ...PLANE_SCENARIOS,
  ...JOB_SCENARIOS,
];

/** Those of these names, in the order in which they are played; all where none is named. @throws LabError that lists what there is */
export function scenariosNamed(names: readonly string[]): Scenario[] {
  for (const name of names)
    if (!SCENARIOS.some((scenario) => scenario.name === name))
      throw new LabError(`--only: expected ${SCENARIOS.map((scenario) => scenario.name).join(', ')}; got ${JSON.stringify(name)}`);
  return SCENARIOS.filter(({ name }) => names.length === 0 || names.includes(name));
}

/** A line each. */
export function listScenarios(): string {
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length));
  return SCENARIOS.map(({ name, does, bounds: { gapS, disturbedS, repairedS } }) => {
    const most = `without an answer ${gapS} s, failures in ${disturbedS} s, repaired after ${repairedS} s`;
    return `${name.padEnd(width)}  ${does}\n${' '.repeat(width)}  at most: ${most}`;
  }).join('\n');
}
