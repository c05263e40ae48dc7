/** Commands that wait, and the codes they end with. Sources: replication_coordinator_impl.cpp, repl_set_command.cpp, topology_coordinator.cpp. */
import { describe, expect, it } from '@jest/globals';
import type { Reach } from '../../../sim/replica-set/contract';
import { healthySet, TestSet } from './replica-set';

const D = { _id: 3, host: 'd:1', votes: 0, priority: 0 };
const othersOf = (lead: string) => ['a:1', 'b:1', 'c:1'].filter((host) => host !== lead);

/** The primary's configuration with one more member. */
function withD(set: TestSet, maxTimeMS = 20_000): Record<string, unknown> {
  const { config } = set.primary;
  return { replSetReconfig: { ...config, version: (config?.version ?? 0) + 1, members: [...(config?.members ?? []), D] }, maxTimeMS };
}

/** Elections are so slow that a primary outlives 20 s without its majority. */
const SLOW = { electionTimeoutMs: 40_000 };

describe('a reconfig waits', () => {
  it('for the current configuration to be on a majority, and then goes on (awaitConfigCommitment)', () => {
    const set = healthySet(1);
    set.reconfig((members) => members.toReversed());
    const pending = set.begin(set.primary.host, withD(set));
    expect(pending.reply).toBeUndefined();
    set.run(5_000);
    expect(pending.reply).toEqual({ ok: 1 });
    expect(set.primary.config?.members).toHaveLength(4);
  });

  it('no longer than maxTimeMS for that: 308, and nothing is installed', () => {
    const set = healthySet(2, SLOW);
    const lead = set.primary.host;
    set.partition([lead]);
    set.reconfig((members) => members.toReversed());
    const before = set.nowMs;
    expect(set.ask(lead, withD(set))).toMatchObject({ code: 308, codeName: 'CurrentConfigNotCommittedYet' });
    expect(set.nowMs - before).toBeGreaterThanOrEqual(20_000);
    expect(set.member(lead).config?.members).toHaveLength(3);
  });

  it('and is refused with 10107 when its primary steps down before anything happened', () => {
    const set = healthySet(3);
    const lead = set.primary.host;
    set.partition([lead]);
    set.reconfig((members) => members.toReversed());
    expect(set.ask(lead, withD(set))).toMatchObject({ code: 10107, codeName: 'NotWritablePrimary' });
    expect(set.member(lead).config?.members).toHaveLength(3);
  });

  it('until the new configuration is on a majority', () => {
    const set = healthySet(4);
    const pending = set.begin(set.primary.host, withD(set));
    expect(set.primary.config?.members).toHaveLength(4);
    expect(pending.reply).toBeUndefined();
    set.run(1_000);
    expect(pending.reply).toEqual({ ok: 1 });
    expect(set.primary.isConfigCommitted()).toBe(true);
  });

  // Facts, rule 9.
  it('no longer than maxTimeMS for that: 50, and the configuration is installed all the same', () => {
    const set = healthySet(5, SLOW);
    const lead = set.primary.host;
    const reach = set.reachFrom(lead);
    const pending = set.begin(lead, withD(set), (host) => (host === 'd:1' ? 'fresh' : reach(host)));
    set.partition([lead]);
    set.run(25_000);
    expect(pending.reply).toMatchObject({ code: 50, codeName: 'MaxTimeMSExpired', errmsg: expect.stringMatching(/^Reconfig finished/) });
    expect(set.member(lead).config?.members).toHaveLength(4);
    set.partition();
    set.run(10_000);
    for (const host of ['a:1', 'b:1', 'c:1']) expect(set.member(host).config?.members).toHaveLength(4);
  });

  it('and ends in 189 when the primary steps down meanwhile; the next primary may not know the configuration', () => {
    const set = healthySet(6);
    const lead = set.primary.host;
    const pending = set.begin(lead, withD(set));
    set.partition([lead]);
    set.run(15_000);
    expect(pending.reply).toMatchObject({ code: 189, codeName: 'PrimarySteppedDown' });
    expect(set.member(lead).config?.members).toHaveLength(4);
    set.partition();
    set.run(30_000);
    expect(set.member(lead).config?.members).toHaveLength(3);
  });
});

