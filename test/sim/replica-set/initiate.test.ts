/** `replSetInitiate`. Rules: repl_set_config.cpp, member_config.cpp, validateConfigForInitiate, check_quorum_for_config_change.cpp. */
import { describe, expect, it } from '@jest/globals';
import type { Reach } from '../../../sim/replica-set/contract';
import { healthySet, TestSet } from './replica-set';

const A = { _id: 0, host: 'a:1' };
const B = { _id: 1, host: 'b:1' };
const some = (count: number, more: object = {}) => Array.from({ length: count }, (_, i) => ({ _id: i + 1, host: `h${i}:1`, ...more }));
const WITHOUT_VOTE = { votes: 0, priority: 0 };

function initiate(config: unknown, reach?: (host: string) => Reach) {
  const set = new TestSet(1);
  set.start('a:1', 'b:1');
  return set.member('a:1').adminCommand({ replSetInitiate: config }, set.nowMs, reach);
}
const withMembers = (...members: unknown[]) => ({ _id: 'rs', members });

describe('replSetInitiate', () => {
  // processReplSetInitiate answers 93 for whatever is wrong with the configuration itself, this node's place in it included.
  it.each([
    ['another set name than on the command line', { _id: 'other', members: [A] }, /command line reports rs/],
    ['a version that is not 1 (validateConfigForInitiate)', { _id: 'rs', version: 2, members: [A] }, /must have version 1/],
    ['this node left out (findSelfInConfigIfElectable)', withMembers(B), /maps to this node/],
    ['this node not electable (checkElectable)', withMembers({ ...A, priority: 0 }, B), /not electable/],
    ['newlyAdded (ensureNoNewlyAddedMembers)', withMembers(A, { ...B, newlyAdded: true }), /newlyAdded/],
    ['an unknown field of a member', withMembers({ ...A, vote: 1 }), /unknown field/],
  ])('refuses %s: 93', (_what, config, text) => {
    expect(initiate(config)).toMatchObject({ ok: 0, code: 93, errmsg: expect.stringMatching(text) });
  });

  // ReplSetConfig::_validate.
  it.each([
    ['no member', withMembers(), /at least 1/],
    ['51 members', withMembers(A, ...some(50, WITHOUT_VOTE)), /51 members/],
    ['eight voters', withMembers(A, ...some(7)), /8 voting members/],
    ['nobody electable', withMembers({ ...A, priority: 0 }), /priority > 0/],
    ['an _id twice', withMembers(A, { ...B, _id: 0 }), /same _id field/],
    ['a host twice', withMembers(A, { ...B, host: 'a:1' }), /same host field/],
    ['localhost among others', withMembers(A, { ...B, host: 'localhost:1' }), /localhost references/],
    [
      'an arbiter that could lead (validateArbiterPriorities)',
      withMembers(A, { ...B, arbiterOnly: true, priority: 2 }),
      /Arbiter priority must be 0/,
    ],
  ])('refuses %s', (_what, config, text) => {
    expect(initiate(config)).toMatchObject({ ok: 0, code: 93, errmsg: expect.stringMatching(text) });
  });

  // member_config.idl and MemberConfig::MemberConfig.
  it.each([
    ['an _id above 255', { _id: 256 }, /out of range/],
    ['an _id below 0', { _id: -1 }, /out of range/],
    ['two votes', { votes: 2 }, /must be 0 or 1/],
    ['a priority above 1000', { priority: 1001 }, /out of range/],
    ['priority without a vote', { votes: 0 }, /priority must be 0 when non-voting/],
    ['priority of a hidden member', { hidden: true }, /priority must be 0 when hidden/],
    ['priority of a delayed member', { secondaryDelaySecs: 60 }, /priority must be 0 when secondaryDelaySecs/],
    ['priority of a member that builds no indexes', { buildIndexes: false }, /priority must be 0 when buildIndexes/],
    ['an arbiter without a vote', { arbiterOnly: true, votes: 0 }, /Arbiter must vote/],
    ['a host that is none', { host: 'b c' }, /not a host and port/],
  ])('refuses %s', (_what, wrong, text) => {
    expect(initiate(withMembers(A, { ...B, ...wrong }))).toMatchObject({ ok: 0, code: 93, errmsg: expect.stringMatching(text) });
  });

  it.each([
    ['50 members, 7 of them voters', withMembers(A, ...some(6), ...some(49, WITHOUT_VOTE).slice(6))],
    ['_ids from 0 to 255', withMembers({ ...A, _id: 255 }, { ...B, _id: 0 })],
    ['hidden and delayed members of priority 0', withMembers(A, { ...B, priority: 0, hidden: true, secondaryDelaySecs: 60 })],
    ['an arbiter, whose priority is 0 where none is named', withMembers(A, { ...B, arbiterOnly: true })],
    ['an empty document, for a set of its own', {}],
  ])('takes %s', (_what, config) => {
    expect(initiate(config)).toEqual({ ok: 1 });
  });

  it.each([
    ['a member that does not answer', 'unreachable', 74, 'NodeNotFound'],
    ['a member of another set', { setName: 'other' }, 103, 'NewReplicaSetConfigurationIncompatible'],
    ['a member that has a configuration', { setName: 'rs' }, 103, 'NewReplicaSetConfigurationIncompatible'],
    ['a member with data', 'hasData', 110, 'CannotInitializeNodeWithData'],
  ])('refuses %s (QuorumChecker)', (_what, answer, code, codeName) => {
    expect(initiate(withMembers(A, B), () => answer as Reach)).toMatchObject({ ok: 0, code, codeName });
  });

  it('asks what the others say of themselves: a restored member has data', () => {
    const set = healthySet(2);
    set.write('x');
    const durable = { ...structuredClone(set.primary.durable()), config: null };
    set.own.set('d:1', { durable });
    set.start('d:1', 'e:1');
    expect(['a:1', 'd:1', 'e:1'].map((host) => set.member(host).quorumAnswer())).toEqual([{ setName: 'rs' }, 'hasData', 'fresh']);
    const members = ['e:1', 'd:1'].map((host, _id) => ({ _id, host }));
    expect(set.ask('e:1', { replSetInitiate: { _id: 'rs', members } })).toMatchObject({
      code: 110,
      errmsg: expect.stringMatching(/'d:1'/),
    });
    // It itself may start a set with its data.
    expect(set.ask('d:1', { replSetInitiate: { _id: 'rs', members: [{ _id: 0, host: 'd:1' }] } })).toEqual({ ok: 1 });
    set.run(1_000);
    expect(set.member('d:1').read('orion.entities')).toHaveProperty('x');
  });

  it('happens once: 23', () => {
    const set = healthySet();
    expect(set.initiate('a:1', 'b:1', 'c:1')).toMatchObject({ code: 23, codeName: 'AlreadyInitialized' });
  });
});
