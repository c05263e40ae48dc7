/** Real answers, and the lack of them, on a real loopback server: how the probe and the fold judge a broker by them. */
import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { makeProbe } from '../../lambdas/aws/network-probe';
import type { Outcome } from '../../lambdas/core/facts';
import { foldHealth } from '../../lambdas/core/health';
import { anInstance, aSpec, NOW_MS } from '../builders';
import { BLIND_2, NO_ENTITIES, NO_PRIMARY_2, NO_PRIMARY_4, NO_PRIMARY_COUNT, ORION_ANSWERS, VERSION_4 } from '../orion-answers';
import { closeLast, http, listening } from './loopback-servers';

const TIMEOUT_MS = 400;
const probe = makeProbe(() => Date.now());

const answering = (status: number, body = '') => http((_, response) => void response.writeHead(status).end(body));
const tcp = (onConnection: (socket: Socket) => void) => listening(createServer(onConnection));

/** A port nobody listens on. */
async function closedPort(): Promise<number> {
  const port = await answering(200);
  await closeLast();
  return port;
}

const outcomeAt = async (port: number, path: string) => (await probe.http(`http://127.0.0.1:${port}${path}`, TIMEOUT_MS)).outcome;

/** Health after some minutes of the same outcomes, of a broker that was well before. */
function healthBy(process: Outcome, database: Outcome, minutes = 1) {
  const { policy } = aSpec();
  const ok: Outcome = { is: 'ok', latencyMs: 2 };
  const fact = anInstance('ctx1');
  const at = (i: number) => NOW_MS + i * 10_000;
  let health = foldHealth(undefined, fact, { role: 'orion', atMs: NOW_MS, process: ok, database: ok }, policy, NOW_MS);
  for (let i = 1; i <= minutes * 6; i++)
    health = foldHealth(health, fact, { role: 'orion', atMs: at(i), process, database }, policy, at(i));
  return { health: health.health, ...(health.sickness ? { sickness: health.sickness } : {}) };
}

const OK: Outcome = { is: 'ok', latencyMs: 2 };
const WELL = { health: 'healthy' };

describe('answers of Orion', () => {
  it.each(ORION_ANSWERS)('$what ($source)', async ({ path, status, body }) => {
    const port = await answering(status, body);
    const { outcome, body: read } = await probe.http(`http://127.0.0.1:${port}${path}`, TIMEOUT_MS);
    expect(read).toBe(body);
    expect(outcome).toMatchObject(status === 200 ? { is: 'ok' } : { is: 'failed', status: 500, detail: 'HTTP 500' });
  });

  it.each([
    [NO_ENTITIES, WELL],
    [NO_PRIMARY_4, { health: 'healthy', sickness: 'database' }],
    [NO_PRIMARY_COUNT, { health: 'healthy', sickness: 'database' }],
    [NO_PRIMARY_2, { health: 'healthy', sickness: 'database' }],
    [BLIND_2, WELL],
  ])('make a broker with a good /version: $what', async ({ path, status, body }, health) => {
    const process = await outcomeAt(await answering(VERSION_4.status, VERSION_4.body), VERSION_4.path);
    expect(healthBy(process, await outcomeAt(await answering(status, body), path))).toEqual(health);
  });
});

/** By what happens: the health it makes of a broker on `/version`, and on `/v2/entities` while `/version` is good. */
const TABLE: [string, () => Promise<number>, object, object][] = [
  ['200', () => answering(200, '{}'), WELL, WELL],
  ['200 with garbage', () => answering(200, '\u0000<html'), WELL, WELL],
  ['302', () => answering(302), WELL, WELL],
  ['401', () => answering(401), { health: 'unknown' }, WELL],
  ['403', () => answering(403), { health: 'unknown' }, WELL],
  ['404', () => answering(404), { health: 'unknown' }, WELL],
  ['429', () => answering(429), { health: 'healthy', sickness: 'overload' }, { health: 'healthy', sickness: 'overload' }],
  ['500', () => answering(500), { health: 'dead', sickness: 'process' }, { health: 'healthy', sickness: 'database' }],
  ['502', () => answering(502), { health: 'dead', sickness: 'process' }, { health: 'healthy', sickness: 'database' }],
  ['503', () => answering(503), { health: 'healthy', sickness: 'overload' }, { health: 'healthy', sickness: 'overload' }],
  ['connection refused', closedPort, { health: 'dead', sickness: 'process' }, { health: 'healthy', sickness: 'database' }],
  [
    'reset',
    () => tcp((socket) => socket.once('data', () => socket.resetAndDestroy())),
    { health: 'suspect', sickness: 'overload' },
    { health: 'healthy', sickness: 'database' },
  ],
  [
    'closed without a word',
    () => tcp((socket) => socket.once('data', () => socket.end())),
    { health: 'suspect', sickness: 'overload' },
    { health: 'healthy', sickness: 'database' },
  ],
  ['silence', () => tcp(() => {}), { health: 'suspect', sickness: 'overload' }, { health: 'healthy', sickness: 'database' }],
  [
    'no HTTP',
    () => tcp((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH\r\n\r\n'))),
    { health: 'dead', sickness: 'process' },
    { health: 'healthy', sickness: 'database' },
  ],
];

describe('a broker that answers', () => {
  it.each(TABLE)('%s', async (_, server, byProcess, byDatabase) => {
    const outcome = await outcomeAt(await server(), '/version');
    expect(healthBy(outcome, OK)).toEqual(byProcess);
    expect(healthBy(OK, outcome)).toEqual(byDatabase);
  });

  it('nothing, though it takes connections, is given up in the end; one that refuses them at once', async () => {
    const silent = await outcomeAt(await tcp(() => {}), '/version');
    expect(silent).toEqual({ is: 'failed', detail: 'no answer in time', accepts: true });
    expect(healthBy(silent, silent, 3)).toEqual({ health: 'dead', sickness: 'process' });
    expect(await outcomeAt(await closedPort(), '/version')).toEqual({ is: 'failed', detail: 'connection refused' });
  });

  it('late, but answers, is overloaded', async () => {
    const late = await outcomeAt(await http((_, response) => void setTimeout(() => response.end('{}'), 150)), '/version');
    expect(late).toMatchObject({ is: 'ok' });
    expect(healthBy({ is: 'ok', latencyMs: 1_500 }, OK, 10)).toEqual({ health: 'healthy', sickness: 'overload' });
  });
});
