/** What the users of an open-loop client felt over a stretch of time, worked out from its requests. Computes only. */
import type { Method, RequestRecord } from './open-loop';

/** Doing one of these twice is the same as once (RFC 9110, 9.2.2). */
const IDEMPOTENT: ReadonlySet<Method> = new Set(['GET', 'PUT']);

export interface Felt {
  requests: number;
  failed: number;
  failedIdempotent: number;
  /** What failed requests said, with how often. */
  errors: Record<string, number>;
}

/** Requests that were under way or due between two times. */
export function feltBetween(records: readonly RequestRecord[], fromMs: number, toMs: number): Felt {
  const within = records.filter(({ dueMs, doneMs }) => doneMs >= fromMs && dueMs <= toMs);
  const bad = within.filter(({ ok }) => !ok);
  const errors: Record<string, number> = {};
  for (const { method, detail } of bad) errors[`${method} ${detail}`] = (errors[`${method} ${detail}`] ?? 0) + 1;
  return {
    requests: within.length,
    failed: bad.length,
    failedIdempotent: bad.filter(({ method }) => IDEMPOTENT.has(method)).length,
    errors,
  };
}

/** When the failed ones were due, in seconds after `fromMs`, and how late the client itself was about then; empty where none failed. */
export function whenFailed(records: readonly RequestRecord[], fromMs: number, toMs: number): string {
  const within = records.filter(({ dueMs, doneMs }) => doneMs >= fromMs && dueMs <= toMs);
  const dueMs = within.filter(({ ok }) => !ok).map((record) => record.dueMs);
  if (dueMs.length === 0) return '';
  const [first, last] = [Math.min(...dueMs), Math.max(...dueMs)];
  const late = within.filter((record) => record.dueMs >= first && record.dueMs <= last).map(({ dueMs: due, sentMs }) => sentMs - due);
  const after = [first, last].map((atMs) => ((atMs - fromMs) / 1000).toFixed(2)).join(' to ');
  return `failed ones were due ${after} s after; the client was late by ${Math.round(Math.max(...late))} ms at most then`;
}

/**
 * Seconds from `fromMs` until a request that was due after it was served again: the end of the longest time without a good answer.
 * Null where that time lasts until `toMs`. A fault that nobody felt comes out as the few ms between two answers.
 */
export function servedAfterS(records: readonly RequestRecord[], fromMs: number, toMs: number): number | null {
  const good = records.filter(({ ok, dueMs, doneMs }) => ok && dueMs >= fromMs && doneMs <= toMs).map(({ doneMs }) => doneMs);
  let longestMs = -1;
  let endMs = fromMs;
  let lastMs = fromMs;
  for (const atMs of good.sort((a, b) => a - b)) {
    if (atMs - lastMs > longestMs) [longestMs, endMs] = [atMs - lastMs, atMs];
    lastMs = atMs;
  }
  return toMs - lastMs > longestMs ? null : (endMs - fromMs) / 1000;
}

/** Whether all requests that were due in the last `forMs` and have ended were good, and at least half of those due have ended. */
export function isServedFor(records: readonly RequestRecord[], forMs: number, ratePerS: number, nowMs: number): boolean {
  let good = 0;
  for (let i = records.length - 1; i >= 0; i--) {
    const record = records[i];
    if (!record || record.doneMs < nowMs - forMs) break;
    if (record.dueMs < nowMs - forMs) continue;
    if (!record.ok) return false;
    good += 1;
  }
  return good >= (ratePerS * forMs) / 2000;
}
