/** Rules 1 to 10 of a safe reconfig, one by one, each beside the source it comes from. Forced ones: forced-reconfig.test.ts. */
import { describe, expect, it } from '@jest/globals';
import { healthySet, type TestSet } from './replica-set';

type Members = Record<string, unknown>[];
const D = { _id: 3, host: 'd:1' };
const WITHOUT_VOTE = { votes: 0, priority: 0 };
const INCOMPATIBLE = { code: 103, codeName: 'NewReplicaSetConfigurationIncompatible' };

const othersOf = (lead: string) => ['a:1', 'b:1', 'c:1'].filter((host) => host !== lead);
const change =
  (host: string, fields: object) =>
  (members: Members): Members =>
    members.map((m) => (m.host === host ? { ...m, ...fields } : m));
const without =
  (...hosts: string[]) =>
  (members: Members): Members =>
    members.filter((m) => !hosts.includes(String(m.host)));
const withMembers =
  (...more: object[]) =>
  (members: Members): Members => [...members, ...(more as Members)];
const raise = change('d:1', { votes: 1, priority: 1 });

/** With a default write concern, so that arbiters are no matter (rule 8). */
function aSet(seed: number): TestSet {
  const set = healthySet(seed);
  set.command(set.primary.host, { setDefaultRWConcern: 1, defaultWriteConcern: { w: 'majority' } });
  set.run(1_000);
  return set;
}

describe('rule 1, one voting change at a time (validateSingleNodeChange in repl_set_config_checks.cpp)', () => {
  it('counts the difference of the voters by _id, either way', () => {
    const set = aSet(1);
    const [first = '', second = ''] = othersOf(set.primary.host);
    expect(set.reconfig(without(first, second))).toMatchObject({
      ...INCOMPATIBLE,
      errmsg: expect.stringMatching(/at most 1 voting member/),
    });
    expect(set.reconfig((m) => change(first, WITHOUT_VOTE)(without(second)(m)))).toMatchObject(INCOMPATIBLE);
    expect(set.reconfig(without(first))).toEqual({ ok: 1 });
  });

  it('minds no number of members without a vote', () => {
    const set = aSet(2);
    const many = Array.from({ length: 20 }, (_, i) => ({ _id: 10 + i, host: `n${i}:1`, ...WITHOUT_VOTE }));
    expect(set.reconfig(withMembers(...many))).toEqual({ ok: 1 });
    set.run(1_000);
    expect(set.reconfig(without(...many.map(({ host }) => host)))).toEqual({ ok: 1 });
  });

  it('takes a host that changes under the same _id for the same member', () => {
    const set = aSet(3);
    const [first = ''] = othersOf(set.primary.host);
    expect(set.reconfig(change(first, { host: 'moved:1' }))).toEqual({ ok: 1 });
  });
});

describe('rule 2, the current configuration first (_doReplSetReconfig in replication_coordinator_impl.cpp)', () => {
  it('must be on a majority: 308', () => {
    const set = aSet(4);
    set.partition([set.primary.host]);
    expect(set.reconfig(withMembers({ ...D, ...WITHOUT_VOTE }))).toEqual({ ok: 1 });
    expect(set.reconfig((m) => m)).toMatchObject({ code: 308, errmsg: expect.stringMatching(/not majority committed/) });
  });

  it('and so must be what the one before it had committed: 308', () => {
    const set = aSet(5);
    const lead = set.primary.host;
    const [living = '', dead = ''] = othersOf(lead);
    set.start('d:1');
    set.reconfig(withMembers({ ...D, ...WITHOUT_VOTE }));
    set.run(10_000);
    set.member('d:1').lagMs = 600_000;
    set.crash(dead);
    set.write('x');
    set.run(5_000);
    expect(set.reconfig(raise)).toEqual({ ok: 1 });
    set.run(5_000);
    // All living members run it, but of its four voters only two have the write.
    expect(set.primary.isConfigCommitted()).toBe(true);
    expect(set.reconfig(without(dead))).toMatchObject({ code: 308, errmsg: expect.stringMatching(/ops committed in the previous config/) });
    set.member('d:1').lagMs = 0;
    set.run(5_000);
    expect(set.reconfig(without(dead))).toEqual({ ok: 1 });
    expect(living).not.toBe(dead);
  });
});

