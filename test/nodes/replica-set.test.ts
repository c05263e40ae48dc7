import { describe, expect, it } from '@jest/globals';

type Reply = Record<string, unknown>;
type Command = Record<string, unknown>;
interface Db {
  adminCommand(command: Command): Reply;
}
const { run, OUTCOME_OF_CODE } = require('../../nodes/mongo/replica-set.js') as {
  run(db: Db, action: string, payload: unknown): Reply;
  OUTCOME_OF_CODE: Record<number, string>;
};

const A = '10.0.0.1:27017';
const B = '10.0.0.2:27017';
const C = '10.0.0.3:27017';
const D = '10.0.0.4:27017';

const member = (_id: number, host: string, votes = 1) => ({ _id, host, votes, priority: votes });
const aConfig = (members = [member(0, A), member(1, B), member(2, C)], version = 5) => ({ _id: 'orion_rs', version, members });
const errorReply = (code: number, codeName = 'SomeName') => ({ ok: 0, code, codeName, errmsg: 'as the server says' });

type StateName = 'PRIMARY' | 'SECONDARY' | 'STARTUP2' | 'DOWN';
const STATE: Record<StateName, number> = { PRIMARY: 1, SECONDARY: 2, STARTUP2: 5, DOWN: 8 };
/** Members as A sees them. */
const aStatus = (states: Record<string, StateName>) => ({
  ok: 1,
  members: Object.entries(states).map(([name, state]) => ({
    name,
    state: STATE[state],
    stateStr: state,
    health: state === 'DOWN' ? 0 : 1,
    ...(name === A ? { self: true } : {}),
  })),
});
const ALL_WELL = aStatus({ [A]: 'PRIMARY', [B]: 'SECONDARY', [C]: 'SECONDARY' });

/** A database that answers each command from its own list, the last answer again and again; an Error is thrown, as mongosh does. */
class ScriptedDb implements Db {
  readonly asked: Command[] = [];
  private readonly answers: Record<string, (Reply | Error)[]>;

  constructor(answers: Record<string, Reply | Error | (Reply | Error)[]>) {
    const defaults = { getDefaultRWConcern: { ok: 1, defaultWriteConcernSource: 'global' } };
    this.answers = Object.fromEntries(Object.entries({ ...defaults, ...answers }).map(([name, list]) => [name, [list].flat()]));
  }

  adminCommand(command: Command): Reply {
    this.asked.push(command);
    const name = Object.keys(command)[0] ?? '';
    const list = this.answers[name] ?? [];
    const answer = list.length > 1 ? list.shift() : list[0];
    if (!answer) throw new Error(`the script has no answer to ${name}`);
    if (answer instanceof Error) throw answer;
    return answer;
  }

  sent(name: string): Command[] {
    return this.asked.filter((command) => name in command);
  }
}

const config = (value: ReturnType<typeof aConfig>) => ({ ok: 1, config: value });
const EXPECT = { setVersion: 5, voters: [A, B, C], nonVoters: [] as string[] };
const reconfig = (change: string, host: string, expectation: object = EXPECT) => ({
  replicaSet: 'orion_rs',
  change: { change, host },
  expect: expectation,
});

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

describe('error codes', () => {
  const outcomes: [number, string, string][] = [
    [23, 'AlreadyInitialized', 'stale'],
    [50, 'MaxTimeMSExpired', 'retry'],
    [74, 'NodeNotFound', 'retry'],
    [93, 'InvalidReplicaSetConfig', 'failed'],
    [94, 'NotYetInitialized', 'stale'],
    [103, 'NewReplicaSetConfigurationIncompatible', 'stale'],
    [104, 'NodeNotElectable', 'refused'],
    [109, 'ConfigurationInProgress', 'retry'],
    [110, 'CannotInitializeNodeWithData', 'refused'],
    [117, 'ConflictingOperationInProgress', 'retry'],
    [189, 'PrimarySteppedDown', 'stale'],
    [262, 'ExceededTimeLimit', 'retry'],
    [308, 'CurrentConfigNotCommittedYet', 'retry'],
    [10107, 'NotWritablePrimary', 'stale'],
    [8000, 'SomethingNew', 'failed'],
  ];

  it.each(outcomes)('%i %s is %s, answered or thrown', (code, codeName, outcome) => {
    const reply = errorReply(code, codeName);
    for (const way of [reply, Object.assign(new Error('as the shell throws it'), reply)]) {
      const db = new ScriptedDb({ replSetGetConfig: config(aConfig()), replSetGetStatus: ALL_WELL, replSetReconfig: way });
      expect(run(db, 'reconfig', reconfig('remove', C))).toMatchObject({ ok: false, outcome, code, codeName });
    }
  });

  it('are all in the table above', () => {
    expect(Object.keys(OUTCOME_OF_CODE).map(Number).sort()).toEqual(
      outcomes
        .map(([code]) => code)
        .filter((code) => code !== 8000)
        .sort(),
    );
  });
});

describe('step-down', () => {
  const payload = { replicaSet: 'orion_rs', expect: EXPECT };
  const primary = { ok: 1, isWritablePrimary: true, setName: 'orion_rs', setVersion: 5 };
  const secondary = { ok: 1, isWritablePrimary: false, setName: 'orion_rs', setVersion: 5 };
  const there = config(aConfig());

  it('gives the lead away, after the others have caught up', () => {
    const db = new ScriptedDb({ hello: [primary, secondary], replSetGetConfig: there, replSetStepDown: { ok: 1 } });
    expect(run(db, 'step-down', payload)).toEqual({ ok: true, did: 'stepped down', setVersion: 5 });
    expect(db.sent('replSetStepDown')).toEqual([{ replSetStepDown: expect.any(Number), secondaryCatchUpPeriodSecs: expect.any(Number) }]);
    expect(db.sent('replSetStepDown')[0]).not.toHaveProperty('force');
  });

  it('counts as done when the connection breaks on the way', () => {
    const db = new ScriptedDb({ hello: [primary, secondary], replSetGetConfig: there, replSetStepDown: new Error('connection closed') });
    expect(run(db, 'step-down', payload)).toMatchObject({ ok: true });
  });

  it('has nothing to do on a secondary', () => {
    const db = new ScriptedDb({ hello: secondary });
    expect(run(db, 'step-down', payload)).toMatchObject({ ok: true, did: 'already' });
    expect(db.sent('replSetStepDown')).toEqual([]);
  });

  it('is stale where the configuration has moved on', () => {
    const db = new ScriptedDb({ hello: primary, replSetGetConfig: config(aConfig([member(0, A), member(1, B)], 6)) });
    expect(run(db, 'step-down', payload)).toMatchObject({ ok: false, outcome: 'stale' });
    expect(db.sent('replSetStepDown')).toEqual([]);
  });

  it('is to be tried again while no secondary has caught up', () => {
    const late = errorReply(262, 'ExceededTimeLimit');
    const db = new ScriptedDb({ hello: primary, replSetGetConfig: there, replSetStepDown: late });
    expect(run(db, 'step-down', payload)).toMatchObject({ ok: false, outcome: 'retry' });
  });
});

describe('anything else', () => {
  it('is an answer that names the action, never an exception', () => {
    const db = new ScriptedDb({});
    expect(run(db, 'force', {})).toMatchObject({ ok: false, outcome: 'failed', error: expect.stringContaining('got force') });
    expect(run(db, 'reconfig', null)).toMatchObject({ ok: false, outcome: 'failed' });
  });
});
