/** Priorities, lag, and what `hello` says of them. Rules: topology_coordinator.cpp, ReplSetConfig::getPriorityTakeoverDelay. */
import { describe, expect, it } from '@jest/globals';
import { healthySet, type TestSet } from './replica-set';

const othersOf = (lead: string) => ['a:1', 'b:1', 'c:1'].filter((host) => host !== lead);

function prefer(set: TestSet, priorities: Record<string, number>): void {
  const change = (members: Record<string, unknown>[]) => members.map((m) => ({ ...m, priority: priorities[String(m.host)] ?? 1 }));
  expect(set.ask(set.primary.host, { replSetReconfig: next(set, change) })).toEqual({ ok: 1 });
}

function next(set: TestSet, change: (members: Record<string, unknown>[]) => Record<string, unknown>[]) {
  const { config } = set.command(set.primary.host, { replSetGetConfig: 1 }) as unknown as {
    config: { version: number; members: Record<string, unknown>[] };
  };
  return { ...config, version: config.version + 1, members: change(config.members) };
}

describe('priority takeover', () => {
  it('gives the lead to the member of the highest priority, one election timeout after it has caught up', () => {
    const set = healthySet(1);
    const [chosen = ''] = othersOf(set.primary.host);
    prefer(set, { [chosen]: 2 });
    const tookMs = set.until(() => set.primary.host === chosen);
    expect(tookMs).toBeGreaterThan(10_000 - 2_000);
    expect(tookMs).toBeLessThan(10_000 * 1.15 + 4_000);
    set.run(60_000);
    expect(set.primary.host).toBe(chosen);
  });

  it('lets the second in rank wait two timeouts, so that the first comes first', () => {
    const set = healthySet(2);
    const [first = '', second = ''] = othersOf(set.primary.host);
    prefer(set, { [first]: 3, [second]: 2 });
    const leaders = new Set<string>();
    set.run(60_000, () => {
      for (const { host } of set.primaries) leaders.add(host);
    });
    expect(set.primary.host).toBe(first);
    expect(leaders).not.toContain(second);
    set.crash(first);
    set.until(() => set.primaries.length === 1);
    set.run(60_000);
    expect(set.primary.host).toBe(second);
    set.start(first);
    set.run(30_000);
    expect(set.primary.host).toBe(first);
  });

  it('does not happen among equals', () => {
    const set = healthySet(3);
    const { host, term } = set.primary;
    set.run(120_000);
    expect([set.primary.host, set.primary.term]).toEqual([host, term]);
  });

  // _amIFreshEnoughForPriorityTakeover: within two seconds of the newest entry.
  it('waits while the member lags, and comes once it does not', () => {
    const set = healthySet(4);
    const lead = set.primary.host;
    const [chosen = ''] = othersOf(lead);
    set.member(chosen).lagMs = 30_000;
    const writing = () => set.write(`w${set.nowMs}`, 1, lead);
    prefer(set, { [chosen]: 2 });
    for (let i = 0; i < 60; i++) {
      writing();
      set.run(1_000);
    }
    expect(set.primary.host).toBe(lead);
    set.member(chosen).lagMs = 0;
    set.until(() => set.primary.host === chosen, 20_000);
  });

  it('respects a step-down: the member does not come back before its time is over', () => {
    const set = healthySet(5);
    const lead = set.primary.host;
    prefer(set, { [lead]: 2 });
    set.run(5_000);
    expect(set.ask(lead, { replSetStepDown: 60 })).toEqual({ ok: 1 });
    set.run(55_000);
    expect(set.primary.host).not.toBe(lead);
    set.until(() => set.primary.host === lead, 30_000);
  });
});

describe('a step-down', () => {
  // TopologyCoordinator::chooseElectionHandoffCandidate.
  it('hands over to the caught-up secondary of the highest priority', () => {
    const set = healthySet(6);
    const lead = set.primary.host;
    const [first = '', second = ''] = othersOf(lead);
    prefer(set, { [lead]: 5, [first]: 2, [second]: 3 });
    set.run(3_000);
    expect(set.ask(lead, { replSetStepDown: 60 })).toEqual({ ok: 1 });
    expect(set.until(() => set.primaries.length === 1)).toBeLessThan(1_000);
    expect(set.primary.host).toBe(second);
  });
});

describe('a member that lags', () => {
  it('shows its lag in hello, holds no majority up, and catches up when it may', () => {
    const set = healthySet(7);
    const lead = set.primary.host;
    const [slow = ''] = othersOf(lead);
    set.member(slow).lagMs = 20_000;
    for (let i = 0; i < 40; i++) {
      set.write(`w${i}`);
      set.run(1_000);
    }
    const writtenMs = (host: string) => {
      const { lastWrite } = set.command(host, { hello: 1 }) as unknown as { lastWrite: { lastWriteDate: Date } };
      return lastWrite.lastWriteDate.getTime();
    };
    const lagMs = writtenMs(lead) - writtenMs(slow);
    // Between the lag and two heartbeats more, in whole seconds.
    expect(lagMs).toBeGreaterThanOrEqual(19_000);
    expect(lagMs).toBeLessThanOrEqual(25_000);
    expect(set.states()[slow]).toBe('SECONDARY');
    expect(set.primary.commit).toEqual(set.primary.applied);
    set.member(slow).lagMs = 0;
    set.run(5_000);
    expect(writtenMs(slow)).toBe(writtenMs(lead));
  });

  it('starts so where its options say so, and never leads while another has more', () => {
    const set = healthySet(8);
    const lead = set.primary.host;
    const [slow = '', quick = ''] = othersOf(lead);
    set.crash(slow);
    set.own.set(slow, { lagMs: 60_000 });
    set.start(slow);
    for (let i = 0; i < 20; i++) {
      set.write(`w${i}`);
      set.run(1_000);
    }
    set.crash(lead);
    set.until(() => set.primaries.length === 1);
    expect(set.primary.host).toBe(quick);
  });
});

describe('hello', () => {
  it('names the election of the primary, which rises, and only there', () => {
    const set = healthySet(9);
    const idOf = (host: string) => set.command(host, { hello: 1 }).electionId;
    const lead = set.primary.host;
    const before = idOf(lead);
    expect(before).toMatch(/^7fffffff[0-9a-f]{16}$/);
    for (const host of othersOf(lead)) expect(idOf(host)).toBeUndefined();
    set.ask(lead, { replSetStepDown: 60 });
    set.until(() => set.primaries.length === 1);
    expect(String(idOf(set.primary.host)) > String(before)).toBe(true);
    expect(idOf(lead)).toBeUndefined();
  });

  it('names the wire protocol, also before there is a configuration, and members may differ in it', () => {
    const set = healthySet(10);
    set.own.set('d:1', { maxWireVersion: 17 });
    set.start('d:1');
    expect(set.command('a:1', { hello: 1 })).toMatchObject({ minWireVersion: 0, maxWireVersion: 21 });
    expect(set.command('d:1', { hello: 1 })).toMatchObject({ minWireVersion: 0, maxWireVersion: 17 });
  });
});
