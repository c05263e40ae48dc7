/** Safe reconfig on a running set. Rules: repl_set_config_checks.cpp, replication_coordinator_impl.cpp; the rest of them in rules.test.ts. */
import { describe, expect, it } from '@jest/globals';
import { healthySet } from './replica-set';

const D = { _id: 3, host: 'd:1' };
const WITHOUT_VOTE = { votes: 0, priority: 0 };

describe('a safe reconfig', () => {
  it('adds a member without a vote, which copies, catches up and then may vote', () => {
    const set = healthySet(1, { syncMs: 20_000 });
    set.write('before');
    set.run(100);
    set.start('d:1');
    expect(set.reconfig((members) => [...members, { ...D, ...WITHOUT_VOTE }])).toEqual({ ok: 1 });
    set.run(4_000);
    expect(set.states()['d:1']).toBe('STARTUP2');
    set.write('during');
    expect(set.until(() => set.member('d:1').state === 'SECONDARY')).toBeGreaterThan(10_000);
    expect(Object.keys(set.member('d:1').read('orion.entities'))).toEqual(['before', 'during']);
    const raise = (members: Record<string, unknown>[]) => members.map((m) => (m.host === 'd:1' ? { ...m, votes: 1, priority: 1 } : m));
    expect(set.reconfig(raise)).toEqual({ ok: 1 });
    set.run(5_000);
    expect(set.primary.isConfigCommitted()).toBe(true);
    expect(set.command('b:1', { hello: 1 })).toMatchObject({ hosts: ['a:1', 'b:1', 'c:1', 'd:1'], setVersion: 3 });
  });

  it.each([
    [
      'takes two new voters, which do not count yet',
      (m: object[]) => [...m, D, { _id: 4, host: 'e:1' }].map((one) => ({ ...one, votes: 1, priority: 1 })),
      'ok',
    ],
    ['refuses to drop two voters', (m: object[]) => m.slice(0, 1), 103],
  ])('%s', (_what, change, wanted) => {
    const set = healthySet(2);
    // The primary must stay in the set: put it first.
    const lead = set.primary.host;
    const sorted = (members: Record<string, unknown>[]) => members.toSorted((a, b) => Number(b.host === lead) - Number(a.host === lead));
    const reply = set.reconfig((members) => change(sorted(members)) as Record<string, unknown>[]);
    expect(reply).toMatchObject(wanted === 'ok' ? { ok: 1 } : { code: wanted, errmsg: expect.stringMatching(/at most 1 voting member/) });
  });

  it('refuses a swap of a voter by raising one vote and dropping another at once (103)', () => {
    const set = healthySet(3);
    set.start('d:1');
    set.reconfig((members) => [...members, { ...D, ...WITHOUT_VOTE }]);
    set.run(10_000);
    const victim = ['a:1', 'b:1', 'c:1'].find((host) => host !== set.primary.host);
    const swap = (members: Record<string, unknown>[]) =>
      members.filter((m) => m.host !== victim).map((m) => ({ ...m, votes: 1, priority: 1 }));
    expect(set.reconfig(swap)).toMatchObject({ code: 103, codeName: 'NewReplicaSetConfigurationIncompatible' });
  });

  it('refuses an old version, another _id for a host, and a changed arbiterOnly (103)', () => {
    const set = healthySet(4);
    const { host, config } = set.primary;
    set.command(host, { setDefaultRWConcern: 1, defaultWriteConcern: { w: 'majority' } });
    const members = config?.members ?? [];
    const ask = (changed: object[], version = 2) => set.command(host, { replSetReconfig: { _id: 'rs', version, members: changed } });
    expect(ask(members, 1)).toMatchObject({ code: 103, errmsg: expect.stringMatching(/must be greater than old/) });
    const other = (change: object) => members.map((m) => (m.host === host ? m : { ...m, ...change }));
    expect(ask(members.map((m) => (m.host === host ? m : { ...m, _id: m._id + 10 })))).toMatchObject({
      code: 103,
      errmsg: expect.stringMatching(/host of/),
    });
    expect(ask(other({ arbiterOnly: true, priority: 0 }))).toMatchObject({ code: 103, errmsg: expect.stringMatching(/arbiterOnly/) });
  });

  it('refuses to run on a secondary (10107), uninitiated (94), and to remove or disable the primary (74, 104)', () => {
    const set = healthySet(5);
    const lead = set.primary.host;
    const secondary = lead === 'a:1' ? 'b:1' : 'a:1';
    expect(set.command(secondary, { replSetReconfig: { ...set.primary.config, version: 2 } })).toMatchObject({ code: 10107 });
    expect(set.reconfig((members) => members.filter((m) => m.host !== lead))).toMatchObject({ code: 74, codeName: 'NodeNotFound' });
    expect(set.reconfig((members) => members.map((m) => (m.host === lead ? { ...m, priority: 0 } : m)))).toMatchObject({ code: 104 });
    set.start('d:1');
    expect(set.command('d:1', { replSetReconfig: { _id: 'rs' } })).toMatchObject({ code: 94, codeName: 'NotYetInitialized' });
    expect(set.command('d:1', { replSetGetConfig: 1 })).toMatchObject({ code: 94 });
  });

  it('waits until the last one is on a majority (308)', () => {
    const set = healthySet(7);
    expect(set.reconfig((members) => [...members, { ...D, ...WITHOUT_VOTE }])).toEqual({ ok: 1 });
    const again = () => set.reconfig((members) => members.filter((m) => m.host !== 'd:1'));
    expect(again()).toMatchObject({ code: 308, codeName: 'CurrentConfigNotCommittedYet' });
    set.run(100);
    expect(again()).toEqual({ ok: 1 });
  });

  it('is impossible with the majority lost (308), until the primary has stepped down (10107)', () => {
    const set = healthySet(8);
    const lead = set.primary.host;
    set.partition([lead]);
    expect(set.reconfig((members) => [...members, { ...D, ...WITHOUT_VOTE }])).toEqual({ ok: 1 });
    set.run(3_000);
    expect(set.reconfig((members) => members)).toMatchObject({ code: 308 });
    set.run(15_000);
    expect(set.command(lead, { replSetReconfig: { ...set.member(lead).config, version: 9 } })).toMatchObject({ code: 10107 });
    set.partition();
    set.run(20_000);
    // Never on a majority, so the next primary does not know it.
    expect(set.primary.config?.members).toHaveLength(3);
  });

  it('blocks the next one while a raised vote belongs to a member that lags (308)', () => {
    const set = healthySet(9);
    const lead = set.primary.host;
    const others = ['a:1', 'b:1', 'c:1'].filter((host) => host !== lead);
    const [dead = '', living = ''] = others;
    set.start('d:1');
    set.reconfig((members) => [...members, { ...D, ...WITHOUT_VOTE }]);
    set.run(10_000);
    set.partition([lead, living], [dead], ['d:1']);
    set.write('x');
    set.run(100);
    const raise = (members: Record<string, unknown>[]) => members.map((m) => (m.host === 'd:1' ? { ...m, votes: 1, priority: 1 } : m));
    expect(set.reconfig(raise)).toEqual({ ok: 1 });
    set.run(3_000);
    // Four voters, three of them needed; two have the configuration and the write.
    expect(set.reconfig((members) => members.filter((m) => m.host !== dead))).toMatchObject({ code: 308 });
    set.partition([lead, living, 'd:1'], [dead]);
    set.run(5_000);
    expect(set.reconfig((members) => members.filter((m) => m.host !== dead))).toEqual({ ok: 1 });
  });

  it('gives a new voter its vote by itself once it is SECONDARY, which moves the version', () => {
    const set = healthySet(10, { syncMs: 5_000 });
    set.write('x');
    set.start('d:1');
    expect(set.reconfig((members) => [...members, { ...D, votes: 1, priority: 1 }])).toEqual({ ok: 1 });
    set.run(2_000);
    expect(set.primary.config?.members[3]).toMatchObject({ host: 'd:1', votes: 1, newlyAdded: true });
    const shown = set.command(set.primary.host, { replSetGetConfig: 1 }).config;
    expect(JSON.stringify(shown)).not.toContain('newlyAdded');
    expect(set.command(set.primary.host, { hello: 1 })).toMatchObject({ passives: ['d:1'] });
    expect(set.command(set.primary.host, { replSetGetStatus: 1 })).toMatchObject({ votingMembersCount: 3 });
    set.until(() => set.primary.config?.version === 3);
    set.run(3_000);
    expect(set.command(set.primary.host, { replSetGetStatus: 1 })).toMatchObject({ votingMembersCount: 4, majorityVoteCount: 3 });
  });

  it('tells the removed member, which then belongs to nothing', () => {
    const set = healthySet(11);
    const victim = set.primary.host === 'a:1' ? 'b:1' : 'a:1';
    expect(set.reconfig((members) => members.filter((m) => m.host !== victim))).toEqual({ ok: 1 });
    set.run(5_000);
    expect(set.states()[victim]).toBe('REMOVED');
    expect(set.command(victim, { hello: 1 })).not.toHaveProperty('setName');
    expect(set.command(victim, { replSetGetStatus: 1 })).toMatchObject({ code: 93 });
    set.run(60_000);
    expect(set.primaries).toHaveLength(1);
  });

  it('refuses when it would change the implicit write concern, unless a default was set', () => {
    const set = healthySet(12);
    const arbiter = { _id: 3, host: 'd:1', arbiterOnly: true };
    const shrink = (members: Record<string, unknown>[]) => [
      ...members.filter((m) => m.host === set.primary.host || m.host === 'c:1' || m.host === 'b:1').slice(0, 3),
      arbiter,
    ];
    expect(set.reconfig(shrink)).toMatchObject({ code: 103, errmsg: expect.stringMatching(/implicit default write concern/) });
    const reply = set.command(set.primary.host, { setDefaultRWConcern: 1, defaultWriteConcern: { w: 'majority' } });
    expect(reply).toMatchObject({ ok: 1, defaultWriteConcernSource: 'global' });
    expect(set.command(set.primary.host, { getDefaultRWConcern: 1 })).toMatchObject({ defaultWriteConcern: { w: 'majority' } });
    set.run(100);
    expect(set.reconfig(shrink)).toEqual({ ok: 1 });
  });
});
