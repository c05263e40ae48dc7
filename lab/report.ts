/** The lab's report: what was done to the cluster, how fast it was seen and repaired, what a client felt. Text only; measures nothing. */
import type { Outage } from './outage';
import type { StandIns } from './state';

export interface Recovery {
  /** What was done. */
  fault: string;
  /** From the fault until a check's status showed it, s; null where nothing was to be detected. */
  detectedS: number | null;
  /** From the fault until the status said converged with the successor in place, s. */
  recoveredS: number;
  outage: Outage;
  /** What the control plane gave as its reason. */
  reason: string;
}

export interface Report {
  recoveries: Recovery[];
  /** Writes answered with success, and how many of them could not be read at the end. */
  acknowledged: number;
  lost: number;
  standIns: StandIns;
  /** Calls that IAM refused, in words. */
  denied: string[];
  removedFromTemplate: string[];
  /** What was still there after the deletion; empty when all is gone. */
  left: string[];
}

/** Columns padded to their widest cell. */
export function renderTable(head: string[], rows: string[][]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]) =>
    widths
      .map((width, column) => (row[column] ?? '').padEnd(width))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

const seconds = (s: number): string => `${s.toFixed(1)} s`;

function renderOutage({ longestGapMs, failed, requests }: Outage): string {
  return failed === 0 ? `none (${requests} requests)` : `${seconds(longestGapMs / 1000)}, ${failed} of ${requests} failed`;
}

/** What was done and how it was mended, as a table. All times are measured wall-clock times. */
export function renderRecoveries(recoveries: readonly Recovery[]): string {
  const rows = recoveries.map(({ fault, detectedS, recoveredS, outage, reason }) => [
    fault,
    detectedS === null ? '-' : seconds(detectedS),
    seconds(recoveredS),
    renderOutage(outage),
    reason,
  ]);
  return renderTable(['what was done', 'detected after', 'recovered after', 'clients felt', 'reason given'], rows);
}

/** The report for people. */
export function renderReport(report: Report): string {
  const list = (items: string[]) => (items.length === 0 ? ['  nothing'] : items.map((item) => `  ${item}`));
  return [
    renderRecoveries(report.recoveries),
    '',
    `Writes acknowledged: ${report.acknowledged}, of them lost: ${report.lost}`,
    `Broker: ${report.standIns.broker}`,
    `Database: ${report.standIns.mongo}`,
    'Refused by IAM, as it should be:',
    ...list(report.denied),
    'Taken out of the template, because the emulator can not hold it:',
    ...list(report.removedFromTemplate),
    'Left after the deletion:',
    ...list(report.left),
  ].join('\n');
}

/** Whether the lab showed what it should. */
export function isGood(report: Report): boolean {
  return report.recoveries.length > 0 && report.lost === 0 && report.left.length === 0 && report.denied.length > 0;
}

/** The report as one line for programs. */
export function renderJson(report: Report): string {
  return JSON.stringify({ ok: isGood(report), ...report });
}
