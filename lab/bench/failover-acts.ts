/** What `bench failover` does to both pairs, at the same moment, and what it measures meanwhile. Repairs nothing of the cluster. */
import { DescribeAddressesCommand } from '@aws-sdk/client-ec2';
import { makeClients } from '../clients';
import { containerOf } from '../docker';
import { LabError } from '../lab-error';
import { feltBetween, isServedFor, servedAfterS } from '../load/felt';
import { run, sleep, tryRun } from '../run-command';
import { CLUSTER } from './bench-cluster';
import { type EntryBench, holderOf, makeBothWhole, RATE_PER_S } from './entry-bench';
import type { Deafness, Fault, StuckProxy, Taken, Takeover } from './failover-figures';

/** Both are watched at least so long, so that a late failure of the faster one is seen too. */
const WATCH_MIN_MS = 6_000;
const WATCH_MAX_MS = 30_000;
/** Served again means: so long without a failure. */
const SERVED_FOR_MS = 1_000;
const LOOK_EVERY_MS = 100;
/** Records of requests come in batches, a little after their ends. */
const FLUSH_MS = 300;
const DEAF_MS = 30_000;
/** Long enough for the recipe to notice, if it could. */
const STUCK_MS = 15_000;
const JOURNAL_ENTRIES = 200;

const COMMAND: Record<Fault, string> = { killed: 'kill', hung: 'pause' };

async function watchUntilServed({ ours, theirs }: EntryBench, fromMs: number): Promise<number> {
  const isServed = ({ records }: typeof ours, nowMs: number) => isServedFor(records, SERVED_FOR_MS, RATE_PER_S, nowMs);
  for (;;) {
    await sleep(LOOK_EVERY_MS);
    const nowMs = Date.now();
    const watchedMs = nowMs - fromMs;
    if (watchedMs >= WATCH_MAX_MS) return nowMs;
    if (watchedMs >= WATCH_MIN_MS && isServed(ours, nowMs - FLUSH_MS) && isServed(theirs, nowMs - FLUSH_MS)) return nowMs - FLUSH_MS;
  }
}

/** @throws LabError when the client sent nothing: a time without requests would look like one without failures */
function takenBy(side: EntryBench['ours'], what: string, fromMs: number, toMs: number): Taken {
  const felt = feltBetween(side.records, fromMs, toMs);
  const expected = (RATE_PER_S * (toMs - fromMs)) / 2000;
  if (felt.requests < expected)
    throw new LabError(`${what}: the client sent ${felt.requests} requests in ${(toMs - fromMs) / 1000} s, expected at least ${expected}`);
  return { servedS: servedAfterS(side.records, fromMs, toMs), felt };
}

/** On a claim or by a planned job, whichever came first; the worker writes it down once EC2 says who holds the address. */
async function movedAfterS({ ports }: EntryBench, fromMs: number): Promise<number | null> {
  const entries = await ports.journal.read(CLUSTER, JOURNAL_ENTRIES);
  const topics = ['claimAddress', 'moveAddress'];
  const moves = entries.filter(({ topic, event, atMs }) => topics.includes(topic) && event === 'done' && atMs >= fromMs);
  return moves.length === 0 ? null : (Math.min(...moves.map(({ atMs }) => atMs)) - fromMs) / 1000;
}

const inWords = ({ servedS, felt }: Taken): string =>
  `${servedS === null ? 'not served' : `${servedS.toFixed(2)} s`}, ${felt.failed} of ${felt.requests} failed`;

/** Takes both holders away by one command, and measures until both addresses are served again. */
export async function takeOver(bench: EntryBench, fault: Fault): Promise<Takeover> {
  const { status, recipeHolder } = await makeBothWhole(bench);
  const holder = holderOf(status);
  const container = await containerOf(holder.instanceId);
  bench.say(`docker ${COMMAND[fault]}: ${holder.slot} (${holder.instanceId}) and ${recipeHolder}`);
  bench.taken.add(holder.instanceId);
  const fromMs = Date.now();
  await run('docker', [COMMAND[fault], container, recipeHolder]);
  const toMs = await watchUntilServed(bench, fromMs);
  const takeover = {
    fault,
    ours: takenBy(bench.ours, 'ours', fromMs, toMs),
    recipe: takenBy(bench.theirs, 'the recipe', fromMs, toMs),
    watchedS: (toMs - fromMs) / 1000,
    movedS: await movedAfterS(bench, fromMs),
  };
  bench.say(`  ours ${inWords(takeover.ours)}; recipe ${inWords(takeover.recipe)}`);
  return takeover;
}

