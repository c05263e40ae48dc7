/** Random crashes, partitions, lost and late messages, reconfigs: what must hold whatever happens. */
import { describe, expect, it } from '@jest/globals';
import type { OpTime } from '../../../sim/replica-set/contract';
import { healthySet, type TestSet } from './replica-set';

const HOSTS = ['a:1', 'b:1', 'c:1', 'd:1', 'e:1'];

class Watch {
  private readonly leaders = new Map<number, string>();
  private readonly committed = new Map<string, OpTime>();
  private pending: { id: string; optime: OpTime; host: string }[] = [];

  constructor(private readonly set: TestSet) {}

  wrote(id: string, optime: OpTime, host: string): void {
    this.pending.push({ id, optime, host });
  }

  /** One primary a term; remembers what a primary called committed. */
  look(): void {
    for (const { term, host } of this.set.primaries) {
      const known = this.leaders.get(term);
      if (known && known !== host) throw new Error(`two primaries in term ${term}: ${known} and ${host}`);
      this.leaders.set(term, host);
    }
    this.pending = this.pending.filter(({ id, optime, host }) => {
      const member = this.set.members.get(host);
      if (!member || member.fateOf(optime) === 'lost') return false;
      if (member.fateOf(optime) !== 'committed') return true;
      this.committed.set(id, optime);
      return false;
    });
  }

  get acknowledged(): string[] {
    return [...this.committed.keys()];
  }
}

function disturb(set: TestSet): void {
  const pick = () => HOSTS[Math.floor(set.random() * 3)] ?? 'a:1';
  const dice = set.random();
  const host = pick();
  if (dice < 0.25 && set.members.has(host)) set.crash(host);
  else if (dice < 0.6) for (const one of HOSTS.slice(0, 3)) if (!set.members.has(one)) set.start(one);
  if (dice > 0.8)
    set.partition(
      [host],
      HOSTS.filter((one) => one !== host),
    );
  else if (dice > 0.6) set.partition();
  if (set.random() < 0.2 && set.primaries.length > 0) {
    const isIn = set.primary.config?.members.some((m) => m.host === 'd:1');
    if (isIn && set.primary.host === 'd:1') return;
    set.reconfig((members) =>
      isIn ? members.filter((m) => m.host !== 'd:1') : [...members, { _id: 3, host: 'd:1', votes: 1, priority: 1 }],
    );
  }
}

describe('whatever happens', () => {
  it.each(Array.from({ length: 25 }, (_, i) => i + 1))('no term has two primaries and no acknowledged write is lost (seed %i)', (seed) => {
    const set = healthySet(seed, { syncMs: 1_000 });
    set.start('d:1');
    set.weather = { delayMsMax: 400, lost: 0.05, doubled: 0.1 };
    const watch = new Watch(set);
    for (let round = 0; round < 40; round++) {
      disturb(set);
      for (const { host } of set.primaries) watch.wrote(`w${round}-${host}`, set.write(`w${round}-${host}`, round, host), host);
      set.run(1_000 + Math.floor(set.random() * 9_000), () => watch.look());
    }
    set.partition();
    set.weather = { delayMsMax: 5, lost: 0, doubled: 0 };
    for (const host of HOSTS.slice(0, 4)) if (!set.members.has(host)) set.start(host);
    set.run(60_000, () => watch.look());
    expect(set.primaries).toHaveLength(1);
    const { config } = set.primary;
    for (const { host } of config?.members ?? []) {
      const member = set.member(host);
      expect([host, member.config]).toEqual([host, config]);
      expect([host, member.commit]).toEqual([host, set.primary.applied]);
      expect(Object.keys(member.read('orion.entities'))).toEqual(expect.arrayContaining(watch.acknowledged));
    }
    expect(watch.acknowledged.length).toBeGreaterThan(3);
  });

  it.each(Array.from({ length: 8 }, (_, i) => i + 101))('nor where members lag and prefer one of them to lead (seed %i)', (seed) => {
    const set = healthySet(seed, { syncMs: 1_000 });
    set.reconfig((members) => members.map((m) => (m.host === 'b:1' ? { ...m, priority: 3 } : m)));
    set.weather = { delayMsMax: 400, lost: 0.05, doubled: 0.1 };
    const watch = new Watch(set);
    for (let round = 0; round < 30; round++) {
      const pick = () => HOSTS[Math.floor(set.random() * 3)] ?? 'a:1';
      const [slow, lonely] = [set.members.get(pick()), pick()];
      if (slow) slow.lagMs = set.random() < 0.5 ? 15_000 : 0;
      if (set.random() < 0.3)
        set.partition(
          [lonely],
          HOSTS.filter((one) => one !== lonely),
        );
      else set.partition();
      for (const { host } of set.primaries) watch.wrote(`w${round}-${host}`, set.write(`w${round}-${host}`, round, host), host);
      set.run(1_000 + Math.floor(set.random() * 9_000), () => watch.look());
    }
    set.partition();
    set.weather = { delayMsMax: 5, lost: 0, doubled: 0 };
    for (const member of set.members.values()) member.lagMs = 0;
    set.run(90_000, () => watch.look());
    expect(set.primaries.map(({ host }) => host)).toEqual(['b:1']);
    for (const member of set.members.values()) {
      expect([member.host, member.commit]).toEqual([member.host, set.primary.applied]);
      expect(Object.keys(member.read('orion.entities'))).toEqual(expect.arrayContaining(watch.acknowledged));
    }
    expect(watch.acknowledged.length).toBeGreaterThan(3);
  });

  it('the same seed gives the same run', () => {
    const trace = () => {
      const set = healthySet(42);
      set.weather = { delayMsMax: 300, lost: 0.1, doubled: 0.1 };
      set.crash(set.primary.host);
      set.run(30_000);
      return [...set.members.values()].map((m) => [m.host, m.state, m.term, m.applied, m.durableVersion]);
    };
    expect(trace()).toEqual(trace());
  });
});