describe('rule 4, newlyAdded (processReplSetReconfig, _reconfigToRemoveNewlyAddedField)', () => {
  it('may not be supplied: 93', () => {
    const set = aSet(6);
    expect(set.reconfig(withMembers({ ...D, newlyAdded: true }))).toMatchObject({ code: 93, codeName: 'InvalidReplicaSetConfig' });
  });

  it('goes by itself once the member is SECONDARY, and the version moves under whoever planned with it', () => {
    const set = aSet(7);
    set.start('d:1');
    set.reconfig(withMembers(D));
    const planned = set.primary.config?.version ?? 0;
    expect(set.primary.config?.members[3]).toMatchObject({ newlyAdded: true });
    set.run(15_000);
    expect(set.primary.config?.version).toBe(planned + 1);
    expect(set.primary.config?.members[3]).not.toHaveProperty('newlyAdded');
    const stale = { ...set.primary.config, version: planned + 1 };
    expect(set.command(set.primary.host, { replSetReconfig: stale })).toMatchObject({
      ...INCOMPATIBLE,
      errmsg: expect.stringMatching(/must be greater than old/),
    });
  });

  it('stays while the member is not there, which then counts for no majority', () => {
    const set = aSet(8);
    set.reconfig(withMembers(D));
    set.run(30_000);
    expect(set.primary.config?.members[3]).toMatchObject({ newlyAdded: true });
    expect(set.command(set.primary.host, { replSetGetStatus: 1 })).toMatchObject({ votingMembersCount: 3, majorityVoteCount: 2 });
  });

  it('stays through another reconfig meanwhile', () => {
    const set = aSet(9);
    set.reconfig(withMembers(D));
    set.run(1_000);
    expect(set.reconfig(withMembers({ _id: 4, host: 'e:1', ...WITHOUT_VOTE }))).toEqual({ ok: 1 });
    expect(set.primary.config?.members[3]).toMatchObject({ newlyAdded: true });
  });

  it('is not given to a member whose vote is raised: that one counts at once, ready or not', () => {
    const set = aSet(10);
    set.reconfig(withMembers({ ...D, ...WITHOUT_VOTE }));
    set.run(1_000);
    expect(set.reconfig(raise)).toEqual({ ok: 1 });
    expect(set.primary.config?.members[3]).not.toHaveProperty('newlyAdded');
    expect(set.command(set.primary.host, { replSetGetStatus: 1 })).toMatchObject({ votingMembersCount: 4, majorityVoteCount: 3 });
  });

  it('is not given to arbiters', () => {
    const set = aSet(11);
    set.reconfig(withMembers({ ...D, arbiterOnly: true }));
    expect(set.primary.config?.members[3]).not.toHaveProperty('newlyAdded');
  });
});

describe('rule 5, what holds for every configuration (ReplSetConfig::_validate, MemberConfig, validateOldAndNewConfigsCompatible)', () => {
  const more = Array.from({ length: 5 }, (_, i) => ({ _id: 10 + i, host: `n${i}:1` }));
  const fifty = Array.from({ length: 48 }, (_, i) => ({ _id: 10 + i, host: `n${i}:1`, ...WITHOUT_VOTE }));
  it.each<[string, (lead: string) => (m: Members) => Members, number, RegExp]>([
    ['51 members', () => withMembers(...fifty), 103, /51 members/],
    ['an _id twice', () => withMembers({ ...D, _id: 0 }), 103, /same _id field/],
    ['a host twice', () => withMembers({ _id: 3, host: 'a:1' }), 103, /same host field/],
    ['nobody electable', () => (m) => m.map((one) => ({ ...one, priority: 0 })), 103, /priority > 0/],
    ['another _id for a host', (lead) => change(lead, { _id: 99 }), 103, /both have members with host of/],
    ['another arbiterOnly', (lead) => change(othersOf(lead)[0] ?? '', { arbiterOnly: true, priority: 0 }), 103, /arbiterOnly field/],
    ['an arbiter that could lead', () => withMembers({ ...D, arbiterOnly: true, priority: 5 }), 103, /Arbiter priority must be 0/],
    ['priority without a vote', () => withMembers({ ...D, votes: 0 }), 93, /non-voting/],
    ['priority of a hidden member', () => withMembers({ ...D, hidden: true }), 93, /hidden=true/],
    ['priority of a delayed member', () => withMembers({ ...D, secondaryDelaySecs: 5 }), 93, /secondaryDelaySecs/],
    ['an arbiter without a vote', () => withMembers({ ...D, arbiterOnly: true, votes: 0 }), 93, /Arbiter must vote/],
    ['an _id above 255 (rule 6)', () => withMembers({ ...D, _id: 256 }), 93, /out of range/],
  ])('refuses %s', (_what, wrong, code, text) => {
    const set = aSet(12);
    expect(set.reconfig(wrong(set.primary.host))).toMatchObject({ ok: 0, code, errmsg: expect.stringMatching(text) });
  });

  // _validate counts MemberConfig::isVoter, which a newlyAdded member is not.
  it('refuses an eighth vote, and an eighth voter that is new waits for its vote for ever', () => {
    const set = aSet(13);
    for (const one of more.slice(0, 4)) {
      expect(set.reconfig(withMembers({ ...one, ...WITHOUT_VOTE }))).toEqual({ ok: 1 });
      set.run(1_000);
      set.start(one.host);
      set.run(10_000);
      expect(set.ask(set.primary.host, raised(set, one.host))).toEqual({ ok: 1 });
    }
    expect(set.command(set.primary.host, { replSetGetStatus: 1 })).toMatchObject({ votingMembersCount: 7 });
    set.start('n4:1');
    expect(set.ask(set.primary.host, changed(set, withMembers(more[4] ?? {})))).toEqual({ ok: 1 });
    set.run(30_000);
    expect(set.states()['n4:1']).toBe('SECONDARY');
    expect(set.primary.config?.members.at(-1)).toMatchObject({ host: 'n4:1', newlyAdded: true });
    set.reconfig((m) => m.map((one) => (one.host === 'n4:1' ? { ...one, ...WITHOUT_VOTE } : one)));
    set.run(3_000);
    expect(set.command(set.primary.host, { replSetGetStatus: 1 })).toMatchObject({ votingMembersCount: 7 });
    const eighth = { _id: 30, host: 'n5:1', ...WITHOUT_VOTE };
    expect(set.ask(set.primary.host, changed(set, withMembers(eighth)))).toEqual({ ok: 1 });
    const refused = set.command(set.primary.host, raised(set, 'n5:1'));
    expect(refused).toMatchObject({ ...INCOMPATIBLE, errmsg: expect.stringMatching(/8 voting members/) });
  });
});

