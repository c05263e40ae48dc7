/** Faults inside a set of stand-in processes: links that are cut, replication that lags, a majority that is lost for good. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort, StandInSet, until } from './stand-in-set';

const set = new StandInSet();
let hosts: string[] = [];

afterAll(() => set.end());

const hello = (host: string) => set.command(host, { hello: 1 });
const entities = (host: string) => set.direct(host).db('orion').collection('entities');
const othersOf = (host: string) => hosts.filter((other) => other !== host);
const ONE = { writeConcern: { w: 1 } };

interface LastWrite {
  lastWrite: { lastWriteDate: Date };
}

describe('three stand-ins', () => {
  beforeEach(async () => {
    hosts = await set.startSome(3);
    await set.initiate(hosts);
    const primary = await set.primary(hosts);
    await until(async () => (await Promise.all(hosts.map(hello))).filter(({ secondary }) => secondary).length === 2 && primary);
  });
  afterEach(async () => {
    for (const host of hosts) await set.kill(host);
  });

  it('whose links are cut elect on the majority side, and roll back what the other side wrote alone', async () => {
    const old = await set.primary(hosts);
    await set.command(old, { _fiwareHaCut: 1, hosts: othersOf(old) });
    await entities(old).insertOne({ _id: 'alone' as never }, ONE);
    const next = await set.primary(othersOf(old));
    await until(async () => (await hello(old)).secondary);
    await entities(next).insertOne({ _id: 'kept' as never });
    await set.command(old, { _fiwareHaCut: 1 });
    const ids = async () => (await entities(old).find().toArray()).map(({ _id }) => String(_id));
    await until(async () => (await ids()).join() === 'kept');
    expect(await set.primary(hosts)).toBe(next);
  });

  it('lose one way of a link alone: who is not heard is replaced, and hears of it', async () => {
    const old = await set.primary(hosts);
    await set.command(old, { _fiwareHaCut: 1, to: othersOf(old) });
    const next = await set.primary(othersOf(old));
    await until(async () => (await hello(old)).secondary && (await hello(old)).primary === next);
    await set.command(old, { _fiwareHaCut: 1 });
    await expect(set.command(old, { _fiwareHaCut: 1, to: 'all' })).rejects.toThrow(/_fiwareHaCut.to: expected a list of hosts/);
  });

  it('that lag show it in hello, and hold up no write', async () => {
    const primary = await set.primary(hosts);
    const [slow = ''] = othersOf(primary);
    await set.command(slow, { _fiwareHaLag: 60_000 });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await entities(primary).insertOne({ _id: 'late' as never });
    const writtenMs = async (host: string) => ((await hello(host)) as unknown as LastWrite).lastWrite.lastWriteDate.getTime();
    expect(await writtenMs(slow)).toBeLessThan(await writtenMs(primary));
    expect(await entities(slow).countDocuments({}, { readPreference: 'secondary' })).toBe(0);
    await set.command(slow, { _fiwareHaLag: 0 });
    await until(async () => (await writtenMs(slow)) === (await writtenMs(primary)));
    await expect(set.command(slow, { _fiwareHaLag: -1 })).rejects.toThrow(/_fiwareHaLag: expected milliseconds, 0 or more, got -1/);
  });

  it('that lost their majority for good go on by force, and who comes back is out', async () => {
    const [survivor = '', ...lost] = hosts;
    for (const host of lost) await set.kill(host);
    await until(async () => (await hello(survivor)).secondary);
    const { config } = (await set.command(survivor, { replSetGetConfig: 1 })) as unknown as { config: { members: { host: string }[] } };
    const alone = { ...config, members: config.members.filter(({ host }) => host === survivor) };
    await expect(set.command(survivor, { replSetReconfig: alone })).rejects.toMatchObject({ code: 10107 });
    await set.command(survivor, { replSetReconfig: alone, force: true });
    expect(await set.primary([survivor])).toBe(survivor);
    await entities(survivor).insertOne({ _id: 'after' as never });
    const [back = ''] = lost;
    await set.start(back);
    await until(async () => (await hello(back)).setName === undefined);
    expect(await hello(back)).toMatchObject({
      isWritablePrimary: false,
      secondary: false,
      info: 'Does not have a valid replica set config',
    });
    await expect(set.command(back, { replSetGetStatus: 1 })).rejects.toMatchObject({ code: 93 });
  });
});

describe('a stand-in', () => {
  it('says in its first line what it does not model', async () => {
    const { mongod } = await set.bundle();
    const port = String(await freePort());
    const child = spawn(process.execPath, [mongod, '--port', port, '--replica-set', 'rs', '--data-dir', join(set.folder, `first-${port}`)]);
    set.processes.set(`127.0.0.1:${port}`, child);
    const first = await new Promise<string>((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk).split('\n')[0] ?? '')));
    expect(first).toMatch(/STAND-IN, not MongoDB; not modelled: .*authentication.*transactions/);
  });
});
