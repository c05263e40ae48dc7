/** `replSetReconfig` with `force`. Rules: ReplicationCoordinatorImpl::processReplSetReconfig and _doReplSetReconfig, facts rule 3. */
import { describe, expect, it } from '@jest/globals';
import { healthySet, type TestSet } from './replica-set';

type Members = Record<string, unknown>[];

/** What a person sends to a member: its own configuration, changed, by force. */
function force(set: TestSet, host: string, change: (members: Members) => Members) {
  const { config } = set.command(host, { replSetGetConfig: 1 }) as unknown as { config: { version: number; members: Members } };
  return set.command(host, { replSetReconfig: { ...config, version: config.version + 1, members: change(config.members) }, force: true });
}

const only =
  (...hosts: string[]) =>
  (members: Members) =>
    members.filter(({ host }) => hosts.includes(String(host)));
const othersOf = (...hosts: string[]) => ['a:1', 'b:1', 'c:1'].filter((host) => !hosts.includes(host));

describe('a forced reconfig', () => {
  it('works on a secondary with the majority lost, and what is left elects a primary that takes writes', () => {
    const set = healthySet(1);
    const [first = '', survivor = ''] = [set.primary.host, ...othersOf(set.primary.host)];
    for (const host of othersOf(survivor)) set.crash(host);
    set.run(20_000);
    expect(set.command(survivor, { replSetReconfig: { ...set.member(survivor).config, version: 2 } })).toMatchObject({ code: 10107 });
    expect(force(set, survivor, only(survivor))).toEqual({ ok: 1 });
    expect(set.until(() => set.primaries.length === 1)).toBeLessThan(1_000);
    const optime = set.write('after');
    set.run(1_000);
    expect(set.primary.fateOf(optime)).toBe('committed');
    expect(first).not.toBe(survivor);
  });

  it('jumps the version by 10,000 and up to 100,000 more, from the higher of the old and the asked one', () => {
    const versions = [2, 3, 4].map((seed) => {
      const set = healthySet(seed);
      const { host } = set.primary;
      force(set, host, (members) => members);
      return set.member(host).config?.version ?? 0;
    });
    for (const version of versions) {
      expect(version).toBeGreaterThanOrEqual(2 + 10_000);
      expect(version).toBeLessThan(2 + 110_000);
    }
    expect(new Set(versions).size).toBe(3);
  });

  // signalDrainComplete: "If the config doesn't have a term, don't change it."
  it('has no term, also under the next primary, until the next safe reconfig gives it one', () => {
    const set = healthySet(5);
    const [dead = '', ...living] = [set.primary.host, ...othersOf(set.primary.host)];
    set.crash(dead);
    force(set, living[0] ?? '', only(...living));
    set.until(() => set.primaries.length === 1);
    set.run(5_000);
    for (const host of living) expect(set.member(host).config).toMatchObject({ term: -1, members: [{}, {}] });
    expect(set.primary.isConfigCommitted()).toBe(true);
    expect(set.reconfig((members) => [...members, { _id: 9, host: 'd:1', votes: 0, priority: 0 }])).toEqual({ ok: 1 });
    expect(set.primary.config?.term).toBe(set.primary.term);
    set.run(5_000);
    expect(set.primary.isConfigCommitted()).toBe(true);
  });

  // validateConfigForReconfig skips validateSingleNodeChange; checkQuorumForReconfig is not asked.
  it('may change several voters at once and asks nobody, and new voters vote without newlyAdded', () => {
    const set = healthySet(6);
    const lead = set.primary.host;
    const change = (members: Members) => [...only(lead)(members), { _id: 8, host: 'd:1' }, { _id: 9, host: 'e:1' }];
    const next = { ...set.primary.config, version: 2, members: change((set.primary.config?.members ?? []) as unknown as Members) };
    const silent = () => 'unreachable' as const;
    const ask = (command: Record<string, unknown>) => set.member(lead).adminCommand(command, set.nowMs, silent);
    expect(ask({ replSetReconfig: next })).toMatchObject({ code: 103, errmsg: expect.stringMatching(/at most 1 voting member/) });
    expect(ask({ replSetReconfig: next, force: true })).toEqual({ ok: 1 });
    expect(JSON.stringify(set.member(lead).config)).not.toContain('newlyAdded');
    expect(set.command(lead, { replSetGetStatus: 1 })).toMatchObject({ votingMembersCount: 3 });
  });

  it('does not wait for the last configuration to be on a majority (308 without force)', () => {
    const set = healthySet(7);
    const lead = set.primary.host;
    set.partition([lead]);
    set.reconfig((members) => [...members, { _id: 3, host: 'd:1', votes: 0, priority: 0 }]);
    expect(set.reconfig((members) => members)).toMatchObject({ code: 308 });
    expect(force(set, lead, only(lead))).toEqual({ ok: 1 });
    expect(set.states()[lead]).toBe('PRIMARY');
  });

  it('makes a primary step down that may not lead in it (_shouldStepDownOnReconfig)', () => {
    const set = healthySet(8);
    const lead = set.primary.host;
    expect(force(set, lead, (members) => members.map((m) => (m.host === lead ? { ...m, priority: 0 } : m)))).toEqual({ ok: 1 });
    expect(set.states()[lead]).toBe('SECONDARY');
    set.until(() => set.primaries.length === 1);
    expect(set.primary.host).not.toBe(lead);
  });

  it.each([
    ['a set without the member that is asked (findSelfInConfig)', only('b:1', 'c:1'), 74, /maps to this node/],
    ['nobody electable (ReplSetConfig::_validate)', (m: Members) => m.map((one) => ({ ...one, priority: 0 })), 103, /priority > 0/],
    ['another _id for a host', (m: Members) => m.map((one, i) => (i === 1 ? { ...one, _id: 77 } : one)), 103, /host of/],
    ['newlyAdded', (m: Members) => m.map((one) => ({ ...one, newlyAdded: true })), 93, /newlyAdded/],
    [
      'another implicit write concern, which "includes force reconfigs"',
      (m: Members) => [...m, { _id: 7, host: 'd:1', arbiterOnly: true }],
      103,
      /implicit default write concern/,
    ],
  ])('refuses %s', (_what, change, code, text) => {
    const set = healthySet(9);
    expect(force(set, 'a:1', change)).toMatchObject({ ok: 0, code, errmsg: expect.stringMatching(text) });
  });

  it('needs a member that has been in a set (94)', () => {
    const set = healthySet(10);
    set.start('d:1');
    const config = { _id: 'rs', members: [{ _id: 0, host: 'd:1' }] };
    expect(set.command('d:1', { replSetReconfig: config, force: true })).toMatchObject({ code: 94 });
  });
});

