import { describe, expect, it } from '@jest/globals';
import { judge, knownJobs, lostJobs, movesOffHealthy, type Seen, wrongEnds } from '../../lab/chaos/accounting';
import { type ChaosFigures, chaosSummary, isChaosGood, type Played, renderChaos, scenarioLine } from '../../lab/chaos/chaos-report';
import { listScenarios, SCENARIOS, scenariosNamed } from '../../lab/chaos/scenarios';
import { outageSeen, type SeenOutage } from '../../lab/chaos/seen-outage';
import { choose, nodesOf } from '../../lab/chaos/victims';
import { staysToTheEnd, stillThere } from '../../lab/chaos/written';
import type { Sample } from '../../lab/outage';
import type { ClaimState, JournalEntry } from '../../lambdas/app/ports';
import type { StatusSummary } from '../../lambdas/core/memory';

const good = (sentMs: number, doneMs = sentMs + 5): Sample => ({ n: sentMs, sentMs, doneMs, ok: true, detail: '' });
const bad = (sentMs: number, detail: string, doneMs = sentMs + 5): Sample => ({ n: sentMs, sentMs, doneMs, ok: false, detail });
const steady = (fromMs: number, toMs: number) => Array.from({ length: (toMs - fromMs) / 50 }, (_, i) => good(fromMs + 50 * i));

const UNFELT: SeenOutage = { requests: 600, failed: 0, gapS: 0.1, disturbedS: 0, errors: {} };

describe('the outage that clients saw', () => {
  it('is the wait of the client that waited longest: a good answer to one does not end that of another', () => {
    const waits = [...steady(0, 1_000), ...[1_200, 2_500].map((ms) => bad(ms, 'HTTP 500')), ...steady(4_000, 6_000)];
    const seen = outageSeen([steady(0, 6_000), waits], 0, 6_000);
    expect(seen.gapS).toBeCloseTo(3.05, 5);
    expect(seen).toMatchObject({ failed: 2, errors: { 'HTTP 500': 2 } });
  });

  it('counts the seconds in which a request was sent that failed, those of all clients together', () => {
    const one = [...steady(0, 5_000), bad(1_100, 'ECONNRESET'), bad(1_900, 'ECONNRESET')];
    const other = [...steady(0, 5_000), bad(1_500, 'ECONNRESET'), bad(3_500, 'no answer', 5_500), bad(9_000, 'too late')];
    expect(outageSeen([one, other], 0, 5_000).disturbedS).toBe(2);
  });

  it('is not taken for none where nothing was sent', () => {
    expect(() => outageSeen([steady(0, 5_000), []], 0, 5_000)).toThrow(/sent nothing in 5 s/);
  });
});

describe('what was written', () => {
  it('is there in the end where it stays, and where it came after what was removed', () => {
    expect([9, 10, 11, 20, 99, 100].filter(staysToTheEnd)).toEqual([10, 20, 100]);
    expect(stillThere([8, 9, 10, 11, 19, 20, 21, 22], 20)).toEqual([10, 20, 21, 22]);
  });
});

