/** The broker stand-in as a real process on top of the replica-set stand-in. */

import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readEnvironment } from '../../lab/broker-stand-in/environment';
import { NO_PRIMARY_4 } from '../orion-answers';
import { freePort, StandInSet, until } from './stand-in-set';

const set = new StandInSet();
let hosts: string[] = [];
let broker: ChildProcess | undefined;
let base = '';

async function startBroker(env: Record<string, string>): Promise<ChildProcess> {
  const { contextBroker } = await set.bundle();
  const args = [contextBroker, '-fg', '-multiservice', '-disableFileLog'];
  return spawn(process.execPath, args, { stdio: 'ignore', env: { PATH: process.env.PATH, ...env } });
}

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  const text = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const response = await fetch(`${base}${path}`, { method, headers: { ...type, ...headers }, ...text });
  const answer = await response.text();
  return { status: response.status, headers: response.headers, body: answer ? JSON.parse(answer) : undefined };
}

beforeAll(async () => {
  hosts = await set.startSome(3);
  const port = await freePort();
  base = `http://127.0.0.1:${port}`;
  broker = await startBroker({
    ORION_PORT: String(port),
    ORION_MONGO_URI: `mongodb://${hosts.join(',')}/?replicaSet=orion_rs`,
    ORION_MONGO_DB: 'orion',
  });
});
afterAll(async () => {
  broker?.kill('SIGKILL');
  await set.end();
});

const room = { id: 'Room1', type: 'Room', temperature: { type: 'Number', value: 21.5, metadata: {} } };

