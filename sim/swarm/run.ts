/** Command line of the swarm: runs seeds, prints what broke and how little it takes, ends with 1 on a violation. Decides nothing about a cluster. */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawPlan } from './draw';
import { buildChild } from './mutate';
import { searchMutants } from './mutation-search';
import { runSeeds, type Told } from './pool';
import { failureOf, reportFailure, storyOf } from './report';
import { runPlan } from './run-plan';

const HELP = `npm run swarm -- --seeds N [--from F] [--jobs J] [--json]
npm run swarm -- --seed S [--json]
npm run swarm -- --mutations [--seeds N] [--only NAME]

Runs simulated clusters under drawn faults with the real control plane, and checks them from outside. Each seed draws everything:
topology, policy, timings, which kinds of fault are on, when and how hard. First faults, then calm: the cluster must converge within a
bound, and nothing may be planned any more. The same seed is the same run.
  --seeds N    runs N seeds; with --mutations, how many at most for each mutant (2000)
  --from F     the first of them (1)
  --seed S     runs one, and prints its plan, its faults and its whole journal
  --jobs J     processes at once (as many as cores)
  --mutations  puts one bug after the other into the control plane, and says which seed finds it
  --only NAME  only that mutant
  --json       last line {"seeds":N,"violations":0,"notConverged":0,"stopped":K,"speedup":X}
A violation prints its seed, the shrunk list of faults and the journal of the last minutes; exit code 1. "stopped" counts runs in which
a majority of the members was gone for good, and the control plane stopped and said so, as it must. "speedup" is virtual seconds a second.
Ctrl-C ends a long run after the seeds under way and tells what was run until then (exit code 130 where all was well); --from goes on.
`;

const REPORTS_MAX = 3;
const PROGRESS_EVERY = 25;
const MUTANT_SEEDS = 2_000;
/** What ends a run early, after the seeds under way. */
const ENDING = ['SIGINT', 'SIGTERM'] as const;
/** Exit code of a run that was ended early, as a shell gives it for Ctrl-C. */
const INTERRUPTED = 130;

interface Options {
  seeds?: number;
  from: number;
  seed?: number;
  jobs: number;
  only?: string;
  mutations: boolean;
  json: boolean;
}

function parse(args: readonly string[]): Options | string {
  const options: Options = { from: 1, jobs: availableParallelism(), mutations: false, json: false };
  const words = [...args];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--json') options.json = true;
    else if (word === '--mutations') options.mutations = true;
    else if (word === '--only') options.only = words.shift() ?? '';
    else if (word === '--seeds' || word === '--from' || word === '--seed' || word === '--jobs') {
      const value = words.shift() ?? '';
      const least = word === '--seed' || word === '--from' ? 0 : 1;
      if (!/^\d{1,9}$/.test(value) || Number(value) < least)
        return `${word}: expected a whole number from ${least} on; got ${JSON.stringify(value)}`;
      options[word.slice(2) as 'seeds'] = Number(value);
    } else return `${word}: expected --seeds, --from, --seed, --jobs, --mutations, --only, --json or --help`;
  }
  if (!options.mutations && (options.seeds === undefined) === (options.seed === undefined))
    return 'expected --seeds N, or --seed S, and not both';
  return options;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function summary(told: readonly Told[], wallS: number) {
  const count = (is: (one: Told) => boolean) => told.filter(is).length;
  const virtualS = told.reduce((sum, one) => sum + one.virtualS, 0);
  return {
    seeds: told.length,
    violations: count(({ violations }) => violations > 0),
    notConverged: count(({ end }) => end === 'not converged'),
    stopped: count(({ end }) => end === 'stopped'),
    virtualH: Math.round(virtualS / 360) / 10,
    wallS: Math.round(wallS * 10) / 10,
    speedup: Math.round(virtualS / wallS),
  };
}

/** Runs the seeds with the sources as they were at the beginning: bundled once, which is also faster. */
async function tellAll(seeds: readonly number[], jobs: number): Promise<Told[]> {
  const told: Told[] = [];
  let isEnding = false;
  // The second signal finds the default again, and ends it at once.
  const end = () => {
    isEnding = true;
    process.stderr.write('ending after the seeds under way\n');
  };
  for (const signal of ENDING) process.once(signal, end);
  const folder = mkdtempSync(join(tmpdir(), 'fiware-ha-swarm-'));
  try {
    const program = join(folder, 'swarm.js');
    await buildChild(program);
    await runSeeds(program, seeds, jobs, (one) => {
      told.push(one);
      if (one.failure) process.stderr.write(`seed ${one.seed}: ${one.failure}\n`);
      if (told.length % PROGRESS_EVERY === 0) process.stderr.write(`${told.length} of ${seeds.length} seeds\n`);
      return !isEnding;
    });
  } finally {
    for (const signal of ENDING) process.removeListener(signal, end);
    rmSync(folder, { recursive: true, force: true });
  }
  return told;
}

async function runMany(seeds: number, { from, jobs, json }: Options): Promise<number> {
  const startedMs = performance.now();
  const all = Array.from({ length: seeds }, (_, i) => from + i);
  const told = await tellAll(all, jobs);
  const result = summary(told, (performance.now() - startedMs) / 1000);
  const failed = told.filter(({ failure }) => failure !== undefined).sort((a, b) => a.seed - b.seed);
  for (const { seed } of failed.slice(0, REPORTS_MAX)) print(`\n${await reportFailure(seed, (text) => process.stderr.write(text))}`);
  if (failed.length > REPORTS_MAX)
    print(
      `\nfailed as well: ${failed
        .slice(REPORTS_MAX)
        .map(({ seed, failure }) => `${seed} (${failure})`)
        .join(', ')}`,
    );
  if (json) print(JSON.stringify(result));
  else
    print(
      `${result.seeds} seeds, ${result.virtualH} virtual hours in ${result.wallS} s, ${result.speedup} times real time: ${result.violations} with violations, ${result.notConverged} not converged, ${result.stopped} rightly stopped`,
    );
  if (failed.length > 0) return 1;
  return told.length < seeds ? INTERRUPTED : 0;
}

async function runOne(seed: number, json: boolean): Promise<number> {
  const startedMs = performance.now();
  const plan = drawPlan(seed);
  print(JSON.stringify(plan, null, 2));
  const outcome = await runPlan(plan);
  for (const line of storyOf({ ...outcome, violations: [] }, outcome.virtualS)) print(line);
  for (const { checker, text } of outcome.violations) print(`VIOLATION ${checker}: ${text}`);
  print(`seed ${seed}: ${outcome.end}${outcome.problem ? `: ${outcome.problem}` : ''}`);
  const failure = failureOf(outcome);
  const { end, virtualS } = outcome;
  const told = { seed, end, virtualS, violations: outcome.violations.length, ...(failure ? { failure } : {}) };
  if (json) print(JSON.stringify(summary([told], (performance.now() - startedMs) / 1000)));
  return failure ? 1 : 0;
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(HELP);
    return 0;
  }
  const options = parse(args);
  if (typeof options === 'string') {
    process.stderr.write(`error: ${options}; see --help\n`);
    return 2;
  }
  if (options.mutations) return searchMutants({ ...options, seedsMax: options.seeds ?? MUTANT_SEEDS }, print);
  return options.seed === undefined ? runMany(options.seeds ?? 0, options) : runOne(options.seed, options.json);
}

void main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
