import { describe, expect, it } from '@jest/globals';
import { A, ALL_WELL, aConfig, aStatus, B, C, config, D, EXPECT, errorReply, member, reconfig, run, ScriptedDb } from './scripted-db';

describe('initiate', () => {
  const payload = { replicaSet: 'orion_rs', members: [A, B, C] };
  const fresh = errorReply(94, 'NotYetInitialized');

  it('makes a set of all members, numbered from 0', () => {
    const db = new ScriptedDb({ replSetGetConfig: [fresh, config(aConfig(undefined, 1))], replSetInitiate: { ok: 1 } });
    expect(run(db, 'initiate', payload)).toEqual({ ok: true, did: 'initiated', setVersion: 1 });
    const members = [A, B, C].map((host, _id) => ({ _id, host }));
    expect(db.sent('replSetInitiate')).toEqual([{ replSetInitiate: { _id: 'orion_rs', members } }]);
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
  it('adds a member without vote and priority, under a new number, within a time limit and never by force', () => {
    const added = aConfig([member(0, A), member(4, B), member(2, C), member(5, D, 0)], 6);
    const before = aConfig([member(0, A), member(4, B), member(2, C)]);
    const db = new ScriptedDb({
      replSetGetConfig: [config(before), config(added)],
      replSetGetStatus: ALL_WELL,
      replSetReconfig: { ok: 1 },
    });
    expect(run(db, 'reconfig', reconfig('add', D))).toEqual({ ok: true, did: 'add', setVersion: 6 });
    expect(db.sent('replSetReconfig')).toEqual([{ replSetReconfig: added, maxTimeMS: expect.any(Number) }]);
  });

  it('takes the lowest free number once the highest is used up', () => {
    const before = aConfig([member(0, A), member(255, B), member(2, C)]);
    const db = new ScriptedDb({ replSetGetConfig: config(before), replSetGetStatus: ALL_WELL, replSetReconfig: { ok: 1 } });
    run(db, 'reconfig', reconfig('add', D));
    expect(db.sent('replSetReconfig')[0]).toMatchObject({ replSetReconfig: { members: { 3: { _id: 1, host: D } } } });
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
    expect(run(db, 'reconfig', reconfig('raise-vote', D, expectation))).toEqual({ ok: true, did: 'raise-vote', setVersion: 6 });
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
    expect(run(db, 'reconfig', reconfig('remove', C))).toEqual({ ok: true, did: 'remove', setVersion: 6 });
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
    ['an older version', { ...EXPECT, setVersion: 6 }],
    ['another voter', { ...EXPECT, voters: [A, B, D] }],
    ['a member without vote that is not there', { ...EXPECT, nonVoters: ['10.0.0.9:27017'] }],
  ])('is stale where the plan saw %s', (_what, expectation) => {
    const db = new ScriptedDb({ replSetGetConfig: config(aConfig()), replSetGetStatus: ALL_WELL });
    expect(run(db, 'reconfig', reconfig('remove', C, expectation))).toMatchObject({ ok: false, outcome: 'stale' });
    expect(db.sent('replSetReconfig')).toEqual([]);
  });

  it('takes a newer version with the same members: the server raises it by itself', () => {
    const db = new ScriptedDb({
      replSetGetConfig: [config(aConfig(undefined, 7)), config(aConfig([member(0, A), member(1, B)], 8))],
      replSetGetStatus: ALL_WELL,
      replSetReconfig: { ok: 1 },
    });
    expect(run(db, 'reconfig', reconfig('remove', C))).toMatchObject({ ok: true, setVersion: 8 });
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
    });
    expect(db.sent('replSetReconfig')).toEqual([]);
  });

  it('believes what it reads back, not the error: a timed-out reconfig may be installed', () => {
    const db = new ScriptedDb({
      replSetGetConfig: [config(aConfig()), config(aConfig([member(0, A), member(1, B)], 6))],
      replSetGetStatus: ALL_WELL,
      replSetReconfig: errorReply(50, 'MaxTimeMSExpired'),
    });
    expect(run(db, 'reconfig', reconfig('remove', C))).toEqual({ ok: true, did: 'remove', setVersion: 6 });
    expect(db.sent('replSetReconfig')).toHaveLength(1);
  });

  it('sets the default write concern once, before the first change', () => {
    const db = new ScriptedDb({
      getDefaultRWConcern: { ok: 1, defaultWriteConcernSource: 'implicit' },
      setDefaultRWConcern: { ok: 1 },
      replSetGetConfig: [config(aConfig()), config(aConfig([member(0, A), member(1, B)], 6))],
      replSetGetStatus: ALL_WELL,
      replSetReconfig: { ok: 1 },
    });
    expect(run(db, 'reconfig', reconfig('remove', C))).toMatchObject({ ok: true });
    expect(db.sent('setDefaultRWConcern')).toMatchObject([{ defaultWriteConcern: { w: 'majority' } }]);
    const order = db.asked.map((command) => Object.keys(command)[0]);
    expect(order.indexOf('setDefaultRWConcern')).toBeLessThan(order.indexOf('replSetReconfig'));
  });
});
