/** Writes, majority commit, rollback, initial sync and restarts of the engine. */
import { describe, expect, it } from '@jest/globals';
import { healthySet } from './replica-set';

const otherHosts = (lead: string) => ['a:1', 'b:1', 'c:1'].filter((host) => host !== lead);

describe('a write', () => {
  it('is committed once a majority has it, and reaches everybody', () => {
    const set = healthySet(1);
    const optime = set.write('x', { id: 'x', temperature: 21 });
    expect(set.primary.fateOf(optime)).toBe('pending');
    set.run(20);
    expect(set.primary.fateOf(optime)).toBe('committed');
    for (const member of set.members.values()) expect(member.read('orion.entities')).toEqual({ x: { id: 'x', temperature: 21 } });
  });

  it('stays pending while the majority is lost', () => {
    const set = healthySet(2);
    for (const host of otherHosts(set.primary.host)) set.crash(host);
    const lead = set.primary;
    const optime = set.write('x');
    set.run(5_000);
    expect(lead.fateOf(optime)).toBe('pending');
  });

  it('is refused when its id is taken, and removes what it is told to', () => {
    const set = healthySet(3);
    const insert = () => set.primary.write([{ op: 'insert', ns: 'o.e', id: '"x"', doc: { a: 1 } }], set.nowMs);
    expect(insert()).toMatchObject({ ok: 1 });
    expect(insert()).toMatchObject({ ok: 0, code: 11000 });
    set.primary.write([{ op: 'remove', ns: 'o.e', id: '"x"' }], set.nowMs);
    set.run(50);
    for (const member of set.members.values()) expect(member.read('o.e')).toEqual({});
  });

  it('that no majority had is rolled back when its primary comes back, and what it replaced returns', () => {
    const set = healthySet(4);
    const lead = set.primary.host;
    set.write('kept', { value: 'old' });
    set.run(100);
    set.partition([lead], otherHosts(lead));
    const lost = set.write('kept', { value: 'never committed' }, lead);
    set.member(lead).write([{ op: 'put', ns: 'orion.entities', id: 'extra', doc: 1 }], set.nowMs);
    set.until(() => set.primaries.length === 1 && set.primary.host !== lead);
    const kept = set.write('other', { value: 'committed' });
    set.run(100);
    set.partition();
    set.run(5_000);
    expect(set.member(lead).fateOf(lost)).toBe('lost');
    expect(set.member(lead).fateOf(kept)).toBe('committed');
    expect(set.member(lead).read('orion.entities')).toEqual({ kept: { value: 'old' }, other: { value: 'committed' } });
  });
});

describe('a member', () => {
  it('that restarts keeps configuration, data and vote, and catches up', () => {
    const set = healthySet(5);
    const [host = ''] = otherHosts(set.primary.host);
    set.crash(host);
    set.write('x');
    set.run(1_000);
    set.start(host);
    expect(set.states()[host]).toBe('SECONDARY');
    set.run(5_000);
    expect(set.member(host).read('orion.entities')).toHaveProperty('x');
  });

  it('that was wiped starts empty, is told its configuration, and copies everything again', () => {
    const set = healthySet(6, { syncMs: 3_000 });
    set.write('x');
    set.run(100);
    const [host = ''] = otherHosts(set.primary.host);
    set.crash(host, true);
    set.start(host);
    expect(set.states()[host]).toBe('STARTUP');
    set.until(() => set.states()[host] === 'STARTUP2');
    set.until(() => set.states()[host] === 'SECONDARY');
    expect(set.member(host).read('orion.entities')).toHaveProperty('x');
    expect(set.command(host, { hello: 1 }).lastWrite).toEqual(set.command(set.primary.host, { hello: 1 }).lastWrite);
  });

  it('that is wiped no longer counts for what it once confirmed', () => {
    const set = healthySet(7, { syncMs: 60_000 });
    set.write('before');
    set.run(100);
    const [first = '', second = ''] = otherHosts(set.primary.host);
    set.crash(second);
    set.crash(first, true);
    set.start(first);
    const optime = set.write('x');
    set.run(8_000);
    expect(set.states()[first]).toBe('STARTUP2');
    expect(set.primary.fateOf(optime)).toBe('pending');
  });

  it('that fell behind the start of the log stays RECOVERING and never leads', () => {
    const set = healthySet(8, { oplogEntriesMax: 20 });
    const [host = ''] = otherHosts(set.primary.host);
    set.crash(host);
    for (let i = 0; i < 100; i++) {
      set.write(`e${i}`);
      set.run(10);
    }
    set.start(host);
    set.run(30_000);
    expect(set.states()[host]).toBe('RECOVERING');
    expect(set.command(host, { hello: 1 })).toMatchObject({ isWritablePrimary: false, secondary: false, setName: 'rs' });
  });
});
