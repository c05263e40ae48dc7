/** A scripted database for the replica-set steps, and the replies that MongoDB gives. Builds values, asserts nothing. */

export type Reply = Record<string, unknown>;
export type Command = Record<string, unknown>;
interface Db {
  adminCommand(command: Command): Reply;
}
export const { run, OUTCOME_OF_CODE } = require('../../nodes/mongo/replica-set.js') as {
  run(db: Db, action: string, payload: unknown): Reply;
  OUTCOME_OF_CODE: Record<number, string>;
};

export const A = '10.0.0.1:27017';
export const B = '10.0.0.2:27017';
export const C = '10.0.0.3:27017';
export const D = '10.0.0.4:27017';

export const member = (_id: number, host: string, votes = 1) => ({ _id, host, votes, priority: votes });
export const aConfig = (members = [member(0, A), member(1, B), member(2, C)], version = 5) => ({ _id: 'orion_rs', version, members });
export const errorReply = (code: number, codeName = 'SomeName') => ({ ok: 0, code, codeName, errmsg: 'as the server says' });

export type StateName = 'PRIMARY' | 'SECONDARY' | 'STARTUP2' | 'DOWN';
export const STATE: Record<StateName, number> = { PRIMARY: 1, SECONDARY: 2, STARTUP2: 5, DOWN: 8 };
/** Members as A sees them. */
export const aStatus = (states: Record<string, StateName>) => ({
  ok: 1,
  members: Object.entries(states).map(([name, state]) => ({
    name,
    state: STATE[state],
    stateStr: state,
    health: state === 'DOWN' ? 0 : 1,
    ...(name === A ? { self: true } : {}),
  })),
});
export const ALL_WELL = aStatus({ [A]: 'PRIMARY', [B]: 'SECONDARY', [C]: 'SECONDARY' });

/** A database that answers each command from its own list, the last answer again and again; an Error is thrown, as mongosh does. */
export class ScriptedDb implements Db {
  readonly asked: Command[] = [];
  private readonly answers: Record<string, (Reply | Error)[]>;

  constructor(answers: Record<string, Reply | Error | (Reply | Error)[]>) {
    this.answers = Object.fromEntries(Object.entries(answers).map(([name, list]) => [name, [list].flat()]));
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

export const config = (value: ReturnType<typeof aConfig>) => ({ ok: 1, config: value });
export const EXPECT = { setVersion: 5, voters: [A, B, C], nonVoters: [] as string[] };
export const reconfig = (change: string, host: string, expectation: object = EXPECT) => ({
  replicaSet: 'orion_rs',
  change: { change, host },
  expect: expectation,
});
export const add = (host: string, memberId: number) => ({
  replicaSet: 'orion_rs',
  change: { change: 'add', host, memberId },
  expect: EXPECT,
});