/** Whether a container drops all VRRP that reaches it. Docker's own filter is untouched: the rule is in the container's network. */
async function setDeaf(container: string, isDeaf: boolean): Promise<void> {
  const rule = ['iptables', isDeaf ? '-I' : '-D', 'INPUT', '-p', '112', '-j', 'DROP'];
  if (isDeaf) await run('docker', ['exec', container, ...rule]);
  else await tryRun('docker', ['exec', container, ...rule]);
}

/** Counts how often the address' holder changes, until told to stop. */
function watchHolder({ lab }: EntryBench, first: string): { stop: () => Promise<number> } {
  const { ec2 } = makeClients(lab.endpoint);
  let stopped = false;
  const watching = (async () => {
    let [moves, last] = [0, first];
    while (!stopped) {
      const { Addresses: addresses = [] } = await ec2.send(new DescribeAddressesCommand({}));
      const now = addresses.find(({ InstanceId }) => InstanceId)?.InstanceId ?? 'nobody';
      if (now !== last) moves += 1;
      last = now;
      await sleep(LOOK_EVERY_MS);
    }
    return moves;
  })();
  return {
    stop: () => {
      stopped = true;
      return watching;
    },
  };
}

/** Looks at who has the recipe's address until a time. */
async function watchRecipe({ recipe }: EntryBench, untilMs: number): Promise<{ looks: number; looksWithTwo: number }> {
  let [looks, looksWithTwo] = [0, 0];
  while (Date.now() < untilMs) {
    const { length } = await recipe.holders();
    looks += 1;
    if (length > 1) looksWithTwo += 1;
    await sleep(1_000);
  }
  return { looks, looksWithTwo };
}

/** Keeps the balancers of each pair from hearing each other for a while; both stay healthy and reachable for everybody else. */
export async function makeDeaf(bench: EntryBench): Promise<Deafness> {
  const { status } = await makeBothWhole(bench);
  const instances = status.slots.flatMap(({ role, instanceId }) => (role === 'lb' && instanceId ? [instanceId] : []));
  const containers = [...(await Promise.all(instances.map(containerOf))), ...bench.recipe.balancers];
  bench.say(`iptables in each balancer: VRRP is dropped for ${DEAF_MS / 1000} s`);
  const holder = watchHolder(bench, holderOf(status).instanceId);
  const fromMs = Date.now();
  let recipe = { looks: 0, looksWithTwo: 0 };
  let moves = 0;
  try {
    for (const container of containers) await setDeaf(container, true);
    recipe = await watchRecipe(bench, fromMs + DEAF_MS);
  } finally {
    for (const container of containers) await setDeaf(container, false);
    moves = await holder.stop();
  }
  const toMs = Date.now();
  await sleep(FLUSH_MS);
  const entries = await bench.ports.journal.read(CLUSTER, JOURNAL_ENTRIES);
  const claims = entries.filter(({ topic, atMs }) => topic === 'claimAddress' && atMs >= fromMs && atMs <= toMs);
  const deafness = {
    watchedS: (toMs - fromMs) / 1000,
    moves,
    claimsRefused: claims.filter(({ event }) => event === 'refused').length,
    ...recipe,
    ours: feltBetween(bench.ours.records, fromMs, toMs),
    recipe: feltBetween(bench.theirs.records, fromMs, toMs),
  };
  bench.say(`  our address moved ${moves} times; both of the recipe's had theirs at ${recipe.looksWithTwo} of ${recipe.looks} looks`);
  return deafness;
}

/** Stops HAProxy alone on both holders (SIGSTOP): it exists and answers nothing, while its machine and keepalived go on. */
export async function stopProxies(bench: EntryBench): Promise<StuckProxy> {
  const { status, recipeHolder } = await makeBothWhole(bench);
  const containers = [await containerOf(holderOf(status).instanceId), recipeHolder];
  const signal = (name: 'STOP' | 'CONT') =>
    Promise.all(containers.map((container) => tryRun('docker', ['exec', container, 'pkill', `-${name}`, '-x', 'haproxy'])));
  bench.say(`pkill -STOP haproxy on ${holderOf(status).slot} and ${recipeHolder}`);
  const fromMs = Date.now();
  try {
    const failed = (await signal('STOP')).find(({ code }) => code !== 0);
    if (failed) throw new LabError(`pkill -STOP haproxy: expected exit code 0; got ${failed.code} ${failed.stderr}`);
    await sleep(STUCK_MS);
    const toMs = Date.now();
    await sleep(FLUSH_MS);
    const [ours, recipe] = [takenBy(bench.ours, 'ours', fromMs, toMs), takenBy(bench.theirs, 'the recipe', fromMs, toMs)];
    bench.say(`  ours ${inWords(ours)}; recipe ${inWords(recipe)}`);
    return { watchedS: (toMs - fromMs) / 1000, ours, recipe };
  } finally {
    await signal('CONT');
  }
}