describe('what a forced reconfig costs', () => {
  /** A write that two of three have, and then only the third lives on. */
  function lostMajority() {
    const set = healthySet(11);
    const lead = set.primary.host;
    const [witness = '', survivor = ''] = othersOf(lead);
    set.partition([lead, witness], [survivor]);
    const optime = set.write('acknowledged');
    set.run(3_000);
    expect(set.primary.fateOf(optime)).toBe('committed');
    expect(set.member(witness).fateOf(optime)).toBe('committed');
    set.crash(lead);
    set.crash(witness);
    set.partition();
    expect(force(set, survivor, only(survivor))).toEqual({ ok: 1 });
    set.until(() => set.primaries.length === 1);
    return { set, optime, lead, witness, survivor };
  }

  it('is a majority-committed write that only the lost majority had', () => {
    const { set, optime, survivor } = lostMajority();
    expect(set.member(survivor).fateOf(optime)).toBe('lost');
    set.write('instead');
    set.run(1_000);
    expect(Object.keys(set.member(survivor).read('orion.entities'))).toEqual(['instead']);
  });

  it('members that come back and are in it no more find themselves removed, and lead nothing', () => {
    const { set, lead, witness, survivor } = lostMajority();
    set.start(lead, witness);
    // The survivor no longer writes to them; they ask it, and hear of the newer configuration.
    set.run(30_000);
    expect(set.states()).toEqual({ [survivor]: 'PRIMARY', [lead]: 'REMOVED', [witness]: 'REMOVED' });
    const hello = set.command(lead, { hello: 1 });
    expect(hello).toMatchObject({ isWritablePrimary: false, secondary: false, info: 'Does not have a valid replica set config' });
    expect(hello).not.toHaveProperty('setName');
    expect(set.command(lead, { replSetGetStatus: 1 })).toMatchObject({ code: 93, codeName: 'InvalidReplicaSetConfig' });
  });

  // rollback_impl.cpp: a common point before the stable timestamp is an unrecoverable rollback; mongod would end here.
  it('a member that had the lost write can not follow the new primary before it was wiped', () => {
    const { set, optime, witness } = lostMajority();
    set.write('instead');
    set.run(1_000);
    set.start(witness);
    set.run(20_000);
    const back = { _id: 20, host: witness, votes: 0, priority: 0 };
    expect(set.reconfig((members) => [...members, back])).toEqual({ ok: 1 });
    set.run(10_000);
    expect(set.states()[witness]).toBe('RECOVERING');
    expect(set.member(witness).fateOf(optime)).toBe('committed');
    const { members } = set.command(witness, { replSetGetStatus: 1 }) as unknown as { members: Members };
    expect(members.find(({ self }) => self)).toMatchObject({ infoMessage: expect.stringMatching(/which a majority had.*initial sync/) });
    set.crash(witness, true);
    set.start(witness);
    set.until(() => set.states()[witness] === 'SECONDARY');
    expect(Object.keys(set.member(witness).read('orion.entities'))).toEqual(['instead']);
  });

  it('what the other side agreed on meanwhile: the version alone decides, so the forced configuration wins', () => {
    const set = healthySet(12);
    const lead = set.primary.host;
    const others = othersOf(lead);
    set.partition([lead], others);
    set.until(() => set.primaries.some(({ host }) => others.includes(host)));
    set.reconfig((members) => [...members, { _id: 3, host: 'd:1', votes: 0, priority: 0 }]);
    set.run(20_000);
    const { term } = set.primary;
    force(set, lead, only(lead));
    set.partition();
    set.run(30_000);
    expect(set.states()).toEqual({ [lead]: 'PRIMARY', [others[0] ?? '']: 'REMOVED', [others[1] ?? '']: 'REMOVED' });
    expect(set.primary.term).toBeGreaterThanOrEqual(term);
  });
});
