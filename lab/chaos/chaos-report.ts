/** The outcome of chaos as text: a line a scenario, the table, the last line. Measures nothing. */
import { renderTable } from '../report';
import type { SeenOutage } from './seen-outage';

export interface Played {
  name: string;
  outage: SeenOutage;
  repairedS: number | null;
  /** Acknowledged writes of its time that can't be read. */
  lost: number;
  /** What did not hold; empty where it passed. */
  wrongs: string[];
}

export interface ChaosFigures {
  played: Played[];
  /** Scenarios that were not played, because the cluster did not get over one before. */
  notPlayed: string[];
  acknowledged: number;
  /** Of all acknowledged writes, at the end. */
  lostWrites: number;
  jobs: number;
  lostJobs: string[];
  tookS: number;
}

const seconds = (s: number): string => `${s.toFixed(1)} s`;
const tenths = (s: number): number => Math.round(s * 10) / 10;

/** One scenario for programs. */
export function scenarioLine({ name, outage, repairedS, lost, wrongs }: Played): string {
  const { gapS, disturbedS, failed, requests } = outage;
  const repaired = repairedS === null ? null : tenths(repairedS);
  return JSON.stringify({
    scenario: name,
    passed: wrongs.length === 0,
    outageS: tenths(gapS),
    disturbedS,
    failed,
    requests,
    repairedS: repaired,
    lost,
    wrongs,
  });
}

function rowOf({ name, outage, repairedS, lost, wrongs }: Played): string[] {
  const { gapS, disturbedS, failed, requests } = outage;
  const felt = failed === 0 ? 'none' : `${seconds(gapS)}, failures in ${disturbedS} s`;
  const repaired = repairedS === null ? 'not' : seconds(repairedS);
  return [name, felt, `${failed} of ${requests}`, repaired, String(lost), wrongs.length === 0 ? 'passed' : 'FAILED'];
}

/** The documented last line of `--json`. */
export function chaosSummary({ played, notPlayed, lostWrites, lostJobs }: ChaosFigures): object {
  const passed = played.filter(({ wrongs }) => wrongs.length === 0).length;
  return { scenarios: played.length + notPlayed.length, passed, lostWrites, lostJobs: lostJobs.length };
}

/** Whether every scenario was played and passed, and nothing is lost. */
export function isChaosGood({ played, notPlayed, acknowledged, lostWrites, lostJobs }: ChaosFigures): boolean {
  const allPassed = played.length > 0 && notPlayed.length === 0 && played.every(({ wrongs }) => wrongs.length === 0);
  return allPassed && acknowledged > 0 && lostWrites === 0 && lostJobs.length === 0;
}

/** For people. */
export function renderChaos(figures: ChaosFigures): string {
  const { played, notPlayed, acknowledged, lostWrites, jobs, lostJobs, tookS } = figures;
  const wrongs = played.flatMap(({ name, wrongs: lines }) => lines.map((line) => `  ${name}: ${line}`));
  return [
    renderTable(['scenario', 'outage seen by the client', 'failed', 'repaired after', 'lost', ''], played.map(rowOf)),
    '',
    `Writes acknowledged: ${acknowledged}, of them lost: ${lostWrites}`,
    `Jobs enqueued, by the planner and by hand: ${jobs}, of them without an end: ${lostJobs.length === 0 ? 'none' : lostJobs.join(', ')}`,
    `${played.length} scenarios in ${Math.round(tookS)} s`,
    ...(notPlayed.length > 0 ? [`NOT PLAYED: ${notPlayed.join(', ')}`] : []),
    ...(wrongs.length > 0 ? ['WRONG:', ...wrongs] : []),
  ].join('\n');
}
