import { describe, expect, it } from '@jest/globals';
import { percentileOf } from '../../lab/bench/distribution';
import {
  type Deafness,
  type FailoverFigures,
  type Fault,
  failoverGoals,
  failoverSummary,
  failoverWrongs,
  type Takeover,
} from '../../lab/bench/failover-figures';
import { failoverPicture, renderFailover } from '../../lab/bench/failover-report';
import type { Felt } from '../../lab/load/felt';
import { dotsIn, drawSvg, malformed, textIn } from './svg';

function felt(failed: number): Felt {
  return { requests: 1_200, failed, failedIdempotent: failed, errors: failed > 0 ? { 'GET ECONNRESET': failed } : {} };
}

function aTakeover(fault: Fault, oursS: number | null, recipeS: number | null): Takeover {
  return {
    fault,
    ours: { servedS: oursS, felt: felt(200) },
    recipe: { servedS: recipeS, felt: felt(700) },
    watchedS: 30,
    movedS: oursS === null ? null : oursS - 0.1,
  };
}

const deafness: Deafness = { watchedS: 30, moves: 0, claimsRefused: 4, looks: 25, looksWithTwo: 22, ours: felt(0), recipe: felt(16) };

function theFigures(change: Partial<FailoverFigures> = {}): FailoverFigures {
  const killed = [aTakeover('killed', 1.204, 3.4), aTakeover('killed', 1.3, 3.61), aTakeover('killed', 1.9, 3.5)];
  return {
    runs: 3,
    takeovers: [...killed, aTakeover('hung', 2.1, 3.3), aTakeover('hung', 2.456, 3.2)],
    deafness,
    stuckProxy: { watchedS: 15, ours: { servedS: 2.5, felt: felt(400) }, recipe: { servedS: null, felt: felt(1_200) } },
    delays: [{ lateP99Ms: 4, lateMaxMs: 21, loopP99Ms: 6, loopMaxMs: 23 }],
    recipeVersions: 'HAProxy 2.6.12, keepalived 2.2.7',
    machine: { cores: 2, load: 1.5 },
    ...change,
  };
}

const verdicts = (figures: FailoverFigures) => failoverGoals(figures).map(({ met }) => met);

describe('a percentile', () => {
  it('is the smallest value that its share of the values does not exceed', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([0.01, 0.5, 0.9, 0.99, 1].map((share) => percentileOf(hundred, share))).toEqual([1, 50, 90, 99, 100]);
    expect(percentileOf([3, 1, 2], 0.99)).toBe(3);
    expect(percentileOf([7], 0)).toBe(7);
    expect(() => percentileOf([], 0.5)).toThrow(/at least one value/);
  });
});

describe('the last line of bench failover', () => {
  it('has exactly the documented fields', () => {
    expect(JSON.stringify(failoverSummary(theFigures()))).toBe(
      '{"addressP50S":1.3,"addressP99S":1.9,"recipeP50S":3.5,"hungP50S":2.28,"runs":3}',
    );
  });

  it('has null where nothing was measured', () => {
    expect(failoverSummary(theFigures({ takeovers: [] }))).toMatchObject({ addressP50S: null, recipeP50S: null, hungP50S: null });
  });

  it('counts an address that was not served again as the whole time it was watched', () => {
    const takeovers = [aTakeover('killed', 1.2, 3.4), aTakeover('killed', null, 3.4)];
    expect(failoverSummary(theFigures({ takeovers }))).toMatchObject({ addressP99S: 30 });
    expect(renderFailover(theFigures({ takeovers }))).toContain('ours, killed: in 1 runs nothing was served');
  });
});

describe('the goals of bench failover', () => {
  it('are met at their bounds and not beyond', () => {
    const at = [aTakeover('killed', 1.5, 3), aTakeover('hung', 4, 3)];
    expect(verdicts(theFigures({ takeovers: at }))).toEqual([true, true, true, true, true]);
    const beyond = [aTakeover('killed', 1.51, 3), aTakeover('hung', 4.01, 3)];
    expect(verdicts(theFigures({ takeovers: beyond }))).toEqual([false, true, false, false, true]);
    expect(verdicts(theFigures({ takeovers: [...at, ...at, aTakeover('killed', 3.1, 3)] }))).toEqual([true, false, true, true, true]);
  });

  it('say nothing of what was not measured', () => {
    expect(failoverGoals(theFigures({ takeovers: [], deafness: null }))).toEqual([]);
  });
});

describe('the report of bench failover', () => {
  it('has the distribution of each side and fault as a table for the README, and the goals beside it', () => {
    const text = renderFailover(theFigures());
    expect(text).toMatch(/^\| ours, killed +\| 3 +\| 1\.20 s \| 1\.30 s \| 1\.90 s \| 1\.90 s \| 1\.90 s \| 600 of 3600/m);
    expect(text).toMatch(/^\| recipe, hung +\| 2 +\| 3\.20 s \| 3\.25 s/m);
    for (const part of [
      '| pair, fault ',
      'the address moved 0 times, 4 claims refused',
      'both had the address at 22 of 25 looks',
      'ours: served after 2.50 s, 400 of 1200 requests failed',
      'recipe: not served within 15 s, 1200 of 1200 requests failed',
      'HAProxy 2.6.12, keepalived 2.2.7',
      'requests sent late by 4 ms (p99) and 21 ms (max)',
      'Nothing happened that must never happen',
    ])
      expect(text).toContain(part);
    expect(text).not.toContain('NOT MET');
    expect(renderFailover(theFigures({ takeovers: [aTakeover('killed', 2, 3)] }))).toContain(
      'NOT MET  balancer killed, p50 <= 1.5 s: 2.00 s',
    );
  });

  it('counts no time as wrong, but a moved address of healthy balancers and an end before the end', () => {
    expect(failoverWrongs(theFigures({ takeovers: [aTakeover('killed', 20, 3)] }))).toEqual([]);
    expect(failoverWrongs(theFigures({ deafness: { ...deafness, moves: 2 } }))).toEqual(['the address left a healthy holder 2 times']);
    expect(failoverWrongs(theFigures({ stoppedBy: 'not whole' }))).toEqual(['stopped before the end: not whole']);
  });
});

describe('the picture of bench failover', () => {
  it('is an SVG document with a dot for each takeover of each side, and the values of the table', () => {
    const svg = drawSvg({ name: 'failover', spec: failoverPicture(theFigures()) });
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(malformed(svg)).toEqual([]);
    expect(dotsIn(svg)).toBe(10);
    const text = textIn(svg);
    for (const words of ['ours, killed', 'recipe, hung', 'p50 1.30 s', 'p99 1.90 s', 'p50 3.50 s', 'p99 2.46 s'])
      expect(text).toContain(words);
  });

  it('is one of nothing, too', () => {
    expect(malformed(drawSvg({ name: 'failover', spec: failoverPicture(theFigures({ takeovers: [] })) }))).toEqual([]);
  });
});
