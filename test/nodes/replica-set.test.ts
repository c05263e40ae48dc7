import { describe, expect, it } from '@jest/globals';
import { A, ALL_WELL, aConfig, add, aStatus, B, C, config, D, EXPECT, errorReply, member, reconfig, run, ScriptedDb } from './scripted-db';

describe('initiate', () => {
  const payload = { replicaSet: 'orion_rs', members: [A, B, C] };
  const fresh = errorReply(94, 'NotYetInitialized');

  it('makes a set of all members, numbered from 0', () => {
    const db = new ScriptedDb({ replSetGetConfig: [fresh, config(aConfig(undefined, 1))], replSetInitiate: { ok: 1 } });
    expect(run(db, 'initiate', payload)).toEqual({ ok: true, did: 'initiated', setVersion: 1, nextMemberId: 3 });
    const members = [A, B, C].map((host, _id) => ({ _id, host }));
    expect(db.sent('replSetInitiate')).toEqual([{ replSetInitiate: { _id: 'orion_rs', members }, maxTimeMS: expect.any(Number) }]);
  });

  it('is done already where the very same set is there', () => {
    const db = new ScriptedDb({ replSetGetConfig: config(aConfig()) });
    expect(run(db, 'initiate', payload)).toMatchObject({ ok: true, did: 'already', setVersion: 5 });
    expect(db.sent('replSetInitiate')).toEqual([]);
  });

  it.each([
    ['another name', { ...aConfig(), _id: 'other' }],
    ['other members', aConfig([member(0, A), member(1, B), member(2, D)])],
  ])('refuses where a set with %s is there', (_what, there) => {
    const db = new ScriptedDb({ replSetGetConfig: config(there) });
    expect(run(db, 'initiate', payload)).toMatchObject({ ok: false, outcome: 'refused' });
    expect(db.sent('replSetInitiate')).toEqual([]);
  });

  it('counts as done when somebody else was faster with the same set', () => {
    const db = new ScriptedDb({ replSetGetConfig: [fresh, config(aConfig())], replSetInitiate: errorReply(23, 'AlreadyInitialized') });
    expect(run(db, 'initiate', payload)).toMatchObject({ ok: true });
  });

  it('stops where a member has data, and wipes nothing', () => {
    const db = new ScriptedDb({ replSetGetConfig: fresh, replSetInitiate: errorReply(110, 'CannotInitializeNodeWithData') });
    expect(run(db, 'initiate', payload)).toMatchObject({ ok: false, outcome: 'refused', code: 110 });
  });
});

