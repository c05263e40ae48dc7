/** Each error code of the replica-set script, provoked on the stand-in by the script itself: real processes here, the driver as its shell. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Disk } from '../../lab/replica-set-stand-in/disk';
import { emptyState } from '../../sim/replica-set/oplog';
import { type Meanwhile, OUTCOME_OF_CODE, runStep } from './shell';
import { StandInSet, until } from './stand-in-set';
import { type Command, SyncDriver } from './sync-driver';

/** An election is long enough for what a test does meanwhile, and short enough to wait for. */
const set = new StandInSet({ electionTimeoutMs: 3_000, heartbeatEveryMs: 150 });
const driver = new SyncDriver();
const ABSENT = '127.0.0.1:1';

interface Config {
  version: number;
  members: { host: string; votes: number }[];
}

afterAll(async () => {
  await driver.end();
  await set.end();
});

const step = (host: string, action: string, payload: object, meanwhile: Meanwhile = {}) =>
  runStep((command) => driver.ask(host, command), { action, payload: { replicaSet: 'orion_rs', ...payload }, meanwhile });

/** The end the table of the script gives to a code. */
const ends = (code: number, codeName: string) => ({ ok: false, outcome: OUTCOME_OF_CODE[code], code, codeName });

describe('a step that starts a set', () => {
  let hosts: string[] = [];
  beforeAll(async () => {
    hosts = await set.startSome(4);
  });

  it('ends in 93 where the set has another name than mongod was started with', () => {
    const [host = ''] = hosts;
    const { result } = step(host, 'initiate', { replicaSet: 'other_rs', members: [host] });
    expect(result).toMatchObject(ends(93, 'InvalidReplicaSetConfig'));
    expect(OUTCOME_OF_CODE[93]).toBe('failed');
  });

  it('ends in 94 where it should change a set that is not there', () => {
    const [host = ''] = hosts;
    const change = { change: 'remove', host };
    const { result } = step(host, 'reconfig', { change, expect: { setVersion: 1, voters: [host], nonVoters: [] } });
    expect(result).toMatchObject(ends(94, 'NotYetInitialized'));
    expect(OUTCOME_OF_CODE[94]).toBe('stale');
  });

  it('ends in 74 where a member does not answer', () => {
    const [host = ''] = hosts;
    const { result } = step(host, 'initiate', { members: [host, ABSENT] });
    expect(result).toMatchObject(ends(74, 'NodeNotFound'));
    expect(OUTCOME_OF_CODE[74]).toBe('retry');
  });

  it('ends in 110 where a member has data without a configuration, and leaves the data alone', async () => {
    const [host = '', other = '', donor = ''] = hosts;
    driver.ask(donor, { replSetInitiate: { _id: 'orion_rs', members: [{ _id: 0, host: donor }] } });
    await until(async () => (await set.command(donor, { hello: 1 })).isWritablePrimary);
    await set.client([donor]).db('orion').collection('entities').insertOne({ kept: true });
    const stateOf = (host: string) => new Disk(set.dataDir(host)).load() ?? emptyState();
    await set.kill(other);
    new Disk(set.dataDir(other)).save({ ...stateOf(donor), config: null });
    await set.start(other);
    const { result } = step(host, 'initiate', { members: [host, other] });
    expect(result).toMatchObject(ends(110, 'CannotInitializeNodeWithData'));
    expect(OUTCOME_OF_CODE[110]).toBe('refused');
    expect(await set.command(other, { replSetGetStatus: 1 }).catch((error) => error)).toMatchObject({ code: 94 });
    expect(JSON.stringify(stateOf(other).data)).toContain('"kept":true');
  });

  it('ends in 23 where somebody else was faster with another set', () => {
    const host = hosts[3] ?? '';
    const faster: Meanwhile = {
      replSetInitiate: (command) => {
        driver.ask(host, { replSetInitiate: { _id: 'orion_rs', members: [{ _id: 0, host }] } });
        return command;
      },
    };
    const { result } = step(host, 'initiate', { members: [host, hosts[0]] }, faster);
    expect(result).toMatchObject(ends(23, 'AlreadyInitialized'));
    expect(OUTCOME_OF_CODE[23]).toBe('stale');
  });
});

