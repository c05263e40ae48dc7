/** Command line of the enumeration: runs the walks, prints a table, ends with 1 on a violation or a walk that did not end. Decides nothing about a set. */
import { planSituation } from '../../lambdas/core/plan/plan';
import { Control, type Script, type Subject } from './control';
import { checkLiveness } from './liveness';
import { proceduresOf, replayProcedure } from './procedures';
import { specOf } from './situation-of';
import { describeState, parseKey } from './state';
import { type Walk, walk } from './walk';
import { type NamedWalk, SIZES, WALKS } from './walks';

const { run } = require('../../nodes/mongo/replica-set.js') as { run: Script };

/** The planner and the script as they are deployed. */
export const REAL: Subject = { plan: (situation) => planSituation(situation).jobs, script: run };

const HELP = `npm run -s enumerate -- [--deep] [--limit <states>] [--json] [--help]
Walks every state that sets of 1, 3, 5 and 7 members can reach within the bounds below, under the planner and the node's script as they
are deployed, with failures between any two steps. Checks each step of ours: no majority is lost by it, no two votes change at once,
nothing is forced, no set is begun twice; and that from every state with a living majority the set reaches its spec once nothing fails.
Then cuts every procedure after each of its steps, in every way.

A state: of each member its health (answers, dead, gone), its vote, whether it is in sync; who leads; whether the newest configuration is
on a majority; the command under way. What is left out, and why nothing unsafe hides there:
- Names. Members alike in all this are one state; where the planner has a choice, it is asked with each kind of member first.
- Time. All rests, cool-downs and restarts in vain are over: whatever may ever be planned is planned at once.
- Data. A member is in sync or not, and any in sync may win an election, also one that MongoDB would not let win: more may happen here.
- Replacements at a time are bounded: slots without a voter of their own (1, with three members 3), predecessors and members that are gone
  (1). Any number of members may be dead or behind at a time. A further one that is gone counts as dead until there is room; --deep has more.
- A change planned while the one before is not on a majority: MongoDB refuses it, and it is checked that it does, and that the same is
  planned afterwards. A command whose answer was lost: each is delivered twice, and must not act twice.
- What is planned beside a command under way: the planner sees that there is one, and not which.
Not asked to end well: a set that nobody saw begin, with one of its dead nodes being terminated as it comes back (it holds no data); and a
beginning with half of all nodes dead, where the breaker keeps everything as it is.
Lost sight, late commands, addresses that come again, slow and stale nodes have walks of their own, one kind of trouble at a time.

  --deep           higher bounds, and these walks for 5 and 7 members as well (minutes to an hour)
  --limit <states> stop each walk there; it then counts as not complete, and the end is 0 all the same
  --json           last line {"states":..,"violations":0,"wallS":..,"complete":true}
`;

export interface Outcome extends Pick<Walk, 'states' | 'complete' | 'transitions' | 'plans' | 'scripts'> {
  name: string;
  size: number;
  violations: string[];
  /** States from which the good course was followed to the spec, and the longest of these courses. */
  live: number;
  stepsMax: number;
  wallS: number;
}

/** One walk of one size, and the good course from every state of it; undefined where that walk leaves the size out. */
export function enumerate(named: NamedWalk, size: number, isDeep: boolean, statesMax = Number.POSITIVE_INFINITY): Outcome | undefined {
  const limits = (isDeep ? named.deepLimits : named.limits)[size];
  if (!limits) return undefined;
  const startedMs = performance.now();
  const bounds = { ...named.failures, openMax: limits[0], oldMax: limits[1] };
  const walked = walk({ size, bounds, subject: REAL, statesMax, starts: named.starts(size) });
  const { stuck, checked, stepsMax } = checkLiveness(walked.control, walked.keys);
  const violations = walked.violations.map(({ text, trace }) => `${text}\n  ${trace.join('\n  ')}`);
  if (stuck) violations.push(`${stuck.text}\n  ${[...walked.traceOf(stuck.key), describeState(parseKey(stuck.key))].join('\n  ')}`);
  const { states, complete, transitions, plans, scripts } = walked;
  const wallS = (performance.now() - startedMs) / 1000;
  return { name: named.name, size, states, complete, transitions, plans, scripts, violations, live: checked, stepsMax, wallS };
}