describe('reconfig', () => {
  it('adds a member without vote and priority, under the number of the plan, within a time limit and never by force', () => {
    const added = aConfig([member(0, A), member(4, B), member(2, C), member(7, D, 0)], 6);
    const before = aConfig([member(0, A), member(4, B), member(2, C)]);
    const db = new ScriptedDb({
      replSetGetConfig: [config(before), config(added)],
      replSetGetStatus: ALL_WELL,
      replSetReconfig: { ok: 1 },
    });
    expect(run(db, 'reconfig', add(D, 7))).toEqual({ ok: true, did: 'add', setVersion: 6, nextMemberId: 8 });
    expect(db.sent('replSetReconfig')).toEqual([{ replSetReconfig: added, maxTimeMS: expect.any(Number) }]);
  });

  it.each([
    ['one above the highest where the number of the plan is taken', 2, 3, 4],
    ['the lowest free one once the highest is used up', 256, 255, 1],
    ['the lowest free one where a taken number is the highest of all', 255, 255, 1],
  ])('takes %s', (_what, chosen, highest, taken) => {
    const before = aConfig([member(0, A), member(highest, B), member(2, C)]);
    const db = new ScriptedDb({ replSetGetConfig: config(before), replSetGetStatus: ALL_WELL, replSetReconfig: { ok: 1 } });
    run(db, 'reconfig', add(D, chosen));
    expect(db.sent('replSetReconfig')[0]).toMatchObject({ replSetReconfig: { members: { 3: { _id: taken, host: D } } } });
  });

  it('gives a vote to a member that is SECONDARY, and leaves the others as they are', () => {
    const before = aConfig([member(0, A), member(1, B), member(3, D, 0)]);
    const after = aConfig([member(0, A), member(1, B), member(3, D)], 6);
    const db = new ScriptedDb({
      replSetGetConfig: [config(before), config(after)],
      replSetGetStatus: aStatus({ [A]: 'PRIMARY', [B]: 'SECONDARY', [D]: 'SECONDARY' }),
      replSetReconfig: { ok: 1 },
    });
    const expectation = { setVersion: 5, voters: [B, A], nonVoters: [D] };
    expect(run(db, 'reconfig', reconfig('raise-vote', D, expectation))).toEqual({
      ok: true,
      did: 'raise-vote',
      setVersion: 6,
      nextMemberId: 4,
    });
    expect(db.sent('replSetReconfig')[0]).toMatchObject({ replSetReconfig: after });
  });

  it('gives no vote to a member that still copies', () => {
    const db = new ScriptedDb({
      replSetGetConfig: config(aConfig([member(0, A), member(1, B), member(3, D, 0)])),
      replSetGetStatus: aStatus({ [A]: 'PRIMARY', [B]: 'SECONDARY', [D]: 'STARTUP2' }),
    });
    const answer = run(db, 'reconfig', reconfig('raise-vote', D, { setVersion: 5, voters: [A, B], nonVoters: [D] }));
    expect(answer).toMatchObject({ ok: false, outcome: 'stale', error: expect.stringContaining('not SECONDARY') });
    expect(db.sent('replSetReconfig')).toEqual([]);
  });

  it('removes a dead voter while the living ones are a majority', () => {
    const after = aConfig([member(0, A), member(1, B)], 6);
    const db = new ScriptedDb({
      replSetGetConfig: [config(aConfig()), config(after)],
      replSetGetStatus: aStatus({ [A]: 'PRIMARY', [B]: 'SECONDARY', [C]: 'DOWN' }),
      replSetReconfig: { ok: 1 },
    });
    expect(run(db, 'reconfig', reconfig('remove', C))).toEqual({ ok: true, did: 'remove', setVersion: 6, nextMemberId: 2 });
  });

  it.each([
    ['the old configuration', 'add', D, { [A]: 'PRIMARY', [B]: 'DOWN', [C]: 'DOWN' }],
    ['the new configuration', 'remove', B, { [A]: 'PRIMARY', [B]: 'SECONDARY', [C]: 'DOWN' }],
  ] as const)('refuses where the living are no majority of %s', (_which, change, host, states) => {
    const db = new ScriptedDb({ replSetGetConfig: config(aConfig()), replSetGetStatus: aStatus(states) });
    expect(run(db, 'reconfig', reconfig(change, host))).toMatchObject({ ok: false, outcome: 'refused' });
    expect(db.sent('replSetReconfig')).toEqual([]);
  });

  it('refuses to remove the primary itself', () => {
    const db = new ScriptedDb({ replSetGetConfig: config(aConfig()), replSetGetStatus: ALL_WELL });
    expect(run(db, 'reconfig', reconfig('remove', A))).toMatchObject({ ok: false, outcome: 'refused' });
  });

  it('is stale on a member that is not the primary', () => {
    const status = aStatus({ [A]: 'SECONDARY', [B]: 'PRIMARY', [C]: 'SECONDARY' });
    const db = new ScriptedDb({ replSetGetConfig: config(aConfig()), replSetGetStatus: status });
    expect(run(db, 'reconfig', reconfig('remove', C))).toMatchObject({ ok: false, outcome: 'stale' });
    expect(db.sent('replSetReconfig')).toEqual([]);
  });

  it.each([
    ['a newer version', { ...EXPECT, setVersion: 6 }],
    ['an older version, with the same members', { ...EXPECT, setVersion: 4 }],
    ['another voter', { ...EXPECT, voters: [A, B, D] }],
    ['a member without vote that is not there', { ...EXPECT, nonVoters: ['10.0.0.9:27017'] }],
  ])('is stale where the plan saw %s', (_what, expectation) => {
    const db = new ScriptedDb({ replSetGetConfig: config(aConfig()), replSetGetStatus: ALL_WELL });
    expect(run(db, 'reconfig', reconfig('remove', C, expectation))).toMatchObject({ ok: false, outcome: 'stale' });
    expect(db.sent('replSetReconfig')).toEqual([]);
  });

  it('gives an eighth member no vote', () => {
    const hosts = [2, 3, 4, 5, 6, 7].map((n) => `10.0.1.${n}:27017`);
    const before = aConfig([member(0, A), ...hosts.map((host, i) => member(i + 1, host)), member(9, D, 0)]);
    const db = new ScriptedDb({
      replSetGetConfig: config(before),
      replSetGetStatus: aStatus(
        Object.fromEntries([[A, 'PRIMARY'] as const, ...[...hosts, D].map((host) => [host, 'SECONDARY'] as const)]),
      ),
    });
    const answer = run(db, 'reconfig', reconfig('raise-vote', D, { setVersion: 5, voters: [A, ...hosts], nonVoters: [D] }));
    expect(answer).toMatchObject({ ok: false, outcome: 'refused', error: '8 members would vote, MongoDB takes 7 at most' });
    expect(db.sent('replSetReconfig')).toEqual([]);
  });

  it.each([
    ['add', C],
    ['remove', D],
    ['raise-vote', B],
  ])('has nothing to do where %s is done already', (change, host) => {
    const db = new ScriptedDb({ replSetGetConfig: config(aConfig()), replSetGetStatus: ALL_WELL });
    expect(run(db, 'reconfig', reconfig(change, host, { setVersion: 1, voters: [], nonVoters: [] }))).toEqual({
      ok: true,
      did: 'already',
      setVersion: 5,
      nextMemberId: 3,
    });
    expect(db.sent('replSetReconfig')).toEqual([]);
  });

  it('does not call done what a majority has not taken yet: the next primary may undo it', () => {
    const db = new ScriptedDb({
      replSetGetConfig: [config(aConfig()), { ...config(aConfig([member(0, A), member(1, B)], 6)), commitmentStatus: false }],
      replSetGetStatus: ALL_WELL,
      replSetReconfig: errorReply(50, 'MaxTimeMSExpired'),
    });
    expect(run(db, 'reconfig', reconfig('remove', C))).toMatchObject({ ok: false, outcome: 'retry', code: 50 });
  });

  it('believes what it reads back, not the error: a timed-out reconfig may be installed', () => {
    const db = new ScriptedDb({
      replSetGetConfig: [config(aConfig()), { ...config(aConfig([member(0, A), member(1, B)], 6)), commitmentStatus: true }],
      replSetGetStatus: ALL_WELL,
      replSetReconfig: errorReply(50, 'MaxTimeMSExpired'),
    });
    expect(run(db, 'reconfig', reconfig('remove', C))).toEqual({ ok: true, did: 'remove', setVersion: 6, nextMemberId: 2 });
    expect(db.sent('replSetReconfig')).toHaveLength(1);
  });
});

