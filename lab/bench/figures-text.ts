/** Figures as text that the entry's benches share: Markdown tables, goals, the clients' own delay. Measures nothing. */
import type { Felt } from '../load/felt';
import type { OwnDelay } from '../load/load-process';
import { distributionOf, percentileOf } from './distribution';

export interface Machine {
  cores: number;
  /** Processes that ran or waited to, over the last minute at the end. */
  load: number;
}

export interface Goal {
  words: string;
  met: boolean;
}

/** A table as README.md can take it. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}

export const SPREAD_HEAD = ['n', 'min', 'p50', 'p90', 'p99', 'max'] as const;

/** How values are spread, in the order of `SPREAD_HEAD`, in seconds; dashes where there are none. */
export function spreadOf(values: readonly number[]): string[] {
  if (values.length === 0) return ['0', ...SPREAD_HEAD.slice(1).map(() => '-')];
  const { count, min, median, max } = distributionOf(values);
  const seconds = [min, median, percentileOf(values, 0.9), percentileOf(values, 0.99), max];
  return [String(count), ...seconds.map((s) => `${s.toFixed(2)} s`)];
}

export function sumOf(felt: readonly Felt[]): Felt {
  const sum: Felt = { requests: 0, failed: 0, failedIdempotent: 0, errors: {} };
  for (const { requests, failed, failedIdempotent, errors } of felt) {
    sum.requests += requests;
    sum.failed += failed;
    sum.failedIdempotent += failedIdempotent;
    for (const [error, count] of Object.entries(errors)) sum.errors[error] = (sum.errors[error] ?? 0) + count;
  }
  return sum;
}

/** What failed requests said, the most frequent first. */
export function errorsInWords({ errors }: Pick<Felt, 'errors'>): string {
  const sorted = Object.entries(errors).sort(([, a], [, b]) => b - a);
  return sorted.length === 0 ? 'none' : sorted.map(([error, count]) => `${count} ${error}`).join(', ');
}

export function goalLines(goals: readonly Goal[]): string[] {
  return goals.map(({ words, met }) => `  ${met ? 'met    ' : 'NOT MET'}  ${words}`);
}

/** How far the measured times may be the clients' own, and what else the machine had to do. */
export function machineLines(delays: readonly OwnDelay[], { cores, load }: Machine): string[] {
  const worst = (pick: (delay: OwnDelay) => number): string => `${Math.max(0, ...delays.map(pick)).toFixed(0)} ms`;
  return [
    `Clients: requests sent late by ${worst((d) => d.lateP99Ms)} (p99) and ${worst((d) => d.lateMaxMs)} (max); event loops delayed by ${worst((d) => d.loopP99Ms)} (p99) and ${worst((d) => d.loopMaxMs)} (max).`,
    `Machine: ${cores} cores, load ${load.toFixed(1)} at the end; times rise with the load.`,
  ];
}
