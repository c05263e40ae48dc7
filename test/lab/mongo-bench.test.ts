import { describe, expect, it } from '@jest/globals';
import { benchNamed, parseRuns } from '../../lab/bench/benches';
import { distributionOf } from '../../lab/bench/distribution';
import { type Freeze, type MongoFigures, mongoSummary, type Replacement, wrongs } from '../../lab/bench/mongo-figures';
import { renderMongo } from '../../lab/bench/mongo-report';
import { durationsOf, stepsOf } from '../../lab/bench/replacement-steps';
import type { JournalEntry } from '../../lambdas/app/ports';

const outage = { requests: 900, failed: 0, longestGapMs: 11_040, gapEndMs: 0, errors: {} };

function aKill(replaceS: number, failoverS: number | null): Replacement {
  const electedS = failoverS === null ? null : failoverS - 0.4;
  const victim = failoverS === null ? 'secondary' : 'primary';
  return { victim, slot: 'mdb2', electedS, failoverS, replaceS, outage, steps: { seen: 0.5, added: 6, votes: replaceS } };
}

function aFreeze(change: Partial<Freeze> = {}): Freeze {
  return { what: 'secondary frozen (mdb1)', tookS: 31.3, outage, note: 'out of the set and thawed after 29.0 s', misdeeds: [], ...change };
}

function theFigures(change: Partial<MongoFigures> = {}): MongoFigures {
  return {
    runs: 2,
    kills: [aKill(31.26, 11.04), aKill(17.5, null), aKill(33, 10.4), aKill(18.5, null)],
    changes: [{ what: 'scaled 3 -> 5', tookS: 22.1, outage, note: 'until converged' }],
    freezes: [aFreeze()],
    written: { sent: 3_000, acknowledged: 2_990, failed: 10 },
    readBack: { acknowledged: 2_990, lost: [], duplicates: [], strangers: [], unacknowledgedThere: 4 },
    server: { version: '7.0.24', isStandIn: false, electionTimeoutS: 10 },
    database: 'MongoDB 7.0.24, fetched',
    machine: { cores: 2, load: 3.25 },
    ...change,
  };
}

describe('a distribution', () => {
  it('has the middle of its values as the median, of an even number the mean of both', () => {
    expect(distributionOf([3, 1, 2])).toEqual({ count: 3, min: 1, median: 2, p95: 3, max: 3 });
    expect(distributionOf([4, 1, 3, 2]).median).toBe(2.5);
  });

  it('takes the nearest rank for the 95th percentile', () => {
    expect(distributionOf(Array.from({ length: 100 }, (_, i) => i + 1)).p95).toBe(95);
    expect(distributionOf(Array.from({ length: 20 }, (_, i) => i + 1)).p95).toBe(19);
    expect(distributionOf([7]).p95).toBe(7);
  });

  it('is refused of nothing', () => {
    expect(() => distributionOf([])).toThrow(/at least one value/);
  });
});

describe('the last line of bench mongo', () => {
  it('has exactly the documented fields, in tenths of a second', () => {
    expect(JSON.stringify(mongoSummary(theFigures()))).toBe(
      '{"lostWrites":0,"replaceMedianS":24.9,"failoverMedianS":10.7,"runs":2,"mongod":"real"}',
    );
  });

  it('has no median where nothing was measured', () => {
    expect(mongoSummary(theFigures({ kills: [] }))).toMatchObject({ replaceMedianS: null, failoverMedianS: null });
  });

  it('says how many writes were lost, and that a stand-in was measured', () => {
    const readBack = { ...theFigures().readBack, lost: [7, 8, 9] };
    const server = { version: '7.0.0-stand-in', isStandIn: true, electionTimeoutS: 10 };
    expect(mongoSummary(theFigures({ readBack, server }))).toMatchObject({ lostWrites: 3, mongod: 'stand-in' });
  });
});