describe('accounting for jobs', () => {
  const entry = (event: string, jobKey: string): JournalEntry => ({ atMs: 1, topic: 'launchNode', event, text: '', jobKey });
  const asked = (claimKey: string, must: 'done' | 'stale' = 'done') => ({ what: claimKey, claimKey, must });
  const ended = (is: 'stale' | 'refused' | 'failed' | 'waiting'): ClaimState => ({ is, reason: 'so', atMs: 1 });
  const NONE = { claims: {}, inFlight: new Set<string>(), enqueued: [] };

  it('knows what the planner planned and what was enqueued by hand, each once', () => {
    const journal = [entry('planned', 'a'), entry('done', 'a'), entry('planned', 'a'), entry('note', 'b')];
    expect(knownJobs({ journal, enqueued: [asked('c'), asked('a')] })).toEqual(['a', 'c']);
  });

  it.each(['done', 'stale', 'refused', 'failed'])('finds the end %s in the journal', (event) => {
    expect(lostJobs({ ...NONE, journal: [entry('planned', 'a'), entry(event, 'a')] })).toEqual([]);
  });

  it('finds an end in the claim, or a command that a check has settled, or a plan that still waits', () => {
    const claims: Record<string, ClaimState> = {
      waits: ended('waiting'),
      command: { is: 'running', leaseUntilMs: 1, commandId: 'c' },
      done: { is: 'done', atMs: 1 },
    };
    const journal = ['waits', 'command', 'flies'].map((key) => entry('planned', key));
    expect(lostJobs({ journal, claims, inFlight: new Set(['flies']), enqueued: [asked('done')] })).toEqual([]);
  });

  it('calls lost what nobody took up, and what a worker took with it', () => {
    const claims: Record<string, ClaimState> = { died: { is: 'running', leaseUntilMs: 1 } };
    const journal = [entry('planned', 'never'), entry('planned', 'died')];
    expect(lostJobs({ ...NONE, journal, claims, enqueued: [asked('asked')] })).toEqual(['never', 'died', 'asked']);
  });

  it('says which job ended otherwise than it had to, and why', () => {
    const claims: Record<string, ClaimState> = { a: { is: 'done', atMs: 1 }, b: ended('refused') };
    expect(wrongEnds([asked('a', 'stale'), asked('b'), asked('c')], claims)).toEqual([
      'a: expected to end as stale; is done',
      'b: expected to end as done; is refused (so)',
      'c: expected to end as done; is never taken up',
    ]);
    expect(wrongEnds([asked('a')], claims)).toEqual([]);
  });
});

describe('the judgement of a scenario', () => {
  const BOUNDS = { gapS: 2, disturbedS: 3, repairedS: 30 };
  const SEEN: Seen = {
    outage: UNFELT,
    repairedS: 12,
    lost: 0,
    moves: [],
    harmed: new Set(['i-1']),
    replaced: ['lb1'],
    wrongEnds: [],
  };
  const move = (from: string | null, to: string | null) => ({ atMs: 1, name: 'entry1', from, to });

  it('passes what stays within its bounds; exactly at them as well', () => {
    expect(judge({ bounds: BOUNDS }, SEEN)).toEqual([]);
    expect(judge({ bounds: BOUNDS }, { ...SEEN, outage: { ...UNFELT, gapS: 2, disturbedS: 3 }, repairedS: 30 })).toEqual([]);
  });

  it.each<[string, Partial<Seen>, RegExp]>([
    ['a long silence', { outage: { ...UNFELT, gapS: 2.1 } }, /time without an answer: expected at most 2 s; was 2.1 s/],
    ['failures that go on', { outage: { ...UNFELT, disturbedS: 4 } }, /seconds with failures: expected at most 3 s/],
    ['a slow repair', { repairedS: 31 }, /repaired after: expected at most 30 s/],
    ['no repair', { repairedS: null }, /not whole again/],
    ['a lost write', { lost: 1 }, /1 acknowledged writes lost/],
    ['an address off a healthy holder', { moves: [move('i-2', 'i-3')] }, /entry1 left i-2, which nobody harmed, for i-3/],
    ['a job with another end', { wrongEnds: ['scale: expected to end as stale; is done'] }, /^scale:/],
  ])('fails %s', (_name, change, words) => {
    const wrongs = judge({ bounds: BOUNDS }, { ...SEEN, ...change });
    expect(wrongs).toHaveLength(1);
    expect(wrongs[0]).toMatch(words);
  });

  it('lets the address leave whom it harmed, also for nobody, and go from nobody to another', () => {
    expect(movesOffHealthy([move('i-1', null), move(null, 'i-2')], new Set(['i-1']))).toEqual([]);
  });

  it('fails a replacement only where nobody was dead', () => {
    expect(judge({ bounds: BOUNDS, keepsNodes: true }, SEEN)).toEqual(['replaced although nobody was dead: lb1']);
  });
});

