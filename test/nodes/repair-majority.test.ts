/** The forced reconfig on a survivor, by a scripted database: when it acts, and each reason not to. */
import { describe, expect, it } from '@jest/globals';
import { A, aConfig, aStatus, B, C, config, D, errorReply, member, type Reply, ScriptedDb } from './scripted-db';

const { run } = require('../../nodes/mongo/repair-majority.js') as { run(db: ScriptedDb, payload: unknown): Reply };

const LOST = aStatus({ [A]: 'SECONDARY', [B]: 'DOWN', [C]: 'DOWN' });
const withOptimes = (status: ReturnType<typeof aStatus>, optimes: Record<string, [number, number, number]>) => ({
  ...status,
  members: status.members.map((m) => {
    const at = optimes[m.name];
    return at ? { ...m, optime: { ts: { t: at[1], i: at[2] }, t: at[0] } } : m;
  }),
});
const KNOWN = withOptimes(LOST, { [A]: [3, 100, 1] });
const FORCED = { _id: 'orion_rs', version: 10_042, members: [member(0, A)] };
const payload = (survivors = [A], setVersion = 5) => ({ replicaSet: 'orion_rs', survivors, expect: { setVersion } });

function scripted(status: Reply, before = aConfig(), after: ReturnType<typeof aConfig> = FORCED, reply: Reply = { ok: 1 }): ScriptedDb {
  return new ScriptedDb({ replSetGetConfig: [config(before), config(after)], replSetGetStatus: status, replSetReconfig: reply });
}

describe('repair-majority on a survivor', () => {
  it('forces the survivors alone, as they were, and reads it back', () => {
    const db = scripted(KNOWN);
    expect(run(db, payload())).toEqual({ ok: true, did: 'forced', setVersion: 10_042 });
    expect(db.sent('replSetReconfig')).toEqual([
      { replSetReconfig: { _id: 'orion_rs', version: 6, members: [member(0, A)] }, force: true, maxTimeMS: 20_000 },
    ]);
  });

  it('keeps a survivor without a vote as it is, beside one that votes', () => {
    const before = aConfig([member(0, A), member(1, B), member(2, C), member(3, D, 0)]);
    const status = withOptimes(aStatus({ [A]: 'SECONDARY', [B]: 'DOWN', [C]: 'DOWN', [D]: 'SECONDARY' }), {
      [A]: [3, 9, 1],
      [D]: [3, 9, 1],
    });
    const db = scripted(status, before, { ...FORCED, members: [member(0, A), member(3, D, 0)] });
    expect(run(db, payload([A, D]))).toMatchObject({ ok: true, did: 'forced' });
    expect(db.sent('replSetReconfig')).toMatchObject([{ replSetReconfig: { members: [member(0, A), member(3, D, 0)] } }]);
  });

  it('does nothing where it was done before', () => {
    const db = scripted(KNOWN, FORCED);
    expect(run(db, payload())).toEqual({ ok: true, did: 'already', setVersion: 10_042 });
    expect(db.sent('replSetReconfig')).toEqual([]);
  });

  it('takes what is read back for the truth, when the command failed', () => {
    expect(run(scripted(KNOWN, aConfig(), FORCED, errorReply(50)), payload())).toMatchObject({ ok: true, did: 'forced' });
    expect(run(scripted(KNOWN, aConfig(), aConfig(), errorReply(103)), payload())).toMatchObject({
      ok: false,
      outcome: 'failed',
      code: 103,
    });
  });

  const five = aConfig([A, B, C, D, '10.0.0.5:27017'].map((host, i) => member(i, host)));
  const twoOfFive = aStatus({ [A]: 'SECONDARY', [B]: 'SECONDARY', [C]: 'DOWN', [D]: 'DOWN', '10.0.0.5:27017': 'DOWN' });
  it.each<[string, Reply, ReturnType<typeof aConfig>, ReturnType<typeof payload>, string, RegExp]>([
    ['another set', KNOWN, { ...aConfig(), _id: 'other' }, payload(), 'refused', /called other, expected orion_rs/],
    ['another version', KNOWN, aConfig(), payload([A], 4), 'stale', /version 5, 4 was confirmed/],
    ['a survivor that is no member', KNOWN, aConfig(), payload([A, D]), 'refused', /expected members of orion_rs; got 10\.0\.0\.4/],
    ['no survivor', KNOWN, aConfig(), payload([]), 'refused', /got none/],
    ['no survivor with a vote', KNOWN, aConfig([member(0, A, 0), member(1, B), member(2, C)]), payload(), 'refused', /votes/],
    ['a primary', aStatus({ [A]: 'SECONDARY', [B]: 'PRIMARY', [C]: 'DOWN' }), aConfig(), payload(), 'refused', /is the primary/],
    ['a majority', aStatus({ [A]: 'SECONDARY', [B]: 'STARTUP2', [C]: 'DOWN' }), aConfig(), payload(), 'refused', /2 of 3 voters answer/],
    ['itself left out', aStatus({ [A]: 'DOWN', [B]: 'DOWN', [C]: 'DOWN' }), aConfig(), payload([B]), 'refused', /this member, 10\.0\.0\.1/],
    ['a living voter left out', withOptimes(twoOfFive, { [A]: [3, 9, 1] }), five, payload(), 'stale', /10\.0\.0\.2:27017 answers too/],
    ['a silent survivor', KNOWN, aConfig(), payload([A, B]), 'stale', /is DOWN, expected SECONDARY/],
    ['no optime', LOST, aConfig(), payload(), 'refused', /shows no optime/],
    [
      'newer writes in a later term',
      withOptimes(twoOfFive, { [A]: [3, 9, 9], [B]: [4, 1, 1] }),
      five,
      payload([A, B]),
      'stale',
      /newer writes/,
    ],
    [
      'newer writes by the counter',
      withOptimes(twoOfFive, { [A]: [3, 9, 1], [B]: [3, 9, 2] }),
      five,
      payload([A, B]),
      'stale',
      /newer writes/,
    ],
  ])('forces nothing with %s', (_what, status, before, asked, outcome, words) => {
    const db = scripted(status, before);
    expect(run(db, asked)).toMatchObject({ ok: false, outcome, error: expect.stringMatching(words) });
    expect(db.sent('replSetReconfig')).toEqual([]);
  });

  it('answers a server that can not be asked with its words', () => {
    expect(run(new ScriptedDb({ replSetGetConfig: errorReply(94, 'NotYetInitialized') }), payload())).toMatchObject({
      ok: false,
      outcome: 'failed',
      error: expect.stringContaining('NotYetInitialized (94)'),
    });
  });
});