describe('the quorum check', () => {
  /** Answers that a test gives when it likes. */
  function answers() {
    const known = new Map<string, Reach>();
    return { known, reach: (host: string) => known.get(host) };
  }

  it('keeps every other reconfig away while it waits for answers: 109 (kConfigReconfiguring)', () => {
    const set = healthySet(7);
    const { known, reach } = answers();
    const first = set.begin(set.primary.host, withD(set), reach);
    expect(first.asks).toEqual(expect.arrayContaining(['d:1', ...othersOf(set.primary.host)]));
    for (const force of [false, true])
      expect(set.ask(set.primary.host, { ...withD(set), force })).toMatchObject({ code: 109, codeName: 'ConfigurationInProgress' });
    for (const host of othersOf(set.primary.host)) known.set(host, { setName: 'rs' });
    set.run(5_000);
    expect(first.reply).toEqual({ ok: 1 });
  });

  it('is over as soon as a majority of voters has answered (hasReceivedSufficientResponses)', () => {
    const set = healthySet(8);
    const { known, reach } = answers();
    const pending = set.begin(set.primary.host, withD(set), reach);
    set.run(3_000);
    expect(pending.reply).toBeUndefined();
    known.set(othersOf(set.primary.host)[0] ?? '', { setName: 'rs' });
    set.run(3_000);
    expect(pending.reply).toEqual({ ok: 1 });
  });

  it('ends in 74 once a majority can not answer any more, and the next one may come', () => {
    const set = healthySet(9);
    const { known, reach } = answers();
    const pending = set.begin(set.primary.host, withD(set), reach);
    for (const host of othersOf(set.primary.host)) known.set(host, 'unreachable');
    known.set('d:1', 'unreachable');
    set.run(3_000);
    expect(pending.reply).toMatchObject({ code: 74, codeName: 'NodeNotFound', errmsg: expect.stringMatching(/required 2 but only 1/) });
    expect(set.ask(set.primary.host, withD(set))).toEqual({ ok: 1 });
  });

  it('that took longer than maxTimeMS installs nothing: 50', () => {
    const set = healthySet(10);
    const { known, reach } = answers();
    const pending = set.begin(set.primary.host, withD(set, 5_000), reach);
    set.run(8_000);
    for (const host of othersOf(set.primary.host)) known.set(host, { setName: 'rs' });
    set.run(3_000);
    expect(pending.reply).toMatchObject({ code: 50, codeName: 'MaxTimeMSExpired' });
    expect(set.primary.config?.members).toHaveLength(3);
  });

  it('that ends after its primary stepped down installs nothing: 10107', () => {
    const set = healthySet(11);
    const lead = set.primary.host;
    const { known, reach } = answers();
    const pending = set.begin(lead, withD(set), reach);
    expect(set.command(lead, { replSetStepDown: 60 })).toEqual({ ok: 1 });
    for (const host of othersOf(lead)) known.set(host, { setName: 'rs' });
    set.run(3_000);
    expect(pending.reply).toMatchObject({ code: 10107, errmsg: expect.stringMatching(/Stepped down when persisting/) });
  });

  // processReplSetInitiate wants the state uninitialized; checkReplEnabledForCommand a member that has left STARTUP.
  it('of an initiate waits for all: meanwhile a second initiate is refused with 23, a reconfig with 94', () => {
    const set = new TestSet(12);
    set.start('a:1', 'b:1');
    const { known, reach } = answers();
    const initiate = { replSetInitiate: { _id: 'rs', members: ['a:1', 'b:1'].map((host, _id) => ({ _id, host })) } };
    const first = set.begin('a:1', initiate, reach);
    expect(first.reply).toBeUndefined();
    expect(set.ask('a:1', initiate)).toMatchObject({ code: 23, codeName: 'AlreadyInitialized' });
    expect(set.ask('a:1', { replSetReconfig: initiate.replSetInitiate })).toMatchObject({ code: 94 });
    known.set('b:1', 'fresh');
    set.run(5_000);
    expect(first.reply).toEqual({ ok: 1 });
  });
});

describe('a step-down waits', () => {
  /** A primary whose secondaries don't get its last write. */
  function laggards(seed: number, electionTimeoutMs = 40_000) {
    const set = healthySet(seed, { electionTimeoutMs });
    const lead = set.primary.host;
    for (const host of othersOf(lead)) set.member(host).lagMs = 600_000;
    set.write('x');
    set.run(1_000);
    return { set, lead };
  }

  it('for a majority with an electable member to catch up, and takes no writes meanwhile (_canAcceptNonLocalWrites)', () => {
    const { set, lead } = laggards(20);
    const pending = set.begin(lead, { replSetStepDown: 60, secondaryCatchUpPeriodSecs: 10 });
    set.run(2_000);
    expect(pending.reply).toBeUndefined();
    expect(set.member(lead).write([{ op: 'noop' }], set.nowMs)).toMatchObject({ code: 10107 });
    expect(set.command(lead, { hello: 1 })).toMatchObject({ isWritablePrimary: false, secondary: true, me: lead });
    for (const host of othersOf(lead)) set.member(host).lagMs = 0;
    set.run(5_000);
    expect(pending.reply).toEqual({ ok: 1 });
    expect(set.primary.host).not.toBe(lead);
  });

  it('no longer than secondaryCatchUpPeriodSecs: 262, and it takes writes again', () => {
    const { set, lead } = laggards(21);
    expect(set.ask(lead, { replSetStepDown: 60, secondaryCatchUpPeriodSecs: 10 })).toMatchObject({
      code: 262,
      codeName: 'ExceededTimeLimit',
    });
    expect(set.command(lead, { hello: 1 })).toMatchObject({ isWritablePrimary: true });
    expect(set.member(lead).write([{ op: 'noop' }], set.nowMs)).toMatchObject({ ok: 1 });
  });

  it('with force only as long, and then leaves all the same', () => {
    const { set, lead } = laggards(22);
    const before = set.nowMs;
    expect(set.ask(lead, { replSetStepDown: 60, secondaryCatchUpPeriodSecs: 5, force: true })).toEqual({ ok: 1 });
    expect(set.nowMs - before).toBeGreaterThanOrEqual(5_000);
    expect(set.states()[lead]).toBe('SECONDARY');
  });

  it('alone: a second one meanwhile ends in 117 (prepareForStepDownAttempt)', () => {
    const { set, lead } = laggards(23);
    set.begin(lead, { replSetStepDown: 60, secondaryCatchUpPeriodSecs: 10 });
    expect(set.ask(lead, { replSetStepDown: 60 })).toMatchObject({ code: 117, codeName: 'ConflictingOperationInProgress' });
  });

  it('and ends in 189 when the primary loses its majority first (tryToStepDown)', () => {
    const { set, lead } = laggards(24, 10_000);
    const pending = set.begin(lead, { replSetStepDown: 60, secondaryCatchUpPeriodSecs: 30 });
    set.partition([lead]);
    set.run(20_000);
    expect(pending.reply).toMatchObject({ code: 189, codeName: 'PrimarySteppedDown' });
  });
});
