import { describe, expect, it } from '@jest/globals';
import { feltBetween, isServedFor, servedAfterS, whenFailed } from '../../lab/load/felt';
import type { RequestRecord } from '../../lab/load/open-loop';

function ended(dueMs: number, doneMs: number, change: Partial<RequestRecord> = {}): RequestRecord {
  return { dueMs, sentMs: dueMs, doneMs, method: 'GET', ok: true, detail: '', ...change };
}

const failed = (dueMs: number, doneMs: number, method: RequestRecord['method'], detail: string) =>
  ended(dueMs, doneMs, { method, detail, ok: false });

/** A request each 5 ms, each answered after 2 ms. */
const steady = (fromMs: number, toMs: number) =>
  Array.from({ length: (toMs - fromMs) / 5 }, (_, i) => ended(fromMs + 5 * i, fromMs + 5 * i + 2));

describe('what clients felt', () => {
  it('counts failures by kind, idempotent or not, with those that were under way', () => {
    const records = [
      failed(900, 1_100, 'POST', 'ECONNRESET'),
      failed(1_200, 3_200, 'GET', 'no answer'),
      failed(1_300, 1_301, 'PUT', 'HTTP 503'),
      failed(1_310, 1_311, 'PUT', 'HTTP 503'),
      failed(100, 200, 'GET', 'too early'),
      failed(5_000, 5_001, 'GET', 'too late'),
      ended(1_400, 1_402),
    ];
    expect(feltBetween(records, 1_000, 2_000)).toEqual({
      requests: 5,
      failed: 4,
      failedIdempotent: 3,
      errors: { 'POST ECONNRESET': 1, 'GET no answer': 1, 'PUT HTTP 503': 2 },
    });
  });

  it('is served again at the end of the longest time without a good answer', () => {
    const records = [...steady(0, 1_020), failed(1_030, 1_040, 'GET', 'ECONNRESET'), ...steady(2_500, 6_000)];
    expect(servedAfterS(records, 1_000, 6_000)).toBeCloseTo(1.502, 5);
  });

  it('counts no answer to a request that was due before the fault', () => {
    const stuck = ended(900, 1_700);
    expect(servedAfterS([...steady(0, 1_000), stuck, ...steady(2_500, 6_000)], 1_000, 6_000)).toBeCloseTo(1.502, 5);
  });

  it('is not served again where the longest time lasts to the end, or nothing was good at all', () => {
    expect(servedAfterS(steady(0, 1_100), 1_000, 9_000)).toBeNull();
    expect(servedAfterS([], 1_000, 9_000)).toBeNull();
  });

  it('is served for a while once all that was due in it was good', () => {
    expect(isServedFor(steady(0, 2_000), 1_000, 200, 2_000)).toBe(true);
    expect(isServedFor([...steady(0, 1_900), failed(1_901, 1_902, 'GET', 'HTTP 503')], 1_000, 200, 1_950)).toBe(false);
    expect(isServedFor(steady(0, 500), 1_000, 200, 2_000)).toBe(false);
    expect(isServedFor([failed(100, 1_950, 'GET', 'no answer'), ...steady(900, 2_000)], 1_000, 200, 2_000)).toBe(true);
  });

  it('says when failed requests were due, and how late the client itself was', () => {
    const late = ended(1_250, 1_300, { sentMs: 1_290 });
    const records = [failed(1_200, 1_210, 'GET', 'x'), late, failed(1_400, 1_410, 'GET', 'x')];
    expect(whenFailed(records, 1_000, 2_000)).toBe('failed ones were due 0.20 to 0.40 s after; the client was late by 40 ms at most then');
    expect(whenFailed(steady(1_000, 2_000), 1_000, 2_000)).toBe('');
  });
});