describe('the report of bench mongo', () => {
  it('shows each act, the spread of each figure, the election timeout and what was written', () => {
    const text = renderMongo(theFigures());
    const parts = ['primary killed (mdb2)', '31.3 s', 'scaled 3 -> 5', 'out of the set and thawed after 29.0 s', 'election timeout 10 s'];
    for (const part of [
      ...parts,
      '2990 acknowledged',
      '0 lost',
      'MongoDB 7.0.24, fetched',
      'load 3.3',
      'Nothing happened that must never happen',
    ])
      expect(text).toContain(part);
    expect(text).toMatch(/voter killed until its replacement votes +4 +17\.5 s +24\.9 s +33\.0 s +33\.0 s +median <= 30 s.*: met/);
  });

  it('says so when the goal is missed', () => {
    expect(renderMongo(theFigures({ kills: [aKill(41, 11), aKill(39, null)] }))).toContain(': not met');
  });

  it('counts no time against a run, but every lost, doubled or foreign write and every misdeed of a thawed member', () => {
    expect(wrongs(theFigures({ kills: [aKill(400, 90)] }))).toEqual([]);
    const { readBack } = theFigures();
    expect(wrongs(theFigures({ readBack: { ...readBack, lost: [5, 6] } }))).toEqual(['2 acknowledged writes are lost: 5, 6']);
    expect(wrongs(theFigures({ readBack: { ...readBack, duplicates: [5] } }))).toHaveLength(1);
    expect(wrongs(theFigures({ readBack: { ...readBack, strangers: [5] } }))).toHaveLength(1);
    expect(wrongs(theFigures({ written: { sent: 9, acknowledged: 0, failed: 9 } }))).toEqual(['no write was acknowledged']);
    expect(wrongs(theFigures({ stoppedBy: 'mdb1: not within 180 s' }))).toEqual(['stopped before the end: mdb1: not within 180 s']);
    const misdeeds = ['the thawed member took itself for the primary after its removal'];
    expect(wrongs(theFigures({ freezes: [aFreeze({ misdeeds })] }))).toEqual(misdeeds);
    expect(renderMongo(theFigures({ freezes: [aFreeze({ misdeeds })] }))).toContain('WRONG:\n  the thawed member');
  });
});

describe('the steps of a replacement', () => {
  const entry = (atS: number, event: string, jobKey: string): JournalEntry => ({
    atMs: 1_000 + atS * 1_000,
    topic: 't',
    event,
    text: '',
    jobKey,
  });
  const entries = [
    entry(17.5, 'done', 'city@1/reconfig/raise-vote/10.0.0.8:27017#0'),
    entry(0.5, 'planned', 'city@1/launch/mdb2#1'),
    entry(0.6, 'planned', 'city@1/launch/ctx1#1'),
    entry(1.2, 'done', 'city@1/launch/mdb2#1'),
    entry(2, 'planned', 'city@1/reconfig/add/10.0.0.8:27017#0'),
    entry(3, 'planned', 'city@1/reconfig/add/10.0.0.8:27017#1'),
    entry(6, 'done', 'city@1/reconfig/add/10.0.0.8:27017#1'),
    entry(9.5, 'planned', 'city@1/reconfig/remove/10.0.0.4:27017#0'),
    entry(13.5, 'done', 'city@1/reconfig/remove/10.0.0.4:27017#0'),
    entry(-30, 'planned', 'city@1/launch/mdb2#0'),
    entry(60, 'done', 'city@1/reconfig/raise-vote/10.0.0.9:27017#0'),
  ];

  it('are read from the journal in their order, from the fault to the end of its repair', () => {
    const steps = stepsOf(entries, 'mdb2', 1_000, 41_000);
    expect(steps).toEqual({ seen: 0.5, launched: 1.2, answers: 2, added: 6, 'caught up': 9.5, 'old one out': 13.5, votes: 17.5 });
    expect(durationsOf(steps)).toMatchObject({ seen: 0.5, added: 4, 'caught up': 3.5, votes: 4 });
  });

  it('go on over one that was not journaled', () => {
    expect(durationsOf({ seen: 1, added: 5 })).toEqual({ seen: 1, added: 4 });
    expect(stepsOf([], 'mdb2', 0, 1)).toEqual({});
  });
});

describe('the name of a bench and its runs', () => {
  it('are refused with what would be right', () => {
    expect(benchNamed('mongo').name).toBe('mongo');
    expect(() => benchNamed('mango')).toThrow(/expected one of brokers, failover, mongo; got "mango"/);
    expect(parseRuns('5')).toBe(5);
    for (const wrong of ['0', '-1', '1.5', 'many', 'x', '51'])
      expect(() => parseRuns(wrong)).toThrow(/--runs: expected a whole number from 1 to 50/);
  });
});
