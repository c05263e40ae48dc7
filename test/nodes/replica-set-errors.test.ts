import { describe, expect, it } from '@jest/globals';
import { A, ALL_WELL, aConfig, B, C, config, EXPECT, errorReply, member, OUTCOME_OF_CODE, reconfig, run, ScriptedDb } from './scripted-db';

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
  const state = (myState: number) => ({ ...ALL_WELL, myState });

  it('gives the lead away, after the others have caught up', () => {
    const db = new ScriptedDb({
      hello: [primary, secondary],
      replSetGetStatus: state(2),
      replSetGetConfig: there,
      replSetStepDown: { ok: 1 },
    });
    expect(run(db, 'step-down', payload)).toEqual({ ok: true, did: 'stepped down', setVersion: 5 });
    expect(db.sent('replSetStepDown')).toEqual([{ replSetStepDown: expect.any(Number), secondaryCatchUpPeriodSecs: expect.any(Number) }]);
    expect(db.sent('replSetStepDown')[0]).not.toHaveProperty('force');
  });

  it('counts as done when the connection breaks on the way', () => {
    const db = new ScriptedDb({
      hello: [primary, secondary],
      replSetGetStatus: state(2),
      replSetGetConfig: there,
      replSetStepDown: new Error('connection closed'),
    });
    expect(run(db, 'step-down', payload)).toMatchObject({ ok: true });
  });

  it('has nothing to do on a secondary', () => {
    const db = new ScriptedDb({ hello: secondary, replSetGetStatus: state(2) });
    expect(run(db, 'step-down', payload)).toMatchObject({ ok: true, did: 'already' });
    expect(db.sent('replSetStepDown')).toEqual([]);
  });

  it('is not done while another one waits: the primary takes no writes then, and may lead on', () => {
    const busy = errorReply(117, 'ConflictingOperationInProgress');
    const db = new ScriptedDb({ hello: secondary, replSetGetStatus: state(1), replSetGetConfig: there, replSetStepDown: busy });
    expect(run(db, 'step-down', payload)).toMatchObject({ ok: false, outcome: 'retry', code: 117 });
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
