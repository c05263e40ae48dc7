/** `bench brokers` for people: tables, goals, and a picture of failures and times. Text and specifications only; measures nothing. */
import type { TopLevelSpec } from 'vega-lite';
import { MIX_IN_WORDS } from '../load/broker-requests';
import type { Felt } from '../load/felt';
import { type BrokersFigures, brokersGoals, brokersWrongs, CHANGES, changesOf, REPLACED_GOAL_S, SCALE_OUT_GOAL_S } from './brokers-figures';
import { distributionOf } from './distribution';
import { RATE_PER_S, TIMEOUT_MS } from './entry-bench';
import { errorsInWords, goalLines, machineLines, markdownTable, SPREAD_HEAD, spreadOf, sumOf } from './figures-text';

interface Row {
  act: string;
  side: 'ours' | 'recipe';
  felt: Felt;
  /** Seconds, and what they last until; none for the recipe, which nobody repairs. */
  times: number[];
}

function rowsOf(figures: BrokersFigures): Row[] {
  const { losses } = figures;
  return [
    { act: 'broker killed', side: 'ours', felt: sumOf(losses.map(({ ours }) => ours)), times: losses.map(({ replacedS }) => replacedS) },
    { act: 'broker killed', side: 'recipe', felt: sumOf(losses.map(({ recipe }) => recipe)), times: [] },
    ...CHANGES.map((name): Row => {
      const changes = changesOf(figures, name);
      return { act: name, side: 'ours', felt: sumOf(changes.map(({ felt }) => felt)), times: changes.map(({ tookS }) => tookS) };
    }),
  ];
}

function tableRows(figures: BrokersFigures): string[][] {
  return rowsOf(figures).map(({ act, side, felt, times }) => [
    side === 'ours' ? act : `${act} (${side})`,
    ...spreadOf(times),
    String(felt.failedIdempotent),
    String(felt.failed),
    String(felt.requests),
  ]);
}

/** The report. */
export function renderBrokers(figures: BrokersFigures): string {
  const wrongs = brokersWrongs(figures);
  const words = rowsOf(figures).map(({ act, side, felt }) => `  ${act}, ${side}: ${errorsInWords(felt)}`);
  return [
    'Killed: until a broker that started after the kill answers through the address. Scaled out: until both new ones have answered.',
    'Else: until the cluster is as wanted. Nobody replaces a broker behind the recipe.',
    '',
    markdownTable(['act', ...SPREAD_HEAD, 'failed GET, PUT', 'failed, all', 'requests'], tableRows(figures)),
    '',
    'Failed requests said:',
    ...words,
    '',
    'Goals:',
    ...goalLines(brokersGoals(figures)),
    '',
    `Load: ${RATE_PER_S} requests a second to each pair, sent at fixed times (${MIX_IN_WORDS}), connections kept, no retries, failed after ${TIMEOUT_MS / 1000} s.`,
    `Recipe: ${figures.recipeVersions}, in front of the same brokers, with the slides' values.`,
    ...machineLines(figures.delays, figures.machine),
    ...(wrongs.length === 0 ? ['Everything was measured.'] : ['WRONG:', ...wrongs.map((line) => `  ${line}`)]),
  ].join('\n');
}

const COLOR = { field: 'side', type: 'nominal', scale: { domain: ['ours', 'recipe'], range: ['#1f6fb4', '#b4541f'] }, legend: null };
const ROOM_FOR_NAMES = { labelLimit: 260 };

function failuresPicture(figures: BrokersFigures): object {
  const values = rowsOf(figures).map(({ act, side, felt: { failed, requests } }) => ({
    row: side === 'ours' ? act : `${act}, recipe`,
    side,
    failed,
    label: `${failed} of ${requests}`,
  }));
  return {
    title: { text: "Failed requests, all runs together (blue: ours, brown: the slides' recipe)", fontSize: 11, anchor: 'start' },
    width: 640,
    height: 190,
    data: { values },
    encoding: {
      y: { field: 'row', type: 'nominal', sort: values.map(({ row }) => row), title: null, axis: ROOM_FOR_NAMES },
      x: { field: 'failed', type: 'quantitative', title: 'failed requests' },
    },
    layer: [
      { mark: 'bar', encoding: { color: COLOR } },
      { mark: { type: 'text', align: 'left', dx: 4 }, encoding: { text: { field: 'label', type: 'nominal' } } },
    ],
  };
}

function timesPicture(figures: BrokersFigures): object {
  const rows = rowsOf(figures).filter(({ times }) => times.length > 0);
  const values = rows.flatMap(({ act, side, times }) => times.map((seconds) => ({ row: act, side, seconds })));
  const medians = rows.map(({ act, side, times }) => {
    const at = distributionOf(times).median;
    return { row: act, side, at, label: `p50 ${at.toFixed(1)} s` };
  });
  const y = { field: 'row', type: 'nominal', sort: rows.map(({ act }) => act), title: null, axis: ROOM_FOR_NAMES };
  const at = { field: 'at', type: 'quantitative' };
  return {
    title: { text: 'Seconds until done, each run a dot', fontSize: 11, anchor: 'start' },
    width: 640,
    height: 240,
    layer: [
      {
        data: { values },
        mark: { type: 'circle', opacity: 0.5, size: 50 },
        encoding: { y, x: { field: 'seconds', type: 'quantitative', title: 'seconds' }, color: COLOR },
      },
      {
        data: { values: medians },
        layer: [
          { mark: { type: 'tick', thickness: 2, size: 22 }, encoding: { x: at, y, color: COLOR } },
          { mark: { type: 'text', fontSize: 10, dy: -16 }, encoding: { x: at, y, text: { field: 'label', type: 'nominal' } } },
        ],
      },
    ],
  };
}

/** Failed requests of each act as bars; the times of each run as dots, a tick at p50. */
export function brokersPicture(figures: BrokersFigures): TopLevelSpec {
  const spec = {
    title: {
      text: 'Brokers killed and changed under traffic',
      subtitle: [
        `${figures.runs} runs each, ${RATE_PER_S} requests a second`,
        `goals: a new broker within ${REPLACED_GOAL_S} s, two more within ${SCALE_OUT_GOAL_S} s;`,
        'no failed GET or PUT where one is killed, else no failed request',
      ],
      anchor: 'start',
    },
    vconcat: [failuresPicture(figures), timesPicture(figures)],
  };
  return spec as unknown as TopLevelSpec;
}
