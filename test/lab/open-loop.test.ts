import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type OpenLoopOptions, type RequestRecord, startOpenLoop } from '../../lab/load/open-loop';
import { sleep } from '../../lab/run-command';

const HOST = '127.0.0.1';
const RATE_PER_S = 100;

let server: Server | undefined;
const sockets = new Set<Socket>();

/** A server with a behaviour of its own; answers its port. */
async function serve(behave: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  const started = createServer(behave).on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, HOST, resolve));
  return (started.address() as AddressInfo).port;
}

function die(): void {
  server?.close();
  for (const socket of sockets) socket.destroy();
}

afterEach(die);

function start(port: number, options: Partial<OpenLoopOptions> = {}) {
  const records: RequestRecord[] = [];
  const plan = (n: number) => ({
    method: n % 2 === 0 ? ('GET' as const) : ('PUT' as const),
    path: `/${n}`,
    ...(n % 2 ? { body: { n } } : {}),
  });
  const settings = { host: HOST, port, ratePerS: RATE_PER_S, timeoutMs: 1_000, ...options };
  const loop = startOpenLoop(settings, plan, (record) => void records.push(record));
  return { records, loop };
}

const byDue = (records: RequestRecord[]) => [...records].sort((a, b) => a.dueMs - b.dueMs);

describe('the open-loop client', () => {
  it('sends at fixed times over connections that it keeps', async () => {
    let connections = 0;
    const port = await serve((_request, response) => response.end('{}'));
    server?.on('connection', () => {
      connections += 1;
    });
    const { records, loop } = start(port);
    await sleep(500);
    await loop.stop();
    const due = byDue(records).map(({ dueMs }) => dueMs);
    expect(records.length).toBeGreaterThanOrEqual(40);
    expect(records.every(({ ok, detail }) => ok && detail === '')).toBe(true);
    expect(due.slice(1).every((atMs, i) => Math.abs(atMs - (due[i] ?? 0) - 1000 / RATE_PER_S) < 0.01)).toBe(true);
    expect(connections).toBeLessThan(records.length / 2);
  });

  it('goes on sending while the server hangs, and counts the whole wait of each request from when it was due', async () => {
    const held: ServerResponse[] = [];
    let hangs = false;
    const port = await serve((_request, response) => void (hangs ? held.push(response) : response.end('{}')));
    const { records, loop } = start(port);
    await sleep(200);
    hangs = true;
    const hungMs = Date.now();
    await sleep(400);
    hangs = false;
    const wokenMs = Date.now();
    for (const response of held) response.end('{}');
    await sleep(100);
    await loop.stop();
    const during = byDue(records).filter(({ dueMs }) => dueMs > hungMs + 20 && dueMs < wokenMs - 20);
    // A client that waits for each answer would have sent one.
    expect(during.length).toBeGreaterThanOrEqual(((wokenMs - hungMs - 60) * RATE_PER_S) / 1000);
    expect(during.every(({ ok, doneMs }) => ok && doneMs >= wokenMs)).toBe(true);
    const waits = during.map(({ dueMs, doneMs }) => doneMs - dueMs);
    expect(Math.max(...waits)).toBeGreaterThan((wokenMs - hungMs) * 0.8);
    expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan((wokenMs - hungMs) * 0.5);
  });

  it('gives up on a request that is never answered, after its own time alone', async () => {
    const port = await serve(() => undefined);
    const { records, loop } = start(port, { timeoutMs: 150 });
    await sleep(400);
    await loop.stop();
    expect(records.length).toBeGreaterThanOrEqual(30);
    expect(new Set(records.map(({ detail }) => detail))).toEqual(new Set(['no answer within 150 ms']));
    expect(records.every(({ sentMs, doneMs }) => doneMs - sentMs >= 145)).toBe(true);
  });

  it('counts each cut connection as a failure, and sends nothing twice', async () => {
    const seen: string[] = [];
    const port = await serve((request, response) => {
      seen.push(request.url ?? '');
      if (seen.length % 5 === 0) request.socket.destroy();
      else response.end('{}');
    });
    const { records, loop } = start(port);
    await sleep(500);
    await loop.stop();
    const failed = records.filter(({ ok }) => !ok);
    expect(failed.length).toBeGreaterThanOrEqual(5);
    expect(new Set(failed.map(({ detail }) => detail))).toEqual(new Set(['ECONNRESET']));
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBe(records.length);
  });

  it('fails while nobody listens, and is served again as soon as somebody does', async () => {
    const answer = (_request: IncomingMessage, response: ServerResponse) => void response.end('{}');
    const port = await serve(answer);
    const { records, loop } = start(port);
    await sleep(150);
    die();
    const diedMs = Date.now();
    await sleep(250);
    const again = createServer(answer);
    server = again.on('connection', (socket) => sockets.add(socket));
    await new Promise<void>((resolve) => again.listen(port, HOST, resolve));
    const backMs = Date.now();
    await sleep(200);
    await loop.stop();
    const between = records.filter(({ dueMs }) => dueMs > diedMs + 20 && dueMs < backMs - 20);
    expect(between.length).toBeGreaterThanOrEqual(15);
    expect(between.every(({ ok, detail }) => !ok && /^ECONN(REFUSED|RESET)$/.test(detail))).toBe(true);
    const after = records.filter(({ dueMs }) => dueMs > backMs + 20);
    expect(after.length).toBeGreaterThanOrEqual(10);
    expect(after.every(({ ok }) => ok)).toBe(true);
  });

  it('takes an answer that is an error for a failure', async () => {
    const port = await serve((_request, response) => void response.writeHead(503).end());
    const { records, loop } = start(port);
    await sleep(100);
    await loop.stop();
    expect(new Set(records.map(({ ok, detail }) => `${ok} ${detail}`))).toEqual(new Set(['false HTTP 503']));
  });
});