export interface Replays {
  procedures: number;
  prefixes: number;
  interruptions: number;
  failures: string[];
}

/** Every procedure of a size, cut after each of its steps in every way, commands that come late among them. */
export function replayAll(size: number): Replays {
  const failures = { hiddenMax: 0, staleClaims: true, slowBoots: true, addressReuse: false, lateCommands: true };
  const replays = proceduresOf(size).map((procedure) => replayProcedure(new Control(REAL, specOf(size), failures), procedure));
  const sum = (of: 'prefixes' | 'interruptions') => replays.reduce((total, replay) => total + replay[of], 0);
  const failed = replays.flatMap((replay) => replay.failures);
  return { procedures: replays.length, prefixes: sum('prefixes'), interruptions: sum('interruptions'), failures: failed };
}

export const HEADER = [
  'walk'.padEnd(22),
  'size',
  'states'.padStart(8),
  'transitions',
  'plans'.padStart(7),
  'scripts',
  'to the spec',
  'steps',
  '   s',
  'complete',
].join('  ');

/** One line of the table. */
export function lineOf({ name, size, states, transitions, plans, scripts, live, stepsMax, wallS, complete }: Outcome): string {
  const right = (value: number | string, width: number) => String(value).padStart(width);
  const counts = [right(size, 4), right(states, 8), right(transitions, 11), right(plans, 7), right(scripts, 7), right(live, 11)];
  return [name.padEnd(22), ...counts, right(stepsMax, 5), right(wallS.toFixed(1), 4), complete ? 'yes' : 'NO'].join('  ');
}

export function lineOfReplays(size: number, { procedures, prefixes, interruptions }: Replays): string {
  return `${size} members: ${procedures} procedures, ${prefixes} prefixes cut in ${interruptions} ways`;
}

interface Options {
  isDeep: boolean;
  isJson: boolean;
  statesMax: number;
}

/** The options, or what is wrong with them. */
function parseOptions(args: readonly string[]): Options | string {
  const options = { isDeep: false, isJson: false, statesMax: Number.POSITIVE_INFINITY };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === '--deep') options.isDeep = true;
    else if (arg === '--json') options.isJson = true;
    else if (arg === '--limit') {
      options.statesMax = Number(args[++i]);
      if (!(options.statesMax >= 1)) return `--limit ${args[i]}: expected a number of states, 1 or more`;
    } else return `${arg}: expected --deep, --limit, --json or --help`;
  }
  return options;
}

function main(args: readonly string[]): number {
  const options = args.includes('--help') ? '' : parseOptions(args);
  if (typeof options === 'string') {
    process.stdout.write(options ? `${options}\n${HELP}` : HELP);
    return options ? 2 : 0;
  }
  const startedMs = performance.now();
  const outcomes: Outcome[] = [];
  const violations: string[] = [];
  process.stdout.write(`${HEADER}\n`);
  for (const named of WALKS)
    for (const size of SIZES) {
      const outcome = enumerate(named, size, options.isDeep, options.statesMax);
      if (!outcome) continue;
      outcomes.push(outcome);
      violations.push(...outcome.violations);
      process.stdout.write(`${lineOf(outcome)}\n`);
    }
  for (const size of SIZES) {
    const replays = replayAll(size);
    violations.push(...replays.failures);
    process.stdout.write(`${lineOfReplays(size, replays)}\n`);
  }
  for (const violation of violations) process.stdout.write(`\n${violation}\n`);
  const wallS = Math.round((performance.now() - startedMs) / 100) / 10;
  const states = outcomes.reduce((total, outcome) => total + outcome.states, 0);
  const complete = outcomes.every((outcome) => outcome.complete);
  process.stdout.write(`${states} states, ${violations.length} violations, ${wallS} s, ${complete ? 'complete' : 'NOT complete'}\n`);
  if (options.isJson) process.stdout.write(`${JSON.stringify({ states, violations: violations.length, wallS, complete })}\n`);
  return violations.length > 0 || (!complete && options.statesMax === Number.POSITIVE_INFINITY) ? 1 : 0;
}

if (require.main === module) process.exitCode = main(process.argv.slice(2));
