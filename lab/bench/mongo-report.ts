/** `bench mongo` for people: what was done, how the figures are spread, where the time went. Text only; measures nothing. */
import type { Outage } from '../outage';
import { renderTable } from '../report';
import { type Distribution, distributionOf } from './distribution';
import { type Change, type MongoFigures, REPLACE_GOAL_S, type Replacement, wrongs } from './mongo-figures';
import { durationsOf, STEP_NAMES } from './replacement-steps';

const seconds = (s: number): string => `${s.toFixed(1)} s`;
const orNone = (s: number | null): string => (s === null ? '-' : seconds(s));

function felt({ longestGapMs, failed, requests }: Outage): string {
  return `${seconds(longestGapMs / 1000)} without an acknowledged write, ${failed} of ${requests} failed`;
}

function spread({ min, median, p95, max, count }: Distribution): string[] {
  return [String(count), ...[min, median, p95, max].map(seconds)];
}

function killRows(kills: readonly Replacement[]): string[][] {
  return kills.map(({ victim, slot, electedS, failoverS, replaceS, outage }) => [
    `${victim} killed (${slot})`,
    orNone(electedS),
    orNone(failoverS),
    seconds(replaceS),
    felt(outage),
  ]);
}

function changeRows(changes: readonly Change[]): string[][] {
  return changes.map(({ what, tookS, outage, note }) => [what, seconds(tookS), felt(outage), note]);
}

function figureRows({ kills, server }: MongoFigures): string[][] {
  const row = (what: string, values: number[], goal: string): string[][] =>
    values.length === 0 ? [] : [[what, ...spread(distributionOf(values)), goal]];
  const replaced = kills.map((kill) => kill.replaceS);
  const met = replaced.length > 0 && distributionOf(replaced).median <= REPLACE_GOAL_S ? 'met' : 'not met';
  return [
    ...row('voter killed until its replacement votes', replaced, `median <= ${REPLACE_GOAL_S} s without sync: ${met}`),
    ...row(
      'primary killed until another leads',
      kills.flatMap((kill) => kill.electedS ?? []),
      `the set's own: election timeout ${server.electionTimeoutS} s`,
    ),
    ...row(
      'primary killed until a write is acknowledged',
      kills.flatMap((kill) => kill.failoverS ?? []),
      "the election's time and nothing of ours",
    ),
  ];
}

/** Median duration of each step of a replacement over all kills that have it. */
function stepRows(kills: readonly Replacement[]): string[][] {
  const all = kills.map((kill) => durationsOf(kill.steps));
  return STEP_NAMES.flatMap((name) => {
    const values = all.flatMap((durations) => durations[name] ?? []);
    return values.length === 0 ? [] : [[name, ...spread(distributionOf(values))]];
  });
}

/** The report. */
export function renderMongo(figures: MongoFigures): string {
  const { kills, changes, freezes, written, readBack, server, database, machine } = figures;
  const bad = wrongs(figures);
  const distribution = ['n', 'min', 'median', 'p95', 'max'];
  return [
    renderTable(['voter', 'another leads', 'next write', 'replacement votes', 'the writer felt'], killRows(kills)),
    '',
    renderTable(['what else was done', 'took', 'the writer felt', ''], changeRows([...changes, ...freezes])),
    '',
    renderTable(['figure', ...distribution, 'held against'], figureRows(figures)),
    '',
    renderTable(['step of a replacement (journal)', ...distribution], stepRows(kills)),
    '',
    `Election timeout of the set ${server.electionTimeoutS} s. Database: ${database} (${server.version}).`,
    `Machine: ${machine.cores} cores, load ${machine.load.toFixed(1)} at the end; times rise with the load.`,
    `Writes: ${written.sent} sent, ${written.acknowledged} acknowledged (majority), ${written.failed} failed; of the acknowledged ${readBack.lost.length} lost, ${readBack.duplicates.length} there twice; ${readBack.unacknowledgedThere} of the failed are there all the same.`,
    ...(bad.length === 0 ? ['Nothing happened that must never happen.'] : ['WRONG:', ...bad.map((line) => `  ${line}`)]),
  ].join('\n');
}
