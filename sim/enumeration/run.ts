/** Command line of the enumeration: walks the sizes, prints what it walked, and ends with 1 on a violation. Decides nothing about a set. */
import { planSituation } from '../../lambdas/core/plan/plan';
import type { Script, Subject } from './control';
import { checkLiveness } from './liveness';
import { proceduresOf, replayProcedure } from './procedures';
import { describeState, parseKey } from './state';
import { type Bounds, type Walk, walk } from './walk';

const { run } = require('../../nodes/mongo/replica-set.js') as { run: Script };

/** The planner and the script as they are deployed. */
export const REAL: Subject = { plan: (situation) => planSituation(situation).jobs, script: run };

export const QUICK: Bounds = { faultsMax: 1, nodesPerSlotMax: 2, orders: 'two', sightLost: true, lateCommands: false };
const DEEP: Bounds = { faultsMax: 3, nodesPerSlotMax: 3, orders: 'all', sightLost: true, lateCommands: true };
/** States of a size walked without --deep, breadth first; a set of one member has fewer, so that all of them are. */
export const QUICK_STATES_MAX: Readonly<Record<number, number>> = { 1: 20_000, 3: 8_000, 5: 4_000, 7: 3_000 };

const HELP = `npm run -s enumerate -- [--deep] [--json] [--help]
Walks the states of sets of 1, 3, 5 and 7 members under the planner, breadth first, with failures between any two steps and
one fault at a time: all states of one member, the first thousands of the others ("all" or "first" says which).
  --deep   more failures at once, all orders of the slots, no limit of states (hours, gigabytes)
  --json   last line {"states":..,"violations":0,"wallS":..}
`;

export interface Outcome extends Pick<Walk, 'size' | 'states' | 'complete' | 'transitions'> {
  violations: string[];
  live: number;
  stepsMax: number;
  prefixes: number;
  interruptions: number;
  wallS: number;
}

/** One size: its walk, the good course from every state of it, and its procedures. */
export function enumerate(size: number, bounds: Bounds, statesMax: number, progress?: (states: number, queued: number) => void): Outcome {
  const startedMs = performance.now();
  const walked = walk({ size, bounds, subject: REAL, statesMax, ...(progress ? { progress } : {}) });
  const control = walked.control.unbounded();
  const live = checkLiveness(control, walked.keys);
  const replays = proceduresOf(size).map((procedure) => replayProcedure(control, procedure));
  const violations = walked.violations.map(({ text, trace }) => `${text}\n  ${trace.join('\n  ')}`);
  if (live.stuck)
    violations.push(`${live.stuck.text}\n  ${[...walked.traceOf(live.stuck.key), describeState(parseKey(live.stuck.key))].join('\n  ')}`);
  violations.push(...replays.flatMap(({ failures }) => failures));
  const sum = (of: 'prefixes' | 'interruptions') => replays.reduce((total, replay) => total + replay[of], 0);
  const { states, complete, transitions } = walked;
  const wallS = (performance.now() - startedMs) / 1000;
  return {
    size,
    states,
    complete,
    transitions,
    violations,
    live: live.checked,
    stepsMax: live.stepsMax,
    prefixes: sum('prefixes'),
    interruptions: sum('interruptions'),
    wallS,
  };
}

/** One line of the table. */
export function lineOf({
  size,
  states,
  complete,
  transitions,
  live,
  stepsMax,
  prefixes,
  interruptions,
  wallS,
  violations,
}: Outcome): string {
  const whole = complete ? 'all' : 'first';
  return `${size} members: ${whole} ${states} states, ${transitions} transitions; spec reached from ${live} states in at most ${stepsMax} steps; ${prefixes} prefixes cut in ${interruptions} ways; ${violations.length} violations; ${wallS.toFixed(1)} s`;
}

function main(args: readonly string[]): number {
  const unknown = args.find((arg) => !['--deep', '--json', '--help'].includes(arg));
  if (unknown || args.includes('--help')) {
    process.stdout.write(unknown ? `${unknown}: expected --deep, --json or --help\n${HELP}` : HELP);
    return unknown ? 2 : 0;
  }
  const isDeep = args.includes('--deep');
  const outcomes = [1, 3, 5, 7].map((size) => {
    const progress = (states: number, queued: number) => process.stderr.write(`${size} members: ${states} states done, ${queued} known\n`);
    const outcome = enumerate(size, isDeep ? DEEP : QUICK, isDeep ? Number.POSITIVE_INFINITY : (QUICK_STATES_MAX[size] ?? 0), progress);
    process.stdout.write(`${lineOf(outcome)}\n`);
    for (const violation of outcome.violations) process.stdout.write(`\n${violation}\n`);
    return outcome;
  });
  const states = outcomes.reduce((total, outcome) => total + outcome.states, 0);
  const violations = outcomes.reduce((total, outcome) => total + outcome.violations.length, 0);
  const wallS = Math.round(outcomes.reduce((total, outcome) => total + outcome.wallS, 0) * 10) / 10;
  if (args.includes('--json'))
    process.stdout.write(`${JSON.stringify({ states, violations, wallS, complete: outcomes.every(({ complete }) => complete) })}\n`);
  return violations > 0 ? 1 : 0;
}

if (require.main === module) process.exitCode = main(process.argv.slice(2));
