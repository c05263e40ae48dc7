/** Sees which brokers serve behind the balancers, by their own words and by HAProxy's counters. Changes nothing. */
import { PORT } from '../../lambdas/core/names';
import { LOCAL_ENTRY } from '../local-entry';
import { waitFor } from '../run-command';

const LOOK_EVERY_MS = 50;
const ANSWER_MS = 1_000;

async function textOf(url: string): Promise<string | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS), headers: { connection: 'close' } });
    return response.ok ? await response.text() : null;
  } catch {
    return null;
  }
}

const SECONDS: Record<string, number> = { d: 86_400, h: 3_600, m: 60, s: 1 };

/** Seconds of an uptime as Orion says it: `0 d, 0 h, 1 m, 3 s`; null for another text. */
export function uptimeS(text: string): number | null {
  const parts = [...text.matchAll(/(\d+) ([dhms])\b/g)];
  return parts.length === 0 ? null : parts.reduce((sum, [, count, unit = 's']) => sum + Number(count) * (SECONDS[unit] ?? 0), 0);
}

function uptimeIn(body: string): number | null {
  try {
    const { orion } = JSON.parse(body) as { orion?: { uptime?: string } };
    return uptimeS(orion?.uptime ?? '');
  } catch {
    return null;
  }
}

/** Waits until a broker that started after `sinceMs` answers through the address; answers when, ms. @throws LabError after `timeoutMs` */
export function untilNewBroker(sinceMs: number, timeoutMs: number): Promise<number> {
  return waitFor('a broker that started after the fault, seen through the address', timeoutMs, LOOK_EVERY_MS, async () => {
    const askedMs = Date.now();
    const body = await textOf(`http://${LOCAL_ENTRY.host}:${LOCAL_ENTRY.port}/version`);
    const upS = body === null ? null : uptimeIn(body);
    return upS !== null && askedMs - upS * 1000 > sinceMs ? Date.now() : null;
  });
}

/** Good answers by server, from HAProxy's metrics. */
export function servedBy(metrics: string): Map<string, number> {
  const lines = metrics.matchAll(/^haproxy_server_http_responses_total\{([^}]*)\} (\d+)/gm);
  const served = new Map<string, number>();
  for (const [, labels = '', count] of lines) {
    const label = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(labels)?.[1];
    const server = label('server');
    if (server && label('code') === '2xx') served.set(server, (served.get(server) ?? 0) + Number(count));
  }
  return served;
}

/** Waits until a balancer has had good answers from all of the servers; answers when, ms. @throws LabError after `timeoutMs` */
export function untilServed(balancerIp: string, servers: readonly string[], timeoutMs: number): Promise<number> {
  return waitFor(`answers of ${servers.join(' and ')} through ${balancerIp}`, timeoutMs, LOOK_EVERY_MS, async () => {
    const served = servedBy((await textOf(`http://${balancerIp}:${PORT.admin}/metrics?scope=server`)) ?? '');
    return servers.every((server) => (served.get(server) ?? 0) > 0) ? Date.now() : null;
  });
}