describe('the report of chaos', () => {
  const passed: Played = { name: 'broker-killed', outage: UNFELT, repairedS: 8.04, lost: 0, wrongs: [] };
  const failed: Played = {
    name: 'holder-killed',
    outage: { ...UNFELT, failed: 80, gapS: 7.26, disturbedS: 8 },
    repairedS: null,
    lost: 2,
    wrongs: ['2 acknowledged writes lost'],
  };
  const FIGURES: ChaosFigures = { played: [passed], notPlayed: [], acknowledged: 900, lostWrites: 0, jobs: 30, lostJobs: [], tookS: 61 };

  it('has a line a scenario for programs, and the documented last one', () => {
    expect(JSON.parse(scenarioLine(failed))).toEqual({
      scenario: 'holder-killed',
      passed: false,
      outageS: 7.3,
      disturbedS: 8,
      failed: 80,
      requests: 600,
      repairedS: null,
      lost: 2,
      wrongs: ['2 acknowledged writes lost'],
    });
    const summary = chaosSummary({ ...FIGURES, played: [passed, failed], notPlayed: ['standby-killed'], lostWrites: 2, lostJobs: ['a'] });
    expect(JSON.stringify(summary)).toBe('{"scenarios":3,"passed":1,"lostWrites":2,"lostJobs":1}');
  });

  it('shows each scenario, its outage, its repair and what was lost, and says what went wrong', () => {
    const text = renderChaos({ ...FIGURES, played: [passed, failed], notPlayed: ['standby-killed'], lostJobs: ['launch/ctx1#2'] });
    expect(text).toMatch(/^broker-killed +none +0 of 600 +8\.0 s +0 +passed$/m);
    expect(text).toMatch(/^holder-killed +7\.3 s, failures in 8 s +80 of 600 +not +2 +FAILED$/m);
    for (const words of ['holder-killed: 2 acknowledged writes lost', 'NOT PLAYED: standby-killed', 'without an end: launch/ctx1#2'])
      expect(text).toContain(words);
  });

  it.each<[string, Partial<ChaosFigures>]>([
    ['a scenario failed', { played: [passed, failed] }],
    ['none was played', { played: [] }],
    ['one was not played', { notPlayed: ['x'] }],
    ['nothing was acknowledged', { acknowledged: 0 }],
    ['a write is lost', { lostWrites: 1 }],
    ['a job is lost', { lostJobs: ['x'] }],
  ])('is not good when %s', (_name, change) => {
    expect(isChaosGood(FIGURES)).toBe(true);
    expect(isChaosGood({ ...FIGURES, ...change })).toBe(false);
  });
});

describe('the scenarios', () => {
  const slot = (name: string, role: string, more: object = {}) => ({
    slot: name,
    role,
    instanceId: `i-${name}`,
    privateIp: '10.0.0.1',
    health: 'healthy' as const,
    ...more,
  });
  const status = {
    slots: [
      slot('lb1', 'lb'),
      slot('lb2', 'lb', { holdsAddress: true }),
      slot('ctx1', 'orion'),
      { slot: 'ctx2', role: 'orion', health: 'missing' },
      slot('mdb1', 'mongo', { member: 'secondary' }),
      slot('mdb2', 'mongo', { member: 'primary' }),
      slot('iotj1', 'iotagent-json'),
    ],
    sentence: 'as it should be',
  } as unknown as StatusSummary;

  it('are 25 at least, each with a name of its own and a bound for all that is measured', () => {
    expect(SCENARIOS.length).toBeGreaterThanOrEqual(25);
    expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
    for (const { name, bounds } of SCENARIOS) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(Math.min(...Object.values(bounds))).toBeGreaterThan(0);
    }
  });

  it('are chosen by name, in the order in which they are played', () => {
    const [first, second] = SCENARIOS.map(({ name }) => name);
    expect(scenariosNamed([second ?? '', first ?? '']).map(({ name }) => name)).toEqual([first, second]);
    expect(scenariosNamed([])).toHaveLength(SCENARIOS.length);
    expect(() => scenariosNamed(['broker-kiled'])).toThrow(/--only: expected broker-killed, .*; got "broker-kiled"/);
    expect(listScenarios()).toMatch(/^holder-killed +docker kill: the balancer that holds the address$/m);
  });

  it.each([
    ['broker', 'ctx1'],
    ['holder', 'lb2'],
    ['standby', 'lb1'],
    ['primary', 'mdb2'],
    ['secondary', 'mdb1'],
    ['agent', 'iotj1'],
  ] as const)('choose the %s by the status', (who, expected) => {
    expect(choose(status, who).slot).toBe(expected);
  });

  it('see nodes that are there alone, and say when there is none to harm', () => {
    expect(nodesOf(status).map((node) => node.slot)).not.toContain('ctx2');
    expect(() => choose({ ...status, slots: [] }, 'holder')).toThrow('no holder in the status: as it should be');
  });
});
