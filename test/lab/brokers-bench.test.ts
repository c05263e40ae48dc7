import { describe, expect, it } from '@jest/globals';
import { servedBy, uptimeS } from '../../lab/bench/broker-eye';
import {
  type BrokerChange,
  type BrokerLoss,
  type BrokersFigures,
  brokersGoals,
  brokersSummary,
  brokersWrongs,
  CHANGES,
} from '../../lab/bench/brokers-figures';
import { brokersPicture, renderBrokers } from '../../lab/bench/brokers-report';
import type { Felt } from '../../lab/load/felt';
import { dotsIn, drawSvg, malformed, textIn } from './svg';

function felt(failed: number, failedIdempotent = 0): Felt {
  return { requests: 2_000, failed, failedIdempotent, errors: failed > 0 ? { 'POST ECONNRESET': failed } : {} };
}

function aLoss(replacedS: number, ours = felt(1), recipe = felt(75, 60)): BrokerLoss {
  return { slot: 'ctx1', ours, recipe, replacedS };
}

function changes(tookS: number, change: Partial<BrokerChange> = {}): BrokerChange[] {
  return CHANGES.map((name) => ({ name, tookS, felt: felt(0), ...change }));
}

function theFigures(change: Partial<BrokersFigures> = {}): BrokersFigures {
  return {
    runs: 2,
    losses: [aLoss(4.2), aLoss(6.06)],
    changes: [...changes(9), ...changes(10.1)],
    delays: [{ lateP99Ms: 4, lateMaxMs: 21, loopP99Ms: 6, loopMaxMs: 23 }],
    recipeVersions: 'HAProxy 2.6.12, keepalived 2.2.7',
    machine: { cores: 2, load: 1.5 },
    ...change,
  };
}

const missed = (figures: BrokersFigures) => brokersGoals(figures).flatMap(({ met, words }) => (met ? [] : [words]));

describe('the last line of bench brokers', () => {
  it('has exactly the documented fields', () => {
    expect(JSON.stringify(brokersSummary(theFigures()))).toBe(
      '{"failedIdempotent":0,"recipeFailed":150,"replacedMedianS":5.1,"scaleOutMedianS":9.6}',
    );
  });

  it('counts failed GET and PUT of ours in all acts', () => {
    const figures = theFigures({ losses: [aLoss(4, felt(3, 2))], changes: changes(9, { felt: felt(1, 1) }) });
    expect(brokersSummary(figures)).toMatchObject({ failedIdempotent: 2 + CHANGES.length, recipeFailed: 75 });
  });

  it('has null where nothing was measured', () => {
    expect(JSON.stringify(brokersSummary(theFigures({ losses: [], changes: [] })))).toBe(
      '{"failedIdempotent":null,"recipeFailed":null,"replacedMedianS":null,"scaleOutMedianS":null}',
    );
  });
});

describe('the goals of bench brokers', () => {
  it('are met with no failed GET or PUT, fewer failures than the recipe, none in any change, and both times', () => {
    expect(missed(theFigures())).toEqual([]);
    expect(brokersGoals(theFigures()).length).toBe(3 + CHANGES.length + 1);
  });

  it('name what is missed', () => {
    const figures = theFigures({
      losses: [aLoss(10.1, felt(80, 1))],
      changes: changes(15.1).map((change) => (change.name === 'config reload' ? { ...change, felt: felt(1) } : change)),
    });
    expect(missed(figures)).toEqual([
      'broker killed, no failed GET or PUT: 1 failed',
      'fewer failures of all kinds than the recipe: 80 to 75',
      'broker dead until a new one serves, median <= 10 s: 10.1 s',
      'config reload, no failed request: 1 failed',
      'scale-out by two, from the message until both serve, median <= 15 s: 15.1 s',
    ]);
    expect(brokersWrongs(figures)).toEqual([]);
  });
});

describe('the report of bench brokers', () => {
  it('has each act with its times and failures as a table for the README', () => {
    const text = renderBrokers(theFigures());
    expect(text).toMatch(/^\| broker killed +\| 2 +\| 4\.20 s +\| 5\.13 s +\| 6\.06 s .*\| 0 +\| 2 +\| 4000 /m);
    expect(text).toMatch(/^\| broker killed \(recipe\) +\| 0 +\| - .*\| 120 +\| 150 +\| 4000 /m);
    for (const name of CHANGES) expect(text).toMatch(new RegExp(`^\\| ${name} +\\| 2 `, 'm'));
    expect(text).toContain('150 POST ECONNRESET');
    expect(renderBrokers(theFigures({ stoppedBy: 'not whole' }))).toContain('WRONG:\n  stopped before the end: not whole');
  });
});

describe('the picture of bench brokers', () => {
  it('is an SVG document with the failures of each act and a dot for each time', () => {
    const svg = drawSvg({ name: 'brokers', spec: brokersPicture(theFigures()) });
    expect(malformed(svg)).toEqual([]);
    expect(dotsIn(svg)).toBe(2 + 2 * CHANGES.length);
    for (const words of ['broker killed, recipe', '150 of 4000', '2 of 4000', 'p50 9.6 s', ...CHANGES])
      expect(textIn(svg)).toContain(words);
  });
});

describe('which brokers serve', () => {
  it("is read from Orion's uptime", () => {
    expect(uptimeS('0 d, 0 h, 1 m, 3 s')).toBe(63);
    expect(uptimeS('1 d, 2 h, 0 m, 0 s')).toBe(93_600);
    expect(uptimeS('4 s')).toBe(4);
    expect(uptimeS('')).toBeNull();
  });

  it("is read from HAProxy's counters of good answers, over all its pools", () => {
    const metrics = `# TYPE haproxy_server_http_responses_total counter
haproxy_server_http_responses_total{proxy="ctx_pool",server="ctx1",code="2xx"} 120
haproxy_server_http_responses_total{proxy="ctx_pool",server="ctx3",code="2xx"} 0
haproxy_server_http_responses_total{proxy="ctx_pool",server="ctx3",code="5xx"} 9
haproxy_server_http_responses_total{proxy="ctx_without_database",server="ctx1",code="2xx"} 3
haproxy_server_status{proxy="ctx_pool",server="ctx1",state="UP"} 1
`;
    expect([...servedBy(metrics)]).toEqual([
      ['ctx1', 123],
      ['ctx3', 0],
    ]);
  });
});