/** The command for a changed configuration of the primary. */
function changed(set: TestSet, how: (members: Members) => Members) {
  const { config } = set.command(set.primary.host, { replSetGetConfig: 1 }) as unknown as { config: { version: number; members: Members } };
  return { replSetReconfig: { ...config, version: config.version + 1, members: how(config.members) } };
}
const raised = (set: TestSet, host: string) => changed(set, change(host, { votes: 1, priority: 1 }));

describe('rule 7, the primary must stay and may lead (findSelfInConfigIfElectable)', () => {
  it('in it: 74 otherwise, 104 where it is not electable there', () => {
    const set = aSet(14);
    const lead = set.primary.host;
    expect(set.reconfig(without(lead))).toMatchObject({ code: 74, codeName: 'NodeNotFound' });
    expect(set.reconfig(change(lead, { priority: 0 }))).toMatchObject({ code: 104, codeName: 'NodeNotElectable' });
  });

  it('and is removed after it has stepped down', () => {
    const set = aSet(15);
    const old = set.primary.host;
    expect(set.ask(old, { replSetStepDown: 60 })).toEqual({ ok: 1 });
    set.until(() => set.primaries.length === 1);
    set.run(3_000);
    expect(set.reconfig(without(old))).toEqual({ ok: 1 });
  });
});

describe('rule 8, the implicit write concern (_doReplSetReconfig)', () => {
  it('may not change by a reconfig, only by setDefaultRWConcern', () => {
    const set = healthySet(16);
    const arbiter = withMembers({ ...D, arbiterOnly: true });
    expect(set.reconfig(arbiter)).toMatchObject({ ...INCOMPATIBLE, errmsg: expect.stringMatching(/implicit default write concern/) });
    set.command(set.primary.host, { setDefaultRWConcern: 1, defaultWriteConcern: { w: 'majority' } });
    set.run(1_000);
    expect(set.reconfig(arbiter)).toEqual({ ok: 1 });
  });
});

describe('rule 10, a raised vote of a member that lags (_doReplSetReconfig)', () => {
  it('blocks the next reconfig (308), and the server gives no warning before', () => {
    const set = aSet(17);
    const [dead = ''] = othersOf(set.primary.host);
    set.start('d:1');
    set.reconfig(withMembers({ ...D, ...WITHOUT_VOTE }));
    set.run(10_000);
    set.crash(dead);
    set.member('d:1').lagMs = 120_000;
    set.write('x');
    set.run(5_000);
    expect(set.ask(set.primary.host, raised(set, 'd:1'))).toEqual({ ok: 1 });
    const next = { ...set.primary.config, version: (set.primary.config?.version ?? 0) + 1 };
    expect(set.ask(set.primary.host, { replSetReconfig: next, maxTimeMS: 20_000 })).toMatchObject({ code: 308 });
    set.run(150_000);
    expect(set.ask(set.primary.host, { replSetReconfig: next, maxTimeMS: 20_000 })).toEqual({ ok: 1 });
  });
});
