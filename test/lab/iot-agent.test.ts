/** The lab's IoT agent, as the one file that nodes run, before a broker that notes what it is told; and the service of Cygnus' shape. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bundlePrograms } from '../../lab/bundle';
import { waitFor } from '../../lab/run-command';

const START_MS = 30_000;

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

let folder = '';
let programs: Awaited<ReturnType<typeof bundlePrograms>>;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fiware-ha-agent-'));
  programs = await bundlePrograms(folder);
}, 60_000);
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a program in an empty folder, so that it finds no package but its own; answers what it says. */
function start(program: string, env: Record<string, string>): { said: () => string } {
  const child = spawn(program, { cwd: folder, env: { PATH: process.env.PATH ?? '', ...env }, stdio: 'pipe' });
  children.push(child);
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => void said.push(chunk.toString()));
  return { said: () => said.join('') };
}

async function statusOf(url: string, init?: RequestInit): Promise<number> {
  try {
    return (await fetch(url, { ...init, signal: AbortSignal.timeout(2_000) })).status;
  } catch {
    return 0;
  }
}

const until = (what: string, isSo: () => Promise<boolean>) => waitFor(what, START_MS, 100, async () => (await isSo()) || null);

describe("the lab's IoT agent", () => {
  const told: { request: string; service: unknown; body: unknown }[] = [];
  let broker: Server;
  const agents: { north: number; south: number; said: () => string }[] = [];

  beforeAll(async () => {
    broker = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => void chunks.push(chunk));
      request.on('end', () => {
        told.push({
          request: `${request.method} ${request.url}`,
          service: request.headers['fiware-service'],
          body: JSON.parse(Buffer.concat(chunks).toString()),
        });
        response.writeHead(204).end();
      });
    }).listen(0, '127.0.0.1');
    await once(broker, 'listening');
    for (let i = 0; i < 2; i++) {
      const [north, south] = [await freePort(), await freePort()];
      const { said } = start(programs.iotAgent, {
        IOTA_NORTH_PORT: `${north}`,
        IOTA_HTTP_PORT: `${south}`,
        IOTA_CB_HOST: '127.0.0.1',
        IOTA_CB_PORT: `${(broker.address() as AddressInfo).port}`,
        IOTA_PROVIDER_URL: `http://127.0.0.1:${north}`,
        // What its entry says on a node; this one keeps its devices in memory all the same, and says so.
        IOTA_REGISTRY_TYPE: 'mongodb',
        IOTA_MONGO_URI: 'mongodb://10.0.0.1:27017/iotagentjson',
      });
      agents.push({ north, south, said });
    }
    for (const { south } of agents) await until('an agent', async () => (await statusOf(`http://127.0.0.1:${south}/iot/about`)) === 200);
  }, 2 * START_MS);
  afterAll(() => void broker.close());

  const post = (agent: number, query: string, body: string) =>
    fetch(`http://127.0.0.1:${agents[agent]?.south}/iot/json${query}`, { method: 'POST', body, signal: AbortSignal.timeout(5_000) });

  it('says what it is', () => {
    expect(agents[0]?.said()).toMatch(
      /a REAL IoT agent on iotagent-node-lib 4\.\d+\.\d+, its registry in memory; not IoT Agent JSON itself/,
    );
  });

  it('answers the questions of its entry', async () => {
    const base = `http://127.0.0.1:${agents[0]?.north}`;
    expect(await statusOf(`${base}/iot/about`)).toBe(200);
    const headers = { 'fiware-service': 'fiwareha', 'fiware-servicepath': '/' };
    expect(await statusOf(`${base}/iot/devices?limit=1`, { headers })).toBe(200);
  });

  it('turns a measure into an entity at the broker, whichever agent gets it', async () => {
    for (const agent of [0, 1, 0]) expect((await post(agent, '?k=lab&i=room1', '{"temperature":21.5,"state":"warm"}')).status).toBe(200);
    expect(told).toHaveLength(3);
    expect(told[1]).toEqual({
      request: 'POST /v2/entities?options=upsert',
      service: 'lab',
      body: {
        id: 'Thing:room1',
        type: 'Thing',
        temperature: { type: 'Number', value: 21.5 },
        state: { type: 'Text', value: 'warm' },
      },
    });
  });

  it.each([
    ['no JSON', '?k=lab&i=room1', '{"temperature":', 400, 'body: expected JSON'],
    ['no object', '?k=lab&i=room1', '[1]', 400, 'body: expected an object of measures'],
    ['no device', '?k=lab', '{}', 400, 'expected POST /iot/json?k=KEY&i=DEVICE'],
    ['a key nobody knows', '?k=other&i=room1', '{"a":1}', 404, 'device group'],
  ])('refuses %s in words', async (_what, query, body, status, words) => {
    const response = await post(0, query, body);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(words);
  });
});

describe("the service of Cygnus' shape", () => {
  it('takes notifications, counts what it stored, and says that it is not Cygnus', async () => {
    const [north, admin] = [await freePort(), await freePort()];
    const { said } = start(programs.cygnus, { CYGNUS_MONGO_SERVICE_PORT: `${north}`, CYGNUS_API_PORT: `${admin}` });
    await until('the service', async () => (await statusOf(`http://127.0.0.1:${admin}/v1/version`)) === 200);
    const notify = (body: string) => statusOf(`http://127.0.0.1:${north}/notify`, { method: 'POST', body });
    expect([await notify('{"data":[{"id":"Room"}]}'), await notify('{"data":[]}'), await notify('nonsense'), await notify('{}')]).toEqual([
      200, 200, 400, 400,
    ]);
    await until('two stored', async () => {
      const stats = (await (await fetch(`http://127.0.0.1:${admin}/v1/stats`)).json()) as { stats: { channel: { stored: number } } };
      return stats.stats.channel.stored === 2;
    });
    expect(said()).toContain('STAND-IN');
  });
});
