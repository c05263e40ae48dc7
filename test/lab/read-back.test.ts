import { describe, expect, it } from '@jest/globals';
import { outageOf, type Sample } from '../../lab/outage';
import { compareReadBack } from '../../lab/read-back';

function sample(n: number, doneMs: number, ok = true): Sample {
  return { n, sentMs: doneMs - 5, doneMs, ok, detail: ok ? '' : 'ECONNRESET' };
}

describe('what can be read after all', () => {
  it('is nothing less and nothing twice when all went well, in whatever order it comes', () => {
    const samples = [sample(1, 10), sample(2, 30), sample(3, 50)];
    expect(compareReadBack(samples, [3, 1, 2])).toEqual({
      acknowledged: 3,
      lost: [],
      duplicates: [],
      strangers: [],
      unacknowledgedThere: 0,
    });
  });

  it('names acknowledged writes that are not there', () => {
    expect(compareReadBack([sample(1, 10), sample(2, 30), sample(3, 50)], [2]).lost).toEqual([1, 3]);
  });

  it('calls a failed write neither lost when it is away, nor wrong when it is there', () => {
    const samples = [sample(1, 10), sample(2, 30, false), sample(3, 50, false)];
    expect(compareReadBack(samples, [1, 3])).toMatchObject({ acknowledged: 1, lost: [], strangers: [], unacknowledgedThere: 1 });
  });

  it('names what is there more than once, and what nobody wrote', () => {
    expect(compareReadBack([sample(1, 10), sample(2, 30)], [1, 2, 2, 99])).toMatchObject({ lost: [], duplicates: [2], strangers: [99] });
  });
});

describe('an outage', () => {
  it('is the longest time between two good answers, and says when it ended', () => {
    const samples = [sample(1, 100), sample(2, 200), sample(3, 1_200, false), sample(4, 1_500), sample(5, 1_600)];
    expect(outageOf(samples, 90, 1_700)).toEqual({
      requests: 5,
      failed: 1,
      longestGapMs: 1_300,
      gapEndMs: 1_500,
      errors: { ECONNRESET: 1 },
    });
  });

  it('lasts to the end where no good answer came any more', () => {
    expect(outageOf([sample(1, 100)], 90, 5_000)).toMatchObject({ longestGapMs: 4_900, gapEndMs: 5_000 });
    expect(outageOf([], 0, 700)).toMatchObject({ requests: 0, longestGapMs: 700, gapEndMs: 700 });
  });

  it('counts only what happened between the two times', () => {
    const samples = [sample(1, 10, false), sample(2, 100), sample(3, 200), sample(4, 900, false)];
    expect(outageOf(samples, 50, 250)).toMatchObject({ requests: 2, failed: 0 });
  });
});
