/** The replica-set stand-in as real processes, seen through the real driver. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StandInSet, until } from './stand-in-set';

const set = new StandInSet();
let hosts: string[] = [];

interface Config {
  version: number;
  members: Record<string, unknown>[];
}

async function reconfig(change: (members: Config['members']) => Config['members']): Promise<Record<string, unknown>> {
  const primary = await set.primary(hosts);
  const { config } = (await set.command(primary, { replSetGetConfig: 1 })) as unknown as { config: Config };
  return set.command(primary, {
    replSetReconfig: { ...config, version: config.version + 1, members: change(config.members) },
    maxTimeMS: 5_000,
  });
}

beforeAll(async () => {
  hosts = await set.startSome(3);
});
afterAll(() => set.end());

describe('three stand-ins', () => {
  const readings = () => set.client(hosts).db('orion').collection('entities');

  it('say what they are', async () => {
    expect(await set.command(hosts[0] ?? '', { buildInfo: 1 })).toMatchObject({ version: '7.0.0-stand-in', standIn: true });
  });

  it('are uninitiated at first, refuse a wrong initiate, and elect a primary after a right one', async () => {
    const [first = ''] = hosts;
    expect(await set.command(first, { hello: 1 })).not.toHaveProperty('setName');
    await expect(set.command(first, { replSetGetStatus: 1 })).rejects.toMatchObject({ code: 94, codeName: 'NotYetInitialized' });
    const unreachable = { _id: 'orion_rs', members: [...hosts, '127.0.0.1:1'].map((host, _id) => ({ _id, host })) };
    await expect(set.command(first, { replSetInitiate: unreachable })).rejects.toMatchObject({ code: 74 });
    await set.initiate(hosts);
    const primary = await set.primary(hosts);
    expect(await set.command(primary, { hello: 1 })).toMatchObject({ setName: 'orion_rs', setVersion: 1, hosts, me: primary });
    await expect(set.initiate(hosts)).rejects.toMatchObject({ code: 23 });
  });

  it('take a default write concern, writes, reads, updates and deletes through the real driver', async () => {
    await set.command(await set.primary(hosts), { setDefaultRWConcern: 1, defaultWriteConcern: { w: 'majority' } });
    const list = Array.from({ length: 250 }, (_, n) => ({ _id: `e${n}`, n, at: new Date(n) }));
    expect((await readings().insertMany(list as never[])).insertedCount).toBe(250);
    await expect(readings().insertOne({ _id: 'e1' as never })).rejects.toMatchObject({ code: 11000 });
    expect(await readings().updateMany({ n: { $lt: 10 } }, { $set: { cold: true }, $inc: { n: 0 } })).toMatchObject({
      matchedCount: 10,
      modifiedCount: 10,
    });
    expect(await readings().updateOne({ n: 999 }, { $set: { x: 1 } }, { upsert: true })).toMatchObject({ upsertedCount: 1 });
    expect((await readings().deleteMany({ n: { $in: [20, 21, 999] } })).deletedCount).toBe(3);
    expect(await readings().countDocuments({ cold: true })).toBe(10);
    const page = await readings()
      .find({ n: { $gte: 5 } })
      .sort({ n: -1 })
      .skip(1)
      .limit(120)
      .project({ n: 1 })
      .toArray();
    expect(page).toHaveLength(120);
    expect(page[0]).toEqual({ _id: 'e248', n: 248 });
    expect((await readings().findOne({ _id: 'e3' as never }))?.at).toEqual(new Date(3));
    await expect(readings().findOne({ n: { $near: 1 } })).rejects.toMatchObject({ code: 2 });
  });

  it('refuse writes on a secondary, and answer reads there to those who ask for it', async () => {
    const primary = await set.primary(hosts);
    const secondary = hosts.find((host) => host !== primary) ?? '';
    const command = { insert: 'x', documents: [{ a: 1 }], $db: 'orion' };
    await expect(set.direct(secondary).db('orion').command(command)).rejects.toMatchObject({ code: 10107, codeName: 'NotWritablePrimary' });
    expect(
      await set
        .direct(secondary)
        .db('orion')
        .collection('entities')
        .findOne({ _id: 'e3' as never }),
    ).toMatchObject({ n: 3 });
  });

  it('lose no acknowledged write when the primary is killed, and the driver goes on by itself', async () => {
    const acknowledged: number[] = [];
    const refused: number[] = [];
    let isOver = false;
    const writing = (async () => {
      for (let n = 0; !isOver; n++)
        await readings()
          .insertOne({ _id: `k${n}` as never, n })
          .then(
            () => acknowledged.push(n),
            () => refused.push(n),
          );
    })();
    const victim = await set.primary(hosts);
    await until(async () => acknowledged.length > 20);
    await set.kill(victim);
    const before = acknowledged.length;
    await until(async () => acknowledged.length > before + 20);
    isOver = true;
    await writing;
    expect(await set.primary(hosts.filter((host) => host !== victim))).not.toBe(victim);
    for (const n of acknowledged) expect(await readings().findOne({ _id: `k${n}` as never })).toMatchObject({ n });
    expect(await readings().countDocuments({ _id: { $regex: '^k' } as never })).toBeGreaterThanOrEqual(acknowledged.length);
    await set.start(victim);
    await until(async () => (await set.command(victim, { hello: 1 })).secondary);
  });

  it('step down on request and answer writes again within a second or so', async () => {
    const before = await set.primary(hosts);
    await set.command(before, { replSetStepDown: 20 });
    await readings().insertOne({ _id: 'after step-down' as never });
    expect(await set.primary(hosts)).not.toBe(before);
    await expect(set.command(before, { replSetStepDown: 20 })).rejects.toMatchObject({ code: 10107 });
  });

  it('take a fourth member without a vote, let it copy, then drop another for it', async () => {
    const [fourth = ''] = await set.startSome(1);
    await reconfig((members) => [...members, { _id: 7, host: fourth, votes: 0, priority: 0 }]);
    await until(async () => (await set.command(fourth, { hello: 1 })).secondary);
    const { passives } = (await set.command(fourth, { hello: 1 })) as { passives?: string[] };
    expect(passives).toEqual([fourth]);
    const primary = await set.primary(hosts);
    const leaver = hosts.find((host) => host !== primary) ?? '';
    const raised = { votes: 1, priority: 1 };
    const swap = (members: Config['members']) => members.filter((m) => m.host !== leaver).map((m) => ({ ...m, ...raised }));
    await expect(reconfig(swap)).rejects.toMatchObject({ code: 103, codeName: 'NewReplicaSetConfigurationIncompatible' });
    await reconfig((members) => members.filter((m) => m.host !== leaver));
    await reconfig((members) => members.map((m) => ({ ...m, ...raised })));
    expect(await set.command(fourth, { hello: 1 })).toMatchObject({ setVersion: 4 });
    await until(async () => !(await set.command(leaver, { hello: 1 })).setName);
    hosts = [...hosts.filter((host) => host !== leaver), fourth];
  });

  it('keep everything when all of them are killed and started again', async () => {
    const n = await readings().countDocuments({});
    const configured = await set.command(await set.primary(hosts), { replSetGetConfig: 1 });
    for (const host of hosts) await set.kill(host);
    await Promise.all(hosts.map((host) => set.start(host)));
    const primary = await set.primary(hosts);
    expect(await readings().countDocuments({})).toBe(n);
    const { config } = (await set.command(primary, { replSetGetConfig: 1 })) as { config: { members: unknown } };
    expect(config.members).toEqual((configured.config as { members: unknown }).members);
  });

  it('stop taking writes without a majority, and the primary steps down', async () => {
    const primary = await set.primary(hosts);
    for (const host of hosts) if (host !== primary) await set.kill(host);
    const command = { insert: 'x', documents: [{ a: 1 }], writeConcern: { w: 'majority', wtimeout: 200 } };
    const reply = await set
      .direct(primary)
      .db('orion')
      .command(command)
      .catch((error: { code?: number }) => error);
    expect(JSON.stringify(reply)).toMatch(/WriteConcernFailed|NotWritablePrimary|waiting for replication/);
    await until(async () => (await set.command(primary, { hello: 1 })).secondary);
    await expect(set.direct(primary).db('orion').command(command)).rejects.toMatchObject({ code: 10107 });
  });
});
