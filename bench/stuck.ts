/**
 * Measures what one stuck cluster costs the others: real checks of 200 clusters through real batches, in virtual time, so that waiting alone
 * counts and not this machine's load. Judges no behaviour.
 */
import { CHECK_MAX_MS, runHealthCheck } from '../lambdas/app/dispatch';
import type { Context, Ports } from '../lambdas/app/ports';
import type { HelloFact } from '../lambdas/core/facts';
import { type ClusterRow, EMPTY_MEMORY } from '../lambdas/core/memory';
import { runBatch } from '../lambdas/sqs-batch';
import { Scheduler } from '../sim/scheduler';
import { emptyState, makeStores } from '../sim/stores';
import { aHealthyWorld, NOW_MS, ZONES } from '../test/builders';
import type { Bench, Figure } from './figure';

const CLUSTERS = 200;
const TICKS = 4;
const TICK_MS = 10_000;
/** As deployed (lib/control-plane.ts). */
const INVOCATIONS = 20;
const BATCH = 5;
/** What a call to AWS or a probe of a healthy node takes, ms. */
const CALL_MS = 10;
/** The queue is looked at this often by a free worker, ms. */
const POLL_MS = 50;
const GOAL = { atMost: 2_000 };

type Trouble = 'none' | 'calls hang' | 'probes time out';

interface Waiting {
  cluster: string;
  body: string;
  sentMs: number;
}

const WORLD = aHealthyWorld();
const SILENT = { info: () => {}, warn: () => {}, error: () => {}, count: () => {} };
const forever = () => new Promise<never>(() => undefined);

/** Ports that answer after a while; the stuck cluster's as its trouble says. */
function contextFor(scheduler: Scheduler, trouble: Trouble, state: ReturnType<typeof emptyState>): Context {
  const sleep = (ms: number) => scheduler.sleep(ms);
  const hellos = new Map(
    WORLD.nodes.flatMap(({ fact, probe }): [string, HelloFact][] =>
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
    clock: { nowMs: () => scheduler.nowMs },
    telemetry: SILENT,
  };
  const settings = { tickEveryS: TICK_MS / 1000, zones: ZONES, terminationsPer10Min: 10, probeTimeoutMs: 2_000 };
  return { ports: ports as unknown as Ports, settings };
}

function rowOf(cluster: string): ClusterRow {
  const { spec, memory } = WORLD;
  return { cluster, version: 1, phase: 'active', spec: { ...spec, name: cluster }, memory: { ...EMPTY_MEMORY, ...memory }, status: null };
}

function checkOf(cluster: string, sentMs: number): Waiting {
  const { observation } = WORLD;
  const instances = observation.nodes.map(({ fact }) => ({ ...fact, cluster }));
  const addresses = observation.addresses.map((address) => ({ ...address, cluster }));
  return { cluster, sentMs, body: JSON.stringify({ kind: 'check', cluster, facts: { atMs: sentMs, instances, addresses } }) };
}

/** A tick's checks with the given share of messages that can't be read spread among them. */
function tickOf(names: readonly string[], sentMs: number, poisonShare: number): Waiting[] {
  const poison = { cluster: '', sentMs, body: '{"kind":"check","cluster":"$(reboot)"}' };
  let owed = 0;
  return names.flatMap((name) => {
    owed += poisonShare / (1 - poisonShare);
    const bad = Math.floor(owed);
    owed -= bad;
    return [...Array.from({ length: bad }, () => poison), checkOf(name, sentMs)];
  });
}

/** Plays the ticks; answers how long each check of the clusters that are well took from its sending to its end, ms. */
async function delaysOf(trouble: Trouble, poisonShare = 0): Promise<number[]> {
  const scheduler = new Scheduler(NOW_MS);
  const names = Array.from({ length: CLUSTERS }, (_, i) => `c${i}`);
  const [stuckOne] = names;
  const state = emptyState();
  for (const name of names) {
    state.rows.set(name, rowOf(name));
    state.specs.set(name, { text: JSON.stringify({ name }), version: 1 });
  }
  const contexts = new Map(names.map((name) => [name, contextFor(scheduler, name === stuckOne ? trouble : 'none', state)]));
  const queue: Waiting[] = [];
  const delays: number[] = [];
  // The limit of lambdas/sqs-batch.ts, on the virtual clock.
  const cut = async (): Promise<never> => {
    await scheduler.sleep(CHECK_MAX_MS);
    throw new Error('it took too long');
  };
  const work = async () => {
    for (;;) {
      const batch = queue.splice(0, BATCH);
      if (batch.length === 0) await scheduler.sleep(POLL_MS);
      const event = { Records: batch.map(({ body }, i) => ({ messageId: String(i), body })) } as unknown as Parameters<typeof runBatch>[1];
      await runBatch('health-check', event, SILENT, async (message, { messageId }) => {
        const one = batch[Number(messageId)];
        const context = one && contexts.get(one.cluster);
        if (!context) return;
        await Promise.race([runHealthCheck(context, message), cut()]);
        if (one.cluster !== stuckOne) delays.push(scheduler.nowMs - one.sentMs);
      });
    }
  };
  for (let invocation = 0; invocation < INVOCATIONS; invocation++) scheduler.spawn(0, work);
  for (let tick = 0; tick < TICKS; tick++)
    scheduler.after(tick * TICK_MS, () => void queue.push(...tickOf(names, scheduler.nowMs, poisonShare)));
  await scheduler.runUntil(NOW_MS + TICKS * TICK_MS);
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
