/** Other roles of the catalogue in the lab: a real IoT agent and two services of Cygnus' shape, behind the balancers like the brokers. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { StatusSummary } from '../../lambdas/core/memory';
import { operatorPorts } from '../../lambdas/runtime';
import { nodeIn, watchUntil } from '../cluster-eye';
import { killInstance } from '../fault';
import { bringUp, type Lab } from '../lab';
import { LAB_PATH } from '../paths';
import { runCli } from '../project-cli';
import { sleep, waitFor } from '../run-command';

const CLUSTER = 'enablers';
const SPEC = {
  name: CLUSTER,
  orion: { count: 2 },
  mongo: { count: 3 },
  enablers: { 'iotagent-json': {}, cygnus: {} },
  policy: { slotCooldownS: 0 },
};
const SERVICE = { 'fiware-service': 'lab', 'fiware-servicepath': '/' };
const REPAIR_MS = 120_000;
const ASK_EVERY_MS = 100;
/**
 * HAProxy's checks of a standby: a dead server is found by its first failed check, 1 s apart, and the next, 300 ms later; each may take
 * up to 2 s where nothing refuses it (timeout check). A machine that is slow for a moment has another.
 */
const HAND_OVER_MAX_MS = 4_500;

interface Answer {
  atMs: number;
  status: number;
}

describe('other roles in the lab', () => {
  let lab: Lab;
  let entry = '';
  const quiet = (): void => undefined;
  const read = async () => (await (await operatorPorts()).rows.get(CLUSTER))?.status ?? null;
  const cli = (...args: string[]) => runCli(lab.endpoint, args, quiet);
  const urlOf = (port: number, path: string) => `http://${entry}:${port}${path}`;

  /** Posts JSON; 0 where nobody answered in time. */
  const post = async (url: string, body: object, timeoutMs = 2_000): Promise<number> => {
    try {
      const headers = { 'content-type': 'application/json', connection: 'close' };
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal: AbortSignal.timeout(timeoutMs) });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return 0;
    }
  };
  const measure = (device: string, value: number) => post(urlOf(7896, `/iot/json?k=lab&i=${device}`), { temperature: value });
  const temperatureOf = async (device: string): Promise<unknown> => {
    const response = await fetch(urlOf(1026, `/v2/entities/Thing:${device}?options=keyValues`), { headers: SERVICE });
    return response.status === 200 ? ((await response.json()) as { temperature?: unknown }).temperature : response.status;
  };

  /** Kills the node in a slot while something is posted again and again; answers how long nobody took it, and who fills the slot then. */
  const killUnder = async (slot: string, again: () => Promise<number>) => {
    const instanceId = nodeIn(await read(), slot)?.instanceId;
    if (!instanceId) throw new Error(`${slot} is empty`);
    const answers: Answer[] = [];
    const fromMs = Date.now();
    let stop = false;
    const asking = (async () => {
      const underWay: Promise<unknown>[] = [];
      while (!stop) {
        underWay.push(again().then((status) => answers.push({ atMs: Date.now(), status })));
        await sleep(ASK_EVERY_MS);
      }
      await Promise.all(underWay);
    })();
    await sleep(500);
    const killedMs = Date.now();
    await killInstance(instanceId);
    const isWhole = (status: StatusSummary) => status.converged && nodeIn(status, slot)?.instanceId !== instanceId;
    const { status, atMs } = await watchUntil(`${slot} killed`, read, isWhole, REPAIR_MS);
    stop = true;
    await asking;
    const failed = answers.filter(({ status: code }) => code !== 200);
    const lastFailedMs = Math.max(killedMs, ...failed.map(({ atMs: ms }) => ms));
    return {
      node: nodeIn(status, slot),
      handOverMs: lastFailedMs - killedMs,
      wholeS: (atMs - killedMs) / 1000,
      failed: failed.length,
      asked: answers.length,
      seconds: (Date.now() - fromMs) / 1000,
    };
  };

  beforeAll(async () => {
    lab = await bringUp(quiet);
    mkdirSync(LAB_PATH.tmp, { recursive: true });
    const file = join(LAB_PATH.tmp, `${CLUSTER}.json`);
    writeFileSync(file, JSON.stringify(SPEC));
    await cli('create', CLUSTER, '--spec', file, '--wait', '--timeout', '200');
    entry = (await read())?.addresses[0]?.publicIp ?? '';
  });
  afterAll(async () => {
    if (await (await operatorPorts()).rows.get(CLUSTER)) await cli('delete', CLUSTER, '--confirm', CLUSTER, '--wait', '--timeout', '120');
  });

  it('are launched, configured and well like the brokers', async () => {
    const slots = (await read())?.slots.filter(({ role }) => role === 'iotagent-json' || role === 'cygnus');
    expect(slots?.map(({ slot, health }) => `${slot} ${health}`)).toEqual([
      'iotj1 healthy',
      'iotj2 healthy',
      'cyg1 healthy',
      'cyg2 healthy',
    ]);
  });

  it('a measure goes through the balancers to an agent, and through them to a broker', async () => {
    expect(await waitFor('a measure', 20_000, 500, async () => (await measure('room1', 21.5)) === 200 || null)).toBe(true);
    expect(await temperatureOf('room1')).toBe(21.5);
    for (let value = 1; value <= 6; value++) expect(await measure('room1', value)).toBe(200);
    expect(await temperatureOf('room1')).toBe(6);
  });

  it('a killed active Cygnus hands over within the checks of HAProxy, and is replaced', async () => {
    const notification = { subscriptionId: '5a', data: [{ id: 'Room', type: 'Room' }] };
    expect(await post(urlOf(5051, '/notify'), notification)).toBe(200);
    const seen = await killUnder('cyg1', () => post(urlOf(5051, '/notify'), notification));
    process.stderr.write(
      `\nactive Cygnus (stand-in) killed: the standby answers after ${(seen.handOverMs / 1000).toFixed(1)} s (${seen.failed} of ${seen.asked} notifications failed); pair whole after ${seen.wholeS.toFixed(1)} s\n`,
    );
    expect(seen.node).toMatchObject({ incarnation: 2, health: 'healthy' });
    expect(seen.handOverMs).toBeGreaterThan(0);
    expect(seen.handOverMs).toBeLessThan(HAND_OVER_MAX_MS);
  });

  it('a killed agent costs the checks of HAProxy at most, and is replaced', async () => {
    let value = 100;
    const seen = await killUnder('iotj1', () => measure('room1', value++));
    process.stderr.write(
      `\nan IoT agent killed: last failed measure after ${(seen.handOverMs / 1000).toFixed(1)} s (${seen.failed} of ${seen.asked} failed); whole after ${seen.wholeS.toFixed(1)} s\n`,
    );
    expect(seen.node).toMatchObject({ incarnation: 2, health: 'healthy' });
    expect(seen.handOverMs).toBeLessThan(HAND_OVER_MAX_MS);
    expect(await temperatureOf('room1')).toBeGreaterThanOrEqual(100);
  });

  it('are scaled by the same job', async () => {
    await cli('scale', CLUSTER, 'iotagent-json=3', '--wait', '--timeout', '120');
    const agents = (await read())?.slots.filter(({ role }) => role === 'iotagent-json');
    expect(agents?.map(({ slot, health }) => `${slot} ${health}`)).toEqual(['iotj1 healthy', 'iotj2 healthy', 'iotj3 healthy']);
  });
});
