import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
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
  it('leads to the holder it was told of, to nobody while there is none, and cuts connections to the one before', async () => {
    const targetPort = await startBroker();
    forwarder = await startForwarder({ listenHost: HOST, listenPort: LISTEN_PORT, targetPort });
    const entry = { host: HOST, port: LISTEN_PORT, timeoutMs: 1_000 };
    await expect(ask(entry, 'GET', '/')).rejects.toThrow();
    forwarder.leadTo(HOST);
    expect((await ask(entry, 'POST', '/v2/entities', {})).status).toBe(201);
    const open = connect({ host: HOST, port: LISTEN_PORT });
    await once(open, 'connect');
    const cut = once(open, 'close');
    forwarder.leadTo(HOST);
    expect((await ask(entry, 'GET', '/')).status).toBe(201);
    expect(open.closed).toBe(false);
    forwarder.leadTo(null);
    await cut;
    await expect(ask(entry, 'GET', '/')).rejects.toThrow();
    forwarder.leadTo(HOST);
    expect((await ask(entry, 'GET', '/')).status).toBe(201);
  });
});

describe('the traffic', () => {
  it('measures the longest time without a good answer, and what failed', async () => {
    const targetPort = await startBroker();
    forwarder = await startForwarder({ listenHost: HOST, listenPort: LISTEN_PORT, targetPort });
    forwarder.leadTo(HOST);
    const traffic = startTraffic({ host: HOST, port: LISTEN_PORT, everyMs: 20, timeoutMs: 500 });
    const fromMs = Date.now();
    await sleep(200);
    forwarder.leadTo(null);
    await sleep(400);
    forwarder.leadTo(HOST);
    await sleep(200);
    await traffic.stop();
    const outage = traffic.outageBetween(fromMs, Date.now());
    expect(outage.longestGapMs).toBeGreaterThan(250);
    expect(outage.longestGapMs).toBeLessThan(2_000);
    expect(outage.failed).toBeGreaterThan(0);
    expect(traffic.acknowledged().length).toBe(outage.requests - outage.failed);
  });
});