describe('a step on a set of three', () => {
  let hosts: string[] = [];
  let lead = '';
  let config: Config;
  const others = () => hosts.filter((host) => host !== lead);
  const look = () => driver.ask(lead, { replSetGetConfig: 1 }).config as Config;

  beforeAll(async () => {
    hosts = await set.startSome(3);
    await set.initiate(hosts);
    await settle();
    driver.ask(lead, { setDefaultRWConcern: 1, defaultWriteConcern: { w: 'majority' } });
  });
  afterEach(() => heal());

  async function heal(): Promise<void> {
    for (const host of hosts) {
      driver.ask(host, { _fiwareHaCut: 1 });
      driver.ask(host, { _fiwareHaLag: 0 });
    }
    await settle();
  }

  /** One primary, two secondaries, and one configuration everywhere. */
  async function settle(): Promise<void> {
    lead = await until(async () => {
      const hellos = await Promise.all(hosts.map((host) => set.command(host, { hello: 1 })));
      const at = hellos.findIndex((hello) => hello.isWritablePrimary);
      return hellos.every((hello) => hello.setVersion === hellos[0]?.setVersion && hello.primary === hosts[at]) && hosts[at];
    }, 25_000);
    await until(async () => {
      const { commitmentStatus } = await set.command(lead, { replSetGetConfig: 1, commitmentStatus: true });
      return commitmentStatus === true;
    });
    config = look();
  }

  const expected = () => ({
    setVersion: config.version,
    voters: config.members.filter(({ votes }) => votes !== 0).map(({ host }) => host),
    nonVoters: config.members.filter(({ votes }) => votes === 0).map(({ host }) => host),
  });
  const add = (host: string, meanwhile: Meanwhile) =>
    step(lead, 'reconfig', { change: { change: 'add', host }, expect: expected() }, meanwhile);
  /** Somebody else's reconfig that changes nothing but the version. */
  const nextVersion = () => ({ replSetReconfig: { ...config, version: config.version + 1 } });
  const inHaste = (command: Command): Command => ({ ...command, maxTimeMS: 1_000 });

  it('ends in 74 where no majority answers any more', () => {
    const { result } = add(ABSENT, {
      replSetReconfig: (command) => {
        driver.ask(lead, { _fiwareHaCut: 1, hosts: others() });
        return command;
      },
    });
    expect(result).toMatchObject(ends(74, 'NodeNotFound'));
  });

  it('ends in 103 where another change came between', () => {
    const { result } = add(ABSENT, {
      replSetReconfig: (command) => {
        driver.ask(lead, nextVersion());
        return command;
      },
    });
    expect(result).toMatchObject(ends(103, 'NewReplicaSetConfigurationIncompatible'));
    expect(OUTCOME_OF_CODE[103]).toBe('stale');
  });

  it('ends in 104 where the primary could not lead any more after it', () => {
    const { result } = add(ABSENT, {
      // As if a person had just taken the primary's priority away.
      replSetReconfig: (command) => {
        const next = command.replSetReconfig as Config;
        return { replSetReconfig: { ...next, members: next.members.map((m) => (m.host === lead ? { ...m, priority: 0 } : m)) } };
      },
    });
    expect(result).toMatchObject(ends(104, 'NodeNotElectable'));
    expect(OUTCOME_OF_CODE[104]).toBe('refused');
  });

  it('ends in 109 while another change waits for its quorum check', () => {
    let first = 0;
    const { result } = add(ABSENT, {
      replSetReconfig: (command) => {
        driver.ask(lead, { _fiwareHaCut: 1, hosts: others() });
        first = driver.send(lead, nextVersion());
        driver.pause(300);
        return command;
      },
    });
    expect(result).toMatchObject(ends(109, 'ConfigurationInProgress'));
    expect(OUTCOME_OF_CODE[109]).toBe('retry');
    expect(() => driver.answerOf(first)).toThrow(/Quorum check failed/);
  });

  it('ends in 117 while another step-down waits for the secondaries', async () => {
    for (const host of others()) driver.ask(host, { _fiwareHaLag: 60_000 });
    await set
      .direct(lead)
      .db('orion')
      .collection('x')
      .insertOne({ a: 1 }, { writeConcern: { w: 1 } });
    let first = 0;
    const { result } = step(
      lead,
      'step-down',
      { expect: expected() },
      {
        replSetStepDown: (command) => {
          first = driver.send(lead, { replSetStepDown: 10, secondaryCatchUpPeriodSecs: 2 });
          driver.pause(300);
          return command;
        },
        // The other one gives up before the script looks again.
        hello: (command, nth) => {
          if (nth === 2) expect(() => driver.answerOf(first)).toThrow(/No electable secondaries caught up/);
          return command;
        },
      },
    );
    expect(result).toMatchObject(ends(117, 'ConflictingOperationInProgress'));
    expect(OUTCOME_OF_CODE[117]).toBe('retry');
  });

  it('ends in 308 while the last change is not known to be on a majority', () => {
    const { result } = add(ABSENT, {
      replSetReconfig: (command) => {
        // They take the change, but the primary does not hear so.
        for (const host of others()) driver.ask(host, { _fiwareHaCut: 1, to: [lead] });
        driver.send(lead, inHaste(nextVersion()));
        driver.pause(300);
        return inHaste(command);
      },
    });
    expect(result).toMatchObject(ends(308, 'CurrentConfigNotCommittedYet'));
    expect(OUTCOME_OF_CODE[308]).toBe('retry');
  });

  it('ends in 10107 where the primary has just stepped down', () => {
    const { result } = add(ABSENT, {
      replSetReconfig: (command) => {
        driver.ask(lead, { replSetStepDown: 2, secondaryCatchUpPeriodSecs: 1 });
        return command;
      },
    });
    expect(result).toMatchObject(ends(10107, 'NotWritablePrimary'));
    expect(OUTCOME_OF_CODE[10107]).toBe('stale');
  });

  // Facts, rule 9: a failed reconfig may have installed its configuration all the same.
  it('that ends in 50 is retried although its configuration is installed, and the next one finds it', () => {
    const { result, codes } = add(ABSENT, {
      replSetReconfig: (command) => {
        for (const host of others()) driver.ask(host, { _fiwareHaCut: 1, to: [lead] });
        return inHaste(command);
      },
    });
    expect(codes).toEqual([50]);
    expect(result).toMatchObject({ ok: false, outcome: 'retry', code: 50 });
    for (const host of others()) driver.ask(host, { _fiwareHaCut: 1 });
    expect(add(ABSENT, {}).result).toMatchObject({ ok: true, did: 'already', setVersion: config.version + 1 });
  });
});
