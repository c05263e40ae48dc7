/** The error codes of the replica-set script that need more time than a test has: the same script and engine, under virtual time. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { healthySet, type TestSet } from '../sim/replica-set/replica-set';
import { type Meanwhile, OUTCOME_OF_CODE, runStep } from './shell';

const othersOf = (lead: string) => ['a:1', 'b:1', 'c:1'].filter((host) => host !== lead);

/** What the plan of a step saw of the primary's configuration. */
function payloadOf(set: TestSet, more: object) {
  const { config } = set.primary;
  const hosts = (votes: number) => config?.members.filter((member) => member.votes === votes).map(({ host }) => host);
  return { replicaSet: 'rs', expect: { setVersion: config?.version, voters: hosts(1), nonVoters: hosts(0) }, ...more };
}

/** Runs a step on the primary; each command takes the time it takes there. */
function step(set: TestSet, action: string, more: object) {
  const lead = set.primary.host;
  return runStep((command) => set.ask(lead, command), { action, payload: payloadOf(set, more) });
}

/** The primary's commands; the network fails for it in the moment after the quorum check of its first reconfig. */
function cutAfterQuorum(set: TestSet) {
  const lead = set.primary.host;
  return (command: Record<string, unknown>) => {
    const pending = set.begin(lead, command);
    if ('replSetReconfig' in command) set.partition([lead]);
    set.until(() => pending.reply !== undefined);
    return pending.reply ?? {};
  };
}

const ADD = { change: { change: 'add', host: 'd:1' } };
const ends = (code: number, codeName: string) => ({ ok: false, outcome: OUTCOME_OF_CODE[code], code, codeName });

describe('a step ends', () => {
  it('in 50 where the quorum check takes longer than it may, and nothing is installed', () => {
    const set = healthySet(1);
    const lead = set.primary.host;
    const config = set.primary.config;
    const startMs = set.nowMs;
    const slow = () => (set.nowMs > startMs + 25_000 ? ({ setName: 'rs' } as const) : undefined);
    const { result } = runStep((command) => set.ask(lead, command, slow), { action: 'reconfig', payload: payloadOf(set, ADD) });
    expect(result).toMatchObject(ends(50, 'MaxTimeMSExpired'));
    expect(OUTCOME_OF_CODE[50]).toBe('retry');
    expect(set.primary.config).toEqual(config);
  });

  // Facts, rule 9.
  it('in a retry after a 50 whose configuration is installed but on no majority', () => {
    const set = healthySet(2, { electionTimeoutMs: 40_000 });
    const { result, codes } = runStep(cutAfterQuorum(set), { action: 'reconfig', payload: payloadOf(set, ADD) });
    expect(codes).toEqual([50]);
    expect(result).toMatchObject({ ok: false, outcome: 'retry', code: 50 });
    expect(set.primary.config?.version).toBe(2);
  });

  it('in 189 where the primary steps down while its change spreads, and the next one has undone it', () => {
    const set = healthySet(3);
    const meanwhile: Meanwhile = {
      replSetGetConfig: (command, nth) => {
        if (nth === 2) {
          set.partition();
          set.run(30_000);
        }
        return command;
      },
    };
    const { result } = runStep(cutAfterQuorum(set), { action: 'reconfig', payload: payloadOf(set, ADD), meanwhile });
    expect(result).toMatchObject(ends(189, 'PrimarySteppedDown'));
    expect(OUTCOME_OF_CODE[189]).toBe('stale');
    expect(set.primary.config?.members).toHaveLength(3);
  });

  it('in 262 where no secondary catches up in time, and the primary still leads', () => {
    const set = healthySet(4, { electionTimeoutMs: 40_000 });
    for (const host of othersOf(set.primary.host)) set.member(host).lagMs = 600_000;
    set.write('x');
    const startMs = set.nowMs;
    const { result } = step(set, 'step-down', {});
    expect(result).toMatchObject(ends(262, 'ExceededTimeLimit'));
    expect(OUTCOME_OF_CODE[262]).toBe('retry');
    expect(set.nowMs - startMs).toBeGreaterThanOrEqual(10_000);
    expect(set.command(set.primary.host, { hello: 1 })).toMatchObject({ isWritablePrimary: true });
  });

  it('in 308 where a raised vote belongs to a member that lags (facts, rule 10)', () => {
    const set = healthySet(5);
    const [dead = ''] = othersOf(set.primary.host);
    set.start('d:1');
    set.reconfig((members) => [...members, { _id: 3, host: 'd:1', votes: 0, priority: 0 }]);
    set.run(10_000);
    set.member('d:1').lagMs = 600_000;
    set.crash(dead);
    set.write('x');
    set.run(15_000);
    expect(step(set, 'reconfig', { change: { change: 'raise-vote', host: 'd:1' } }).result).toMatchObject({ ok: true });
    const { result } = step(set, 'reconfig', { change: { change: 'remove', host: dead } });
    expect(result).toMatchObject(ends(308, 'CurrentConfigNotCommittedYet'));
  });
});

describe('the table of the script', () => {
  it('has no code that is not provoked here or on the processes', () => {
    const texts = ['replica-set-stand-in-codes.test.ts', 'replica-set-stand-in-codes-in-time.test.ts'].map((name) =>
      readFileSync(join(__dirname, name), 'utf8'),
    );
    const provoked = texts.flatMap((text) => [...text.matchAll(/\.toMatchObject\(ends\((\d+), /g)].map(([, code]) => Number(code)));
    expect([...new Set(provoked)].sort()).toEqual(Object.keys(OUTCOME_OF_CODE).map(Number).sort());
  });
});
