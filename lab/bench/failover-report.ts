/** `bench failover` for people: tables, goals, and a picture of every single takeover. Text and specifications only; measures nothing. */
import type { TopLevelSpec } from 'vega-lite';
import { MIX_IN_WORDS } from '../load/broker-requests';
import { distributionOf, percentileOf } from './distribution';
import { RATE_PER_S, TIMEOUT_MS } from './entry-bench';
import {
  ADDRESS_GOAL,
  type Deafness,
  type FailoverFigures,
  type Fault,
  failoverGoals,
  failoverWrongs,
  type Side,
  type StuckProxy,
  type Taken,
  type Takeover,
  timesOf,
} from './failover-figures';
import { errorsInWords, goalLines, machineLines, markdownTable, SPREAD_HEAD, spreadOf, sumOf } from './figures-text';

const KINDS: readonly { side: Side; fault: Fault; words: string }[] = [
  { side: 'ours', fault: 'killed', words: 'ours, killed' },
  { side: 'recipe', fault: 'killed', words: 'recipe, killed' },
  { side: 'ours', fault: 'hung', words: 'ours, hung' },
  { side: 'recipe', fault: 'hung', words: 'recipe, hung' },
];

function feltOf(takeovers: readonly Takeover[], side: Side, fault: Fault) {
  return sumOf(takeovers.filter((takeover) => takeover.fault === fault).map((takeover) => takeover[side].felt));
}

function spreadRows({ takeovers }: FailoverFigures): string[][] {
  return KINDS.map(({ side, fault, words }) => {
    const { failed, requests } = feltOf(takeovers, side, fault);
    return [words, ...spreadOf(timesOf(takeovers, side, fault)), `${failed} of ${requests}`];
  });
}

function errorLines({ takeovers }: FailoverFigures): string[] {
  return KINDS.map(({ side, fault, words }) => `  ${words}: ${errorsInWords(feltOf(takeovers, side, fault))}`);
}

function unreached({ takeovers }: FailoverFigures): string[] {
  return KINDS.flatMap(({ side, fault, words }) => {
    const missed = takeovers.filter((takeover) => takeover.fault === fault && takeover[side].servedS === null).length;
    return missed === 0 ? [] : [`${words}: in ${missed} runs nothing was served while it was watched; that time stands for it.`];
  });
}

function deafLines(deafness: Deafness | null): string[] {
  if (!deafness) return [];
  const { watchedS, moves, claimsRefused, looks, looksWithTwo, ours, recipe } = deafness;
  return [
    '',
    `Balancers deaf to each other for ${watchedS.toFixed(0)} s, all healthy:`,
    `  ours: the address moved ${moves} times, ${claimsRefused} claims refused, ${ours.failed} of ${ours.requests} requests failed (${errorsInWords(ours)})`,
    `  recipe: both had the address at ${looksWithTwo} of ${looks} looks, ${recipe.failed} of ${recipe.requests} requests failed (${errorsInWords(recipe)})`,
  ];
}

function stuckLines(stuck: StuckProxy | null): string[] {
  if (!stuck) return [];
  const line = (words: string, { servedS, felt }: Taken): string => {
    const served = servedS === null ? `not served within ${stuck.watchedS.toFixed(0)} s` : `served after ${servedS.toFixed(2)} s`;
    return `  ${words}: ${served}, ${felt.failed} of ${felt.requests} requests failed`;
  };
  return ['', 'HAProxy alone stopped on both holders (SIGSTOP), once:', line('ours', stuck.ours), line('recipe', stuck.recipe)];
}

/** The report. */
export function renderFailover(figures: FailoverFigures): string {
  const { takeovers, deafness, stuckProxy, delays, recipeVersions, machine } = figures;
  const wrongs = failoverWrongs(figures);
  const movedOf = (wanted: Fault) => takeovers.flatMap(({ fault, movedS }) => (fault === wanted && movedS !== null ? [movedS] : []));
  return [
    'Holder of the address taken away, until the first request through the address is served:',
    '',
    markdownTable(['pair, fault', ...SPREAD_HEAD, 'failed requests'], spreadRows(figures)),
    '',
    'Of ours, until the failover worker had moved the address and written so into the journal:',
    '',
    markdownTable(
      ['fault', ...SPREAD_HEAD],
      (['killed', 'hung'] as const).map((fault) => [fault, ...spreadOf(movedOf(fault))]),
    ),
    '',
    'Failed requests said:',
    ...errorLines(figures),
    ...unreached(figures),
    ...deafLines(deafness),
    ...stuckLines(stuckProxy),
    '',
    'Goals:',
    ...goalLines(failoverGoals(figures)),
    '',
    `Load: ${RATE_PER_S} requests a second to each pair, sent at fixed times (${MIX_IN_WORDS}), connections kept, no retries, failed after ${TIMEOUT_MS / 1000} s.`,
    `Recipe: ${recipeVersions}, in front of the same brokers, with the slides' values.`,
    ...machineLines(delays, machine),
    ...(wrongs.length === 0 ? ['Nothing happened that must never happen.'] : ['WRONG:', ...wrongs.map((line) => `  ${line}`)]),
  ].join('\n');
}

/** A tick with its value beside it, above the row for p50, below it for p99. */
function markLayer(takeovers: readonly Takeover[], name: 'p50' | 'p99', y: object, color: object): object {
  const values = KINDS.flatMap(({ side, fault, words }) => {
    const times = timesOf(takeovers, side, fault);
    if (times.length === 0) return [];
    const at = name === 'p50' ? distributionOf(times).median : percentileOf(times, 0.99);
    return [{ row: words, side, at, label: `${name} ${at.toFixed(2)} s` }];
  });
  const x = { field: 'at', type: 'quantitative' };
  return {
    data: { values },
    layer: [
      { mark: { type: 'tick', thickness: 2, size: 28 }, encoding: { x, y, color } },
      {
        mark: { type: 'text', fontSize: 10, dy: name === 'p50' ? -20 : 21 },
        encoding: { x, y, text: { field: 'label', type: 'nominal' } },
      },
    ],
  };
}

/** Each takeover as a dot, a tick at p50 and p99 of each row. */
export function failoverPicture({ takeovers, runs }: FailoverFigures): TopLevelSpec {
  const values = KINDS.flatMap(({ side, fault, words }) =>
    timesOf(takeovers, side, fault).map((seconds) => ({ row: words, side, seconds })),
  );
  const y = { field: 'row', type: 'nominal', sort: KINDS.map(({ words }) => words), title: null };
  const color = { field: 'side', type: 'nominal', scale: { domain: ['ours', 'recipe'], range: ['#1f6fb4', '#b4541f'] }, legend: null };
  const x = { field: 'seconds', type: 'quantitative', title: 'seconds', scale: { zero: true } };
  const spec = {
    title: {
      text: 'Holder of the address taken away: seconds until the first request is served',
      subtitle: [
        `${runs} runs each, ${RATE_PER_S} requests a second`,
        `goals for ours: killed p50 ${ADDRESS_GOAL.p50S} s, p99 ${ADDRESS_GOAL.p99S} s; hung ${ADDRESS_GOAL.hungS} s`,
      ],
      anchor: 'start',
    },
    width: 640,
    height: 260,
    layer: [
      { data: { values }, mark: { type: 'circle', opacity: 0.5, size: 50 }, encoding: { x, y, color } },
      markLayer(takeovers, 'p50', y, color),
      markLayer(takeovers, 'p99', y, color),
    ],
  };
  return spec as unknown as TopLevelSpec;
}
