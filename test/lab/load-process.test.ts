import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { brokerRequest } from '../../lab/load/broker-requests';
import { startLoad } from '../../lab/load/load-process';
import { sleep, waitFor } from '../../lab/run-command';

let server: Server | undefined;

afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

async function startBroker(): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const broker = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume().once('end', () => response.end('{}'));
  });
  server = broker;
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve));
  return { port: (broker.address() as AddressInfo).port, asked };
}

const options = (port: number) => ({ host: '127.0.0.1', port, ratePerS: 100, timeoutMs: 1_000 });

describe("a bench's client", () => {
  it('sends from a process of its own, hands each request over, and says how late it was itself', async () => {
    const { port, asked } = await startBroker();
    const load = await startLoad(options(port));
    await waitFor('30 requests', 10_000, 50, async () => load.records.length >= 30 || null);
    const delay = await load.stop();
    expect(load.records.length).toBe(asked.length);
    expect(load.records.every(({ ok }) => ok)).toBe(true);
    expect(new Set(load.records.map(({ method }) => method))).toEqual(new Set(['GET', 'PUT', 'POST']));
    expect(delay.loopMaxMs).toBeGreaterThan(0);
    expect(delay.lateMaxMs).toBeGreaterThanOrEqual(delay.lateP99Ms);
    const { length } = asked;
    await sleep(200);
    expect(asked.length).toBe(length);
    expect(await load.stop()).toEqual(delay);
  });

  it('is no measurement when it ended by itself', async () => {
    const { port } = await startBroker();
    const load = await startLoad(options(port));
    load.kill();
    await expect(load.stop()).rejects.toThrow(/ended by itself/);
  });
});

describe('what is asked', () => {
  it('is six GET, two PUT and two POST of ten, and leaves the entities as many as they are', () => {
    const ten = Array.from({ length: 10 }, (_, n) => brokerRequest(n));
    const count = (method: string) => ten.filter((request) => request.method === method).length;
    expect([count('GET'), count('PUT'), count('POST')]).toEqual([6, 2, 2]);
    const paths = new Set(Array.from({ length: 1_000 }, (_, n) => brokerRequest(n).path));
    expect([...paths].filter((path) => path.endsWith('/attrs')).length).toBeLessThanOrEqual(20);
    expect([...paths].filter((path) => !path.endsWith('/attrs'))).toEqual(['/v2/entities?limit=1']);
  });
});
