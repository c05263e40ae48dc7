import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Forwarder, startForwarder } from '../../lab/forwarder';
import { sleep } from '../../lab/run-command';
import { ask, startTraffic } from '../../lab/traffic';

const HOST = '127.0.0.1';
const LISTEN_PORT = 21_026;

let server: Server | undefined;
let forwarder: Forwarder | undefined;

/** A broker that says 201 to everything; answers its port. */
async function startBroker(): Promise<number> {
  const broker = createServer((_request, response) => response.writeHead(201).end());
  server = broker;
  await new Promise<void>((resolve) => broker.listen(0, HOST, resolve));
  return (broker.address() as AddressInfo).port;
}

afterEach(async () => {
  await forwarder?.close();
  server?.close();
});

describe('the forwarder of the Elastic IP', () => {
  it('leads to the holder, to nobody while there is none, and to the next one', async () => {
    let holder: string | null = HOST;
    const targetPort = await startBroker();
    const options = { listenHost: HOST, listenPort: LISTEN_PORT, targetPort, everyMs: 10, findHolder: async () => holder };
    forwarder = await startForwarder(options);
    const entry = { host: HOST, port: LISTEN_PORT, timeoutMs: 1_000 };
    expect((await ask(entry, 'POST', '/v2/entities', {})).status).toBe(201);
    holder = null;
    await sleep(60);
    await expect(ask(entry, 'GET', '/')).rejects.toThrow();
    holder = HOST;
    await sleep(60);
    expect((await ask(entry, 'GET', '/')).status).toBe(201);
  });

  it('stays where it is while the holder can not be looked up', async () => {
    const targetPort = await startBroker();
    let looks = 0;
    const findHolder = async () => {
      if (looks++ > 0) throw new Error('throttled');
      return HOST;
    };
    forwarder = await startForwarder({ listenHost: HOST, listenPort: LISTEN_PORT, targetPort, everyMs: 10, findHolder });
    await sleep(60);
    expect(forwarder.holder()).toBe(HOST);
  });
});

describe('the traffic', () => {
  it('measures the longest time without a good answer, and what failed', async () => {
    let holder: string | null = HOST;
    const targetPort = await startBroker();
    forwarder = await startForwarder({
      listenHost: HOST,
      listenPort: LISTEN_PORT,
      targetPort,
      everyMs: 10,
      findHolder: async () => holder,
    });
    const traffic = startTraffic({ host: HOST, port: LISTEN_PORT, everyMs: 20, timeoutMs: 500 });
    const fromMs = Date.now();
    await sleep(200);
    holder = null;
    await sleep(400);
    holder = HOST;
    await sleep(200);
    await traffic.stop();
    const outage = traffic.outageBetween(fromMs, Date.now());
    expect(outage.longestGapMs).toBeGreaterThan(250);
    expect(outage.longestGapMs).toBeLessThan(2_000);
    expect(outage.failed).toBeGreaterThan(0);
    expect(traffic.acknowledged().length).toBe(outage.requests - outage.failed);
  });
});
