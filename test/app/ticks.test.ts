import { describe, expect, it } from '@jest/globals';
import { runHealthCheck } from '../../lambdas/app/dispatch';
import { sweep } from '../../lambdas/app/fan-out';
import { type Context, PortError } from '../../lambdas/app/ports';
import { MESSAGE_MAX_CHARS } from '../../lambdas/core/jobs';
import { anInstance, NOW_MS } from '../builders';
import { aMemoryWorld, contextOver, type MemoryWorld } from '../memory-ports';

/** A context that counts, and whose sends may fail. */
function counting(w: MemoryWorld, isUnsendable: (cluster: unknown) => boolean = () => false) {
  const context = contextOver(w);
  const counts: Record<string, number> = {};
  const { queues, telemetry } = context.ports;
  const count = (metric: string, value = 1) => {
    counts[metric] = (counts[metric] ?? 0) + value;
  };
  const ports: Context['ports'] = {
    ...context.ports,
    queues: {
      send: async (queue, body, delayS) => {
        if (isUnsendable((body as { cluster?: unknown }).cluster)) throw new PortError('unavailable', 'SendMessage: no answer');
        return queues.send(queue, body, delayS);
      },
    },
    telemetry: { ...telemetry, count },
  };
  return { context: { ...context, ports }, counts };
}

function withClusters(...names: string[]): MemoryWorld {
  return aMemoryWorld({ specs: new Map(names.map((name) => [name, { text: JSON.stringify({ name }), version: 1 }])) });
}

describe('a tick that was overtaken', () => {
  it.each([
    ['minute', 91_000],
    ['sweep', 121_000],
  ] as const)('is cut: a %s sent %i ms ago', async (kind, ageMs) => {
    const w = withClusters('city');
    const { context, counts } = counting(w);
    await runHealthCheck(context, { kind }, NOW_MS - ageMs);
    expect([w.sent, counts]).toEqual([[], { TicksCut: 1 }]);
  });

  it.each([
    ['minute', 60_000, 6],
    ['sweep', 110_000, 1],
  ] as const)('is not, while it is the newest there may be: a %s sent %i ms ago', async (kind, ageMs, sends) => {
    const w = withClusters('city');
    const { context, counts } = counting(w);
    await runHealthCheck(context, { kind }, NOW_MS - ageMs);
    expect(w.sent).toHaveLength(sends);
    expect(counts.TicksCut).toBeUndefined();
  });

  it('is cut: a check with facts of more than a minute; one without facts reads its own', async () => {
    const w = withClusters('city');
    const { context, counts } = counting(w);
    await runHealthCheck(context, { kind: 'check', cluster: 'city', facts: { atMs: NOW_MS - 61_000, instances: [], addresses: [] } });
    expect([w.rows.size, counts]).toEqual([0, { TicksCut: 1 }]);
    await runHealthCheck(context, { kind: 'check', cluster: 'city' }, NOW_MS - 600_000);
    expect(w.rows.size).toBe(1);
  });
});

describe('a sweep', () => {
  it('sends each cluster its check though that of one can not be sent', async () => {
    const w = withClusters('city', 'port', 'town');
    const { context, counts } = counting(w, (cluster) => cluster === 'port');
    await sweep(context);
    expect(w.sent.map(({ body }) => body.cluster)).toEqual(['city', 'town']);
    expect(counts).toEqual({ Sweeps: 1 });
  });

  it('counts as failed when no check at all could be sent', async () => {
    const { context, counts } = counting(withClusters('city'), () => true);
    await sweep(context);
    expect(counts).toEqual({ SweepsFailed: 1 });
  });

  it('leaves facts that no message holds to the check of that cluster, and others as they are', async () => {
    const w = withClusters('city', 'port');
    const crowd = Array.from({ length: 1_500 }, (_, i) => anInstance('ctx1', { instanceId: `i-${i.toString(16)}` }));
    w.cloud = { instances: [...crowd, anInstance('ctx2', { cluster: 'port' })], addresses: [] };
    const { context } = counting(w);
    await sweep(context);
    const [city, port] = w.sent.map(({ body }) => body);
    expect(city).toEqual({ kind: 'check', cluster: 'city' });
    expect(port).toMatchObject({ facts: { instances: [{ slot: 'ctx2' }] } });
    for (const { body } of w.sent) expect(JSON.stringify(body).length).toBeLessThan(MESSAGE_MAX_CHARS);
  });
});
