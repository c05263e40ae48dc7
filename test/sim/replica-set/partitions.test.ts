/** Links between members that fail, both ways or one. Rules: TopologyCoordinator (liveness), rollback in src/mongo/db/repl/README.md. */
import { describe, expect, it } from '@jest/globals';
import { healthySet, TestSet } from './replica-set';

const othersOf = (lead: string) => ['a:1', 'b:1', 'c:1'].filter((host) => host !== lead);

describe('a partition', () => {
  it('both ways: the majority side elects, the old primary steps down, and when it heals nobody is disturbed', () => {
    const set = healthySet(1);
    const old = set.primary.host;
    set.partition([old], othersOf(old));
    expect(set.until(() => set.primaries.some(({ host }) => host !== old))).toBeLessThanOrEqual(12_000);
    expect(set.until(() => set.states()[old] === 'SECONDARY')).toBeLessThanOrEqual(14_000);
    const { host, term } = set.primary;
    set.partition();
    set.run(30_000);
    expect([set.primary.host, set.primary.term]).toEqual([host, term]);
    expect(set.states()[old]).toBe('SECONDARY');
  });

  it('between the two secondaries alone changes nothing: both hear the primary', () => {
    const set = healthySet(2);
    const { host, term } = set.primary;
    const [first = '', second = ''] = othersOf(host);
    set.cutOneWay(first, second);
    set.cutOneWay(second, first);
    const optime = set.write('x');
    set.run(60_000);
    expect([set.primary.host, set.primary.term]).toEqual([host, term]);
    for (const one of [first, second]) expect(set.member(one).fateOf(optime)).toBe('committed');
  });

  it('that only loses what the primary says: the others elect, and it hears of the higher term', () => {
    const set = healthySet(3);
    const old = set.primary.host;
    set.cutOneWay(old, ...othersOf(old));
    set.until(() => set.primaries.length === 1 && set.primary.host !== old, 14_000);
    set.run(1_000);
    expect(set.states()[old]).toBe('SECONDARY');
    set.run(60_000);
    expect(set.primaries).toHaveLength(1);
  });

  it('that only loses what the primary should hear: it sees no majority and steps down', () => {
    const set = healthySet(4);
    const old = set.primary.host;
    for (const host of othersOf(old)) set.cutOneWay(host, old);
    const optime = set.write('x');
    set.until(() => set.states()[old] === 'SECONDARY', 14_000);
    set.until(() => set.primaries.length === 1);
    expect(set.primary.host).not.toBe(old);
    // Both others have it, so it survives, although the old primary never knew.
    set.run(1_000);
    expect(set.primary.fateOf(optime)).toBe('committed');
  });

  it('that leaves a secondary able to speak but not to hear: it stands again and again, and unsettles nobody by dry runs', () => {
    const set = healthySet(5);
    const { host, term } = set.primary;
    const [deaf = ''] = othersOf(host);
    for (const one of ['a:1', 'b:1', 'c:1']) if (one !== deaf) set.cutOneWay(one, deaf);
    set.run(120_000);
    expect([set.primary.host, set.primary.term]).toEqual([host, term]);
  });

  it('in the middle of a write of five: a minority of two rolls back what three never had', () => {
    const set = new TestSet(6);
    const hosts = ['a:1', 'b:1', 'c:1', 'd:1', 'e:1'];
    set.start(...hosts);
    set.initiate(...hosts);
    set.until(() => set.primaries.length === 1);
    set.run(10_000);
    const old = set.primary.host;
    const [ally = '', ...others] = hosts.filter((host) => host !== old);
    set.write('kept', 'before');
    set.run(1_000);
    set.partition([old, ally], others);
    const lost = set.write('kept', 'never on a majority', old);
    set.run(3_000);
    expect(set.member(ally).read('orion.entities')).toEqual({ kept: 'never on a majority' });
    expect(set.member(old).fateOf(lost)).toBe('pending');
    set.until(() => set.primaries.some(({ host }) => others.includes(host)));
    set.run(15_000);
    const instead = set.write('other', 'committed');
    set.partition();
    set.run(30_000);
    for (const host of hosts) {
      expect([host, set.member(host).fateOf(lost), set.member(host).fateOf(instead)]).toEqual([host, 'lost', 'committed']);
      expect(set.member(host).read('orion.entities')).toEqual({ kept: 'before', other: 'committed' });
    }
  });
});
