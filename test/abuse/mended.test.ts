import { afterEach, describe, expect, it } from '@jest/globals';
import { serialize } from 'bson';
import { instanceFact } from '../../lambdas/aws/ec2-facts';
import { decodeHello, encodeHello } from '../../lambdas/aws/mongo-hello';
import { outcomeOf } from '../../lambdas/aws/network-probe';
import { decodeMessage, queueOf } from '../../lambdas/core/jobs';
import { aHealthyWorld, anInstance, change, dead, planOf } from '../builders';
import { deep } from './hostile';

afterEach(() => expect(Object.keys(Object.prototype)).toEqual([]));

function problemsOf(body: string): string[] {
  const decoded = decodeMessage('provision', body);
  return decoded.ok ? [] : decoded.problems;
}

/** Found by generated inputs, and mended; each with the value that showed it. */
describe('what a sender writes', () => {
  it('does not make the reason of a refusal as large as the message', () => {
    const [problem = '', ...others] = problemsOf(`{"kind":"scale","cluster":"city","role":"orion","count":2,"${'k'.repeat(200_000)}":1}`);
    expect(others).toEqual([]);
    expect(problem).toMatch(/^\(whole value\): Unrecognized key: "k+\.\.\.; got \{"kind":"scale"/);
    expect(problem.length).toBeLessThanOrEqual(400);
  });

  it('that is wrong in a thousand places is refused for the first of them', () => {
    const survivors = Array.from({ length: 40 }, () => 'nobody');
    const problems = problemsOf(JSON.stringify({ kind: 'repairMajority', cluster: 'city', survivors }));
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toBe('and 20 more');
  });

  it.each(['{"a":', '['])('is refused in words, not with a full stack, when it is nested ten thousand deep by %s', (open) => {
    const nested = deep(10_000, open, open === '[' ? ']' : '}');
    expect(problemsOf(`{"kind":"scale","cluster":"city","role":"orion","count":${nested}}`)).toEqual([
      expect.stringMatching(/^count: .*; got a value nested too deep to show$/),
    ]);
  });

  it('does not steer the terminal of whoever reads the reason', () => {
    const key = '\u001b[2J\u202e\u009b';
    expect(problemsOf(JSON.stringify({ kind: 'deleteCluster', cluster: 'city', [key]: 1 })).join()).toContain('\\u001b[2J\\u202e\\u009b');
  });
});

describe('what a node answers', () => {
  const reply = (document: object): Buffer => {
    const message = Buffer.concat([encodeHello(1).subarray(0, 21), serialize(document)]);
    message.writeInt32LE(message.length, 0);
    return message;
  };
  const outcome = (document: object) => {
    try {
      return decodeHello(reply(document));
    } catch (error) {
      return outcomeOf(error);
    }
  };

  it.each([
    ['a member by name', { hosts: ['10.0.3.1:27017', 'mdb2.example:27017'] }, /members as address:port.*mdb2\.example/],
    ['a member that is no text', { hosts: [null] }, /members as address:port/],
    ['eight voters', { hosts: Array.from({ length: 8 }, (_, i) => `10.0.3.${i}:27017`) }, /at most 7 members/],
    ['half a version', { setVersion: 1.5 }, /setVersion as a whole number/],
  ])('says nothing of its health where it names %s: no job could be planned with it, and unknown is not dead', (_what, fields, words) => {
    expect(outcome({ ok: 1, setName: 'orion_rs', ...fields })).toEqual({ is: 'unknown', detail: expect.stringMatching(words) });
  });

  it('in a refusal of a megabyte is not carried along', () => {
    expect(outcome({ ok: 0, errmsg: 'x'.repeat(1_000_000) })).toEqual({
      is: 'failed',
      detail: expect.stringMatching(/^hello failed: x{100,200}$/),
    });
  });

  it('never keeps the address where it is, however many words the holder died with', () => {
    const world = aHealthyWorld();
    const wordy = change(world, 'lb1', (node) => ({
      ...dead(node),
      health: { ...dead(node).health, detail: 'no route to host '.repeat(500) },
    }));
    const move = planOf(wordy).jobs.find(({ kind }) => kind === 'moveAddress');
    expect(move?.reason).toMatch(/\.\.\.$/);
    expect(move && decodeMessage(queueOf(move), JSON.stringify(move))).toMatchObject({ ok: true });
  });
});

describe('what somebody tags', () => {
  it.each(['', 'ctx', 'ctx1; reboot', '__proto__', 'ctx100', 'сtx1'])(
    'as slot %j is no node: a job for it would be refused by its own worker',
    (slot) => {
      const { instanceId, cluster, role } = anInstance('ctx1');
      const tags = { 'fiware-ha:cluster': cluster, 'fiware-ha:role': role, 'fiware-ha:slot': slot, 'fiware-ha:incarnation': '1' };
      const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      expect(instanceFact({ InstanceId: instanceId, State: { Name: 'running' }, Tags }, 'ok', {})).toBeUndefined();
    },
  );
});