describe('set-write-concern', () => {
  const payload = { replicaSet: 'orion_rs', writeConcern: 'majority' };
  const there = { replSetGetConfig: config(aConfig()) };
  const concern = (w: string | number, source = 'global') => ({
    ok: 1,
    defaultWriteConcern: { w, wtimeout: 0 },
    defaultWriteConcernSource: source,
  });

  it('sets it where the server has only a choice of its own', () => {
    const db = new ScriptedDb({
      ...there,
      getDefaultRWConcern: [concern('majority', 'implicit'), concern('majority')],
      setDefaultRWConcern: { ok: 1 },
    });
    expect(run(db, 'set-write-concern', payload)).toEqual({ ok: true, did: 'set', setVersion: 5, nextMemberId: 3 });
    expect(db.sent('setDefaultRWConcern')).toEqual([
      { setDefaultRWConcern: 1, defaultWriteConcern: { w: 'majority', wtimeout: 0 }, maxTimeMS: expect.any(Number) },
    ]);
  });

  it('has nothing to do where it is set', () => {
    const db = new ScriptedDb({ ...there, getDefaultRWConcern: concern('majority') });
    expect(run(db, 'set-write-concern', payload)).toMatchObject({ ok: true, did: 'already' });
    expect(db.sent('setDefaultRWConcern')).toEqual([]);
  });

  it('changes another one', () => {
    const db = new ScriptedDb({ ...there, getDefaultRWConcern: [concern(1), concern('majority')], setDefaultRWConcern: { ok: 1 } });
    expect(run(db, 'set-write-concern', payload)).toMatchObject({ ok: true, did: 'set' });
  });

  it('believes what it reads back, and finds the primary again where this one leads no more', () => {
    const lost = new ScriptedDb({ ...there, getDefaultRWConcern: [concern(1), concern('majority')], setDefaultRWConcern: errorReply(50) });
    expect(run(lost, 'set-write-concern', payload)).toMatchObject({ ok: true, did: 'set' });
    const other = new ScriptedDb({
      ...there,
      getDefaultRWConcern: concern(1),
      setDefaultRWConcern: errorReply(10107, 'NotWritablePrimary'),
    });
    expect(run(other, 'set-write-concern', payload)).toMatchObject({ ok: false, outcome: 'stale' });
  });

  it('refuses a set of another name', () => {
    const db = new ScriptedDb({ replSetGetConfig: config({ ...aConfig(), _id: 'other' }) });
    expect(run(db, 'set-write-concern', payload)).toMatchObject({ ok: false, outcome: 'refused' });
  });
});
