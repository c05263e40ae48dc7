/** Elections and step-downs. Rules: MongoDB's TopologyCoordinator and src/mongo/db/repl/README.md. */
import { describe, expect, it } from '@jest/globals';
import { healthySet, TestSet } from './replica-set';

describe('a replica set elects', () => {
  it('nobody before it is initiated', () => {
    const set = new TestSet(1);
    set.start('a:1', 'b:1');
    set.run(60_000);
    expect(set.states()).toEqual({ 'a:1': 'STARTUP', 'b:1': 'STARTUP' });
    expect(set.command('a:1', { hello: 1 })).toMatchObject({ ok: 1, isWritablePrimary: false, secondary: false, isreplicaset: true });
    expect(set.command('a:1', { hello: 1 })).not.toHaveProperty('setName');
  });

  it('one primary within 12 s of an initiate, and the others copy its data first', () => {
    const set = new TestSet(2);
    set.start('a:1', 'b:1', 'c:1');
    expect(set.initiate('a:1', 'b:1', 'c:1')).toEqual({ ok: 1 });
    expect(set.until(() => set.primaries.length === 1)).toBeLessThanOrEqual(12_000);
    set.run(5_000);
    expect(Object.values(set.states()).sort()).toEqual(['PRIMARY', 'SECONDARY', 'SECONDARY']);
    expect(set.command('b:1', { hello: 1 })).toMatchObject({
      setName: 'rs',
      hosts: ['a:1', 'b:1', 'c:1'],
      primary: set.primary.host,
      me: 'b:1',
    });
  });

  it('a single member at once', () => {
    const set = new TestSet(3);
    set.start('a:1');
    set.initiate('a:1');
    expect(set.until(() => set.primaries.length === 1)).toBeLessThan(100);
  });

  it.each([1, 2, 3, 4, 5])('another primary within 12 s of the death of the first (seed %i)', (seed) => {
    const set = healthySet(seed);
    const { host, term } = set.primary;
    set.crash(host);
    expect(set.until(() => set.primaries.length === 1)).toBeLessThanOrEqual(12_000);
    expect(set.primary.term).toBeGreaterThan(term);
    set.start(host);
    set.run(5_000);
    expect(set.states()[host]).toBe('SECONDARY');
  });

  it('nobody without a majority, and the lonely primary steps down', () => {
    const set = healthySet(6);
    const { host } = set.primary;
    for (const other of ['a:1', 'b:1', 'c:1']) if (other !== host) set.crash(other);
    expect(set.until(() => set.primaries.length === 0)).toBeLessThanOrEqual(14_000);
    set.run(60_000);
    expect(set.states()).toEqual({ [host]: 'SECONDARY' });
    expect(set.member(host).write([{ op: 'noop' }], set.nowMs)).toMatchObject({ ok: 0, code: 10107, codeName: 'NotWritablePrimary' });
  });

  it('on the majority side of a partition only', () => {
    const set = healthySet(7);
    const old = set.primary.host;
    const others = ['a:1', 'b:1', 'c:1'].filter((host) => host !== old);
    set.partition([old], others);
    set.run(30_000);
    expect(set.primaries.map((m) => m.host)).toHaveLength(1);
    expect(others).toContain(set.primary.host);
    const { term } = set.primary;
    set.partition();
    set.run(30_000);
    // The lonely member saw no majority, so it did not stand and raised no term: the primary stays.
    expect(set.primary.term).toBe(term);
    expect(set.states()[old]).toBe('SECONDARY');
  });

  it('never a member whose data is stale', () => {
    const set = healthySet(8);
    const lead = set.primary.host;
    const [stale = '', fresh = ''] = ['a:1', 'b:1', 'c:1'].filter((host) => host !== lead);
    set.crash(stale);
    const optime = set.write('x');
    set.run(100);
    expect(set.primary.fateOf(optime)).toBe('committed');
    set.crash(lead);
    set.start(stale);
    set.until(() => set.primaries.length === 1);
    expect(set.primary.host).toBe(fresh);
    expect(set.primary.read('orion.entities').x).toEqual({ id: 'x' });
  });

  it('never a member without a vote or with priority 0', () => {
    const set = healthySet(9);
    set.start('d:1');
    expect(set.reconfig((members) => [...members, { _id: 3, host: 'd:1', votes: 0, priority: 0 }])).toEqual({ ok: 1 });
    set.run(10_000);
    expect(set.states()['d:1']).toBe('SECONDARY');
    expect(set.command('d:1', { hello: 1 })).toMatchObject({ passives: ['d:1'], passive: true });
    for (const host of ['a:1', 'b:1']) set.crash(host);
    set.run(60_000);
    expect(set.primaries).toHaveLength(0);
  });
});

describe('a primary that is asked to step down', () => {
  it('hands over to a caught-up secondary within a second and does not stand again for the asked time', () => {
    const set = healthySet(11);
    const { host } = set.primary;
    set.write('x');
    set.run(100);
    expect(set.command(host, { replSetStepDown: 60 })).toEqual({ ok: 1 });
    expect(set.until(() => set.primaries.length === 1)).toBeLessThan(1_000);
    expect(set.primary.host).not.toBe(host);
    const next = set.primary.host;
    set.crash(next);
    set.until(() => set.primaries.length === 1);
    expect(set.primary.host).not.toBe(host);
  });

  it('refuses while no electable secondary has everything', () => {
    const set = healthySet(12);
    const { host } = set.primary;
    for (const other of ['a:1', 'b:1', 'c:1']) if (other !== host) set.crash(other);
    set.write('x');
    expect(set.command(host, { replSetStepDown: 60 })).toMatchObject({ ok: 0, code: 262, codeName: 'ExceededTimeLimit' });
    expect(set.states()[host]).toBe('PRIMARY');
  });

  it('is refused by a secondary', () => {
    const set = healthySet(13);
    const [secondary = ''] = Object.entries(set.states()).find(([, state]) => state === 'SECONDARY') ?? [];
    expect(set.command(secondary, { replSetStepDown: 60 })).toMatchObject({ code: 10107 });
  });
});