describe('the broker stand-in', () => {
  it('keeps its port closed until the database answers', async () => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    await expect(fetch(`${base}/version`)).rejects.toThrow();
    await set.initiate(hosts);
    const { body } = await until(() => ask('GET', '/version'), 20_000);
    expect(body).toMatchObject({ orion: { version: '4.1.0-stand-in', standIn: true } });
  });

  it('creates, lists, shows, changes and deletes entities as NGSIv2 says', async () => {
    expect(await ask('POST', '/v2/entities', room)).toMatchObject({ status: 201 });
    expect(await ask('POST', '/v2/entities', room)).toMatchObject({
      status: 422,
      body: { error: 'Unprocessable', description: 'Already Exists' },
    });
    expect(await ask('GET', '/v2/entities/Room1')).toMatchObject({ status: 200, body: room });
    expect(await ask('PATCH', '/v2/entities/Room1/attrs', { temperature: { value: 22, type: 'Number' } })).toMatchObject({ status: 204 });
    const upsert = (id: string, value: number) =>
      ask('POST', '/v2/entities?options=upsert', { id, type: 'Room', hum: { type: 'Number', value } });
    expect([(await upsert('Room9', 1)).status, (await upsert('Room9', 2)).status]).toEqual([204, 204]);
    expect(await ask('GET', '/v2/entities/Room9?options=keyValues')).toMatchObject({ status: 200, body: { hum: 2 } });
    expect((await ask('DELETE', '/v2/entities/Room9')).status).toBe(204);
    expect(await ask('PATCH', '/v2/entities/Room1/attrs', { wind: { value: 1 } })).toMatchObject({ status: 422 });
    const onlyWind = { wind: { type: 'Number', value: 3, metadata: {} } };
    expect(await ask('PUT', '/v2/entities/Room1/attrs', { wind: { value: 3 } })).toMatchObject({ status: 204 });
    expect((await ask('GET', '/v2/entities/Room1')).body).toEqual({ id: 'Room1', type: 'Room', ...onlyWind });
    expect(await ask('PUT', '/v2/entities/Nowhere/attrs', { wind: { value: 3 } })).toMatchObject({ status: 404 });
    expect(await ask('PUT', '/v2/entities/Room1/attrs', { temperature: { value: 22, type: 'Number' } })).toMatchObject({ status: 204 });
    expect(await ask('POST', '/v2/entities/Room1/attrs?options=keyValues', { 'a.b': 'dots' })).toMatchObject({ status: 204 });
    expect((await ask('GET', '/v2/entities/Room1?options=keyValues')).body).toEqual({
      id: 'Room1',
      type: 'Room',
      temperature: 22,
      'a.b': 'dots',
    });
    await ask('POST', '/v2/entities?options=keyValues', { id: 'Room2', type: 'Hall', temperature: 3 });
    expect((await ask('GET', '/v2/entities?limit=1&offset=1&options=keyValues')).body).toEqual([
      { id: 'Room2', type: 'Hall', temperature: 3 },
    ]);
    expect((await ask('GET', '/v2/entities?type=Room&options=count')).headers.get('fiware-total-count')).toBe('1');
    expect(await ask('DELETE', '/v2/entities/Room2')).toMatchObject({ status: 204 });
    expect(await ask('GET', '/v2/entities/Room2')).toMatchObject({ status: 404, body: { error: 'NotFound' } });
    expect((await ask('GET', '/v2/entities', undefined, { 'fiware-service': 'other' })).body).toEqual([]);
  });

  it.each([
    ['POST', '/v2/entities', '{', 400, 'ParseError'],
    ['POST', '/v2/entities', { type: 'Room' }, 400, 'BadRequest'],
    ['POST', '/v2/entities', { id: 'a', $where: { value: 1 } }, 400, 'BadRequest'],
    ['GET', '/v2/entities?limit=0', undefined, 400, 'BadRequest'],
    ['PUT', '/v2/entities', {}, 405, 'MethodNotAllowed'],
  ])('refuses %s %s of %j with %i', async (method, path, body, status, error) => {
    expect(await ask(method, path, body)).toMatchObject({ status, body: { error } });
  });

  it('answers 500 to database operations without a primary, stays alive, and goes on after the election', async () => {
    const primary = await set.primary(hosts);
    const others = hosts.filter((host) => host !== primary);
    for (const host of others) await set.kill(host);
    const fromMs = Date.now();
    const reply = await until(async () => {
      const answer = await ask('GET', '/v2/entities?limit=1');
      return answer.status === 500 && answer;
    });
    // Worded as Orion's own (NO_PRIMARY_4), but for what the driver says.
    const words = JSON.parse(NO_PRIMARY_4.body).description.split(': ')[0];
    expect(reply.body).toMatchObject({ error: 'InternalServerError', description: expect.stringMatching(new RegExp(`^${words}: `)) });
    const written = await ask('POST', '/v2/entities', { id: 'Room9', type: 'Room' });
    expect(written).toMatchObject({
      status: 500,
      body: { description: expect.stringMatching(/^Database Error &#40;collection: orion.entities/) },
    });
    expect(Date.now() - fromMs).toBeLessThan(8_000);
    expect(await ask('GET', '/version')).toMatchObject({ status: 200 });
    await Promise.all(others.map((host) => set.start(host)));
    await until(async () => (await ask('GET', '/v2/entities?limit=1')).status === 200);
    expect((await ask('GET', '/v2/entities/Room1')).status).toBe(200);
  });

  it('ends on SIGTERM with exit code 0', async () => {
    const ended = new Promise((resolve) => broker?.once('exit', resolve));
    broker?.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});

describe('the settings of the broker stand-in', () => {
  it('are Orion’s: a connection string with its password, or hosts and a replica set', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Orion's own placeholder
    const uri = 'mongodb://u:${PWD}@h1:27017,h2:27017/?replicaSet=orion_rs';
    expect(readEnvironment({ ORION_MONGO_URI: uri, ORION_MONGO_PASSWORD: 'a/b' })).toEqual({
      port: 1026,
      database: 'orion',
      uri: 'mongodb://u:a%2Fb@h1:27017,h2:27017/?replicaSet=orion_rs',
    });
    expect(readEnvironment({ ORION_MONGO_HOST: 'h1:27017,h2:27017', ORION_MONGO_REPLICA_SET: 'orion_rs' }).uri).toBe(
      'mongodb://h1:27017,h2:27017/?replicaSet=orion_rs',
    );
  });

  it.each([
    [{}, /ORION_MONGO_URI: expected mongodb/],
    [{ ORION_MONGO_URI: 'mongodb://h', ORION_PORT: 'x' }, /ORION_PORT: expected 1 to 65535, got "x"/],
    [{ ORION_MONGO_URI: 'mongodb://h', ORION_MONGO_DB: 'elevenchars' }, /ORION_MONGO_DB.*elevenchars/],
  ])('are refused when wrong: %j', (env, text) => {
    expect(() => readEnvironment(env)).toThrow(text);
  });
});
