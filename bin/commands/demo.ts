/** `fiware-ha demo`: plays the demo's story on the simulated cloud and shows it. All times are simulated ones, and the output says so. */
import { Command, InvalidArgumentError } from 'commander';
import { DEMO_STORY } from '../../sim/scenarios/demo-story';
import { type Ending, play, type Recovery, type StoryListener } from '../../sim/scenarios/story';

interface DemoOptions {
  seed: number;
  json?: boolean;
}

/** Events of the journal a person wants to see go by. */
const SHOWN: ReadonlySet<string> = new Set(['planned', 'done', 'refused', 'failed', 'blocked']);
const LINE_CHARS = 150;
/** How much of the journal a violation shows, seconds before it. */
const BEFORE_S = 180;

function parseSeed(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`expected a whole number such as 7, got ${JSON.stringify(text)}`);
  return Number(text);
}

function clock(atS: number): string {
  const minutes = Math.floor(atS / 60);
  return `${String(minutes).padStart(3)}:${(atS - minutes * 60).toFixed(1).padStart(4, '0')}`;
}

function cut(text: string): string {
  return text.length > LINE_CHARS ? `${text.slice(0, LINE_CHARS - 1)}…` : text;
}

/** Prints what happens as it happens. */
function timeline(print: (line: string) => void): StoryListener {
  return {
    onAct: (atS, act, target) => print(`\n${clock(atS)}  >> ${act.name.toUpperCase()}: ${target}`),
    onJournal: (atS, { event, topic, text }) => {
      if (SHOWN.has(event)) print(`${clock(atS)}     ${event.padEnd(8)} ${topic.padEnd(18)} ${cut(text)}`);
    },
    onRecovery: (atS, { recoveredS }) =>
      print(`${clock(atS)}  << ${recoveredS === null ? 'NOT as it should be' : `as it should be after ${recoveredS} s`}`),
  };
}

function seconds(value: number | null): string {
  return value === null ? 'never' : `${value.toFixed(1)} s`;
}

/** Rows of text in columns as wide as their widest cell. */
function columns(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function table(recoveries: Recovery[]): string[] {
  const rows = recoveries.map((r) => [
    r.fault,
    r.target,
    seconds(r.detectedS),
    seconds(r.recoveredS),
    `${r.outageS} s`,
    r.reason.slice(0, 90),
  ]);
  return columns([['WHAT HAPPENED', 'TO', 'SEEN AFTER', 'WELL AFTER', 'OUTAGE', 'WHY THE FIRST JOB WAS PLANNED'], ...rows]);
}

/** A violation with the journal of the minutes before it, and how to see it again. */
function violations({ violations: found, journal, seed }: Ending): string[] {
  return found.flatMap(({ atMs, checker, text }) => [
    `VIOLATION of ${checker}: ${text}`,
    ...journal
      .filter((entry) => entry.atMs <= atMs && entry.atMs > atMs - BEFORE_S * 1000)
      .map((entry) => `    ${new Date(entry.atMs).toISOString().slice(11, 21)} ${entry.event} ${entry.topic}: ${entry.text}`),
    `    replay: npm run demo -- --seed ${seed}`,
  ]);
}

/** The documented last line of `--json`. */
function summaryOf({ seed, converged, violations: found, recoveries }: Ending): object {
  const faults = recoveries.filter((recovery) => recovery.isFault);
  return {
    seed,
    converged,
    violations: found.length,
    recoveries: faults.map(({ fault, detectedS, recoveredS }) => ({ fault, detectedS, recoveredS })),
  };
}

async function run({ seed, json = false }: DemoOptions): Promise<void> {
  const print = (line: string) => void (json ? process.stderr : process.stdout).write(`${line}\n`);
  const startMs = performance.now();
  print('fiware-ha demo: the real control plane on a SIMULATED cloud. Every time below is simulated time, none is measured.');
  const ending = await play(seed, DEMO_STORY, timeline(print));
  const wallS = (performance.now() - startMs) / 1000;
  for (const line of ['', ...table(ending.recoveries), '']) print(line);
  print(
    'SEEN AFTER, WELL AFTER and OUTAGE are simulated seconds; OUTAGE counts a client that writes one entity a second through the address.',
  );
  for (const line of violations(ending)) print(line);
  const verdict = ending.converged ? 'every act ended with the cluster as it should be' : 'the cluster did NOT become as it should be';
  print(
    `seed ${seed}: ${verdict}; ${ending.violations.length} violations; ${ending.virtualS} simulated seconds in ${wallS.toFixed(1)} real ones.`,
  );
  if (json) process.stdout.write(`${JSON.stringify(summaryOf(ending))}\n`);
  if (!ending.converged || ending.violations.length > 0) process.exitCode = 1;
}

/** The command, for the program to mount. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('Plays a bad week on a simulated cloud: create, scale out, kill, hang, lose a zone, scale in, delete. Needs no account.')
    .option('--seed <n>', 'play this run again', parseSeed, 1)
    .option('--json', 'one JSON line at the end on standard output, the timeline on standard error')
    .addHelpText(
      'after',
      '\nExamples:\n  fiware-ha demo\n  fiware-ha demo --seed 7 --json\n\nExit code 1 when a checker finds a violation or the cluster does not recover.',
    )
    .action(run);
}
