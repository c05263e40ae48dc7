/** Words for people: what a failing run did, its shrunk list of faults, and the journal of its last minutes. Runs nothing but the shrinking. */
import { START_MS } from '../world';
import { drawPlan } from './draw';
import { type Outcome, runPlan } from './run-plan';
import { shrink } from './shrink';
import type { FaultEvent } from './swarm-plan';

/** Runs that shrinking may cost; each takes about as long as the failing one. */
const SHRINK_RUNS_MAX = 40;
const LAST_S = 300;
const LINES_MAX = 60;

/** What broke first: the checker's name, or that it did not converge. */
export function failureOf({ violations, end }: Outcome): string | undefined {
  return violations[0]?.checker ?? (end === 'not converged' ? end : undefined);
}

function lineOf(atS: number, text: string): string {
  return `  +${atS.toFixed(1).padStart(7)} s  ${text.length > 240 ? `${text.slice(0, 237)}...` : text}`;
}

function eventText({ atS, forS, kind, ...rest }: FaultEvent): string {
  return `  +${atS} s, for ${forS} s: ${kind} ${JSON.stringify(rest)}`;
}

/** The journal, the faults and the violations of a run in order of time: its last minutes up to the first violation, or its end. */
export function storyOf({ happenings, journal, violations, virtualS }: Outcome, lastS = LAST_S): string[] {
  const secondsOf = (atMs: number) => (atMs - START_MS) / 1000;
  const first = violations[0];
  const untilS = first ? secondsOf(first.atMs) + 1 : virtualS;
  return [
    ...journal.map(({ atMs, topic, event, text }) => ({ atS: secondsOf(atMs), text: `${topic} ${event}: ${text}` })),
    ...happenings.map(({ atS, text }) => ({ atS, text: `FAULT ${text}` })),
    ...violations.map(({ atMs, checker, text }) => ({ atS: secondsOf(atMs), text: `VIOLATION ${checker}: ${text}` })),
  ]
    .filter(({ atS }) => atS <= untilS && atS >= untilS - lastS)
    .sort((a, b) => a.atS - b.atS)
    .map(({ atS, text }) => lineOf(atS, text));
}

/** A failing seed as text: what broke, the faults it takes, the last minutes, and how to see it again. */
export async function reportFailure(seed: number, progress: (text: string) => void): Promise<string> {
  const plan = drawPlan(seed);
  const failure = failureOf(await runPlan(plan));
  if (failure === undefined) return `seed ${seed}: it failed in another process and does not fail here; the run is not deterministic`;
  progress(`seed ${seed}: ${failure}; shrinking ${plan.events.length} faults\n`);
  const shrunk = await shrink(plan, async (smaller) => failureOf(await runPlan(smaller)) === failure, SHRINK_RUNS_MAX);
  const outcome = await runPlan(shrunk.plan);
  const { spec, settings, events } = shrunk.plan;
  return [
    `seed ${seed}: ${failure}${outcome.problem ? `: ${outcome.problem}` : ''}`,
    ...outcome.violations.slice(0, 5).map(({ checker, text }) => `  ${checker}: ${text}`),
    `spec ${JSON.stringify(spec)}`,
    `settings ${JSON.stringify(settings)}`,
    `${events.length} of ${plan.events.length} faults are enough (${shrunk.runs} runs):`,
    ...events.map(eventText),
    'the last minutes:',
    ...storyOf(outcome).slice(-LINES_MAX),
    `again, with its whole journal: npm run swarm -- --seed ${seed}`,
  ].join('\n');
}
