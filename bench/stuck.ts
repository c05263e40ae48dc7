/** Measures what one stuck cluster costs the others: real checks of 200 clusters through real batches, in real time. Judges no behaviour. */
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { CHECK_MAX_MS, runHealthCheck } from '../lambdas/app/dispatch';
import type { Context, Ports } from '../lambdas/app/ports';
import type { HelloFact } from '../lambdas/core/facts';
import { type ClusterRow, EMPTY_MEMORY } from '../lambdas/core/memory';
import { runBatch } from '../lambdas/sqs-batch';
import { emptyState, makeStores } from '../sim/stores';
import { aHealthyWorld, ZONES } from '../test/builders';
import type { Bench, Figure } from './figure';

const CLUSTERS = 200;
const TICKS = 3;
const TICK_MS = 10_000;
/** As deployed (lib/control-plane.ts). */
const INVOCATIONS = 20;
const BATCH = 5;
/** What a call to AWS or a probe of a healthy node takes, ms. */
const CALL_MS = 10;
const GOAL = { atMost: 2_000 };

type Trouble = 'none' | 'calls hang' | 'probes time out';

interface Waiting {
  cluster: string;
  body: string;
  sentMs: number;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const forever = () => new Promise<never>(() => undefined);

/** Ports that answer after a while; the stuck cluster's as its trouble says. */
function contextFor(trouble: Trouble, state: ReturnType<typeof emptyState>): Context {
  const world = aHealthyWorld();
  const hellos = new Map(
    world.nodes.flatMap(({ fact, probe }): [string, HelloFact][] =>
      probe?.role === 'mongo' && probe.hello ? [[`${fact.privateIp}:27017`, probe.hello]] : [],
    ),
  );
  const pause = () => (trouble === 'calls hang' ? forever() : sleep(CALL_MS));
  const slowly = <T extends object>(port: T): T =>
    Object.fromEntries(
      Object.entries(port).map(([name, call]: [string, (...args: unknown[]) => unknown]) => [
        name,
        async (...args: unknown[]) => {
          await pause();
          return call(...args);
        },
      ]),
    ) as T;
  const { specs, rows, claims, journal, budget } = makeStores(state);
  const probed = async <T>(answer: T): Promise<T> => {
    await sleep(trouble === 'probes time out' ? 2_000 : CALL_MS);
    return answer;
  };
  const outcome =
    trouble === 'probes time out' ? ({ is: 'failed', detail: 'no answer in time' } as const) : ({ is: 'ok', latencyMs: 1 } as const);
  const ports = {
    specs: slowly(specs),
    rows: slowly(rows),
    claims: slowly(claims),
    journal: slowly(journal),
    budget,
    queues: { send: pause },
    probe: {
      http: () => probed({ outcome, body: '' }),
      hello: (host: string) => {
        const hello = hellos.get(host);
        return probed({ outcome, ...(hello && outcome.is === 'ok' ? { hello } : {}) });
      },
    },
    clock: { nowMs: () => Date.now() },
    telemetry: { info: () => {}, warn: () => {}, error: () => {}, count: () => {} },
  };
  const settings = { tickEveryS: TICK_MS / 1000, zones: ZONES, terminationsPer10Min: 10, probeTimeoutMs: 2_000 };
  return { ports: ports as unknown as Ports, settings };
}

function rowOf(cluster: string): ClusterRow {
  const { spec, memory } = aHealthyWorld();
  return { cluster, version: 1, phase: 'active', spec: { ...spec, name: cluster }, memory: { ...EMPTY_MEMORY, ...memory }, status: null };
}

/** Plays the ticks; answers how long each check of the clusters that are well took from its sending to its end, ms. */
async function delaysOf(trouble: Trouble, poisonShare = 0): Promise<number[]> {
  const names = Array.from({ length: CLUSTERS }, (_, i) => `c${i}`);
  const [stuck] = names;
  const state = emptyState();
  for (const name of names) {
    state.rows.set(name, rowOf(name));
    state.specs.set(name, { text: JSON.stringify({ name }), version: 1 });
  }
  const contexts = new Map(names.map((name) => [name, contextFor(name === stuck ? trouble : 'none', state)]));
  const { observation } = aHealthyWorld();
  const queue: Waiting[] = [];
  const delays: number[] = [];
  let isOver = false;
  const work = async () => {
    for (; !isOver; await sleep(queue.length > 0 ? 0 : 5)) {
      const batch = queue.splice(0, BATCH);
      if (batch.length === 0) continue;
      const event = { Records: batch.map(({ body }, i) => ({ messageId: String(i), body }) as SQSRecord) } as SQSEvent;
      await runBatch(
        'health-check',
        event,
        { info: () => {}, warn: () => {}, error: () => {}, count: () => {} },
        async (message, { messageId }) => {
          const one = batch[Number(messageId)];
          const context = one && contexts.get(one.cluster);
          if (!one || !context) return;
          await runHealthCheck(context, message);
          if (one.cluster !== stuck) delays.push(Date.now() - one.sentMs);
        },
        () => CHECK_MAX_MS,
      );
    }
  };
  const workers = Array.from({ length: INVOCATIONS }, work);
  for (let tick = 0; tick < TICKS; tick++) {
    const sentMs = Date.now();
    for (const cluster of names) {
      const instances = observation.nodes.map(({ fact }) => ({ ...fact, cluster }));
      const facts = { atMs: sentMs, instances, addresses: observation.addresses.map((address) => ({ ...address, cluster })) };
      queue.push({ cluster, sentMs, body: JSON.stringify({ kind: 'check', cluster, facts }) });
    }
    const poison = Math.round((poisonShare / (1 - poisonShare)) * names.length);
    for (let i = 0; i < poison; i++)
      queue.splice(Math.floor((i * queue.length) / Math.max(1, poison)), 0, {
        cluster: '',
        sentMs,
        body: '{"kind":"check","cluster":"$(reboot)"}',
      });
    await sleep(TICK_MS);
  }
  isOver = true;
  if (trouble !== 'calls hang') await Promise.all(workers);
  return delays.sort((a, b) => a - b);
}

function shareOf(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function figuresOf(what: string, delays: number[]): Figure[] {
  const note = `${delays.length} checks of ${CLUSTERS - 1} clusters, ${TICKS} ticks`;
  return [
    { what: `${what}: half of the others' checks within`, value: shareOf(delays, 0.5), unit: 'ms', note },
    { what: `${what}: 99 of 100 within`, value: shareOf(delays, 0.99), unit: 'ms', goal: GOAL, note },
  ];
}

export const stuck: Bench = {
  name: 'stuck',
  about: `delay of the checks of ${CLUSTERS - 1} clusters beside one that is stuck, and beside messages that can't be read`,
  async run(): Promise<Figure[]> {
    return [
      ...figuresOf('nothing stuck', await delaysOf('none')),
      ...figuresOf("one cluster's probes time out", await delaysOf('probes time out')),
      ...figuresOf("one cluster's every call hangs", await delaysOf('calls hang')),
      ...figuresOf('30 of 100 messages are poison', await delaysOf('none', 0.3)),
    ];
  },
};
