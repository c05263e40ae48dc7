/** All ports over the simulated world, one set an invocation: each call takes virtual time and may fail, and a dead worker's calls never return. */
import type { Ports, Telemetry } from '../lambdas/app/ports';
import { PortError } from '../lambdas/app/ports';
import { serviceEntry } from '../lambdas/core/catalogue/catalogue';
import type { HelloFact, Outcome } from '../lambdas/core/facts';
import { isService } from '../lambdas/core/names';
import type { Api } from './faults';
import { between } from './random';
import type { SimNode } from './sim-node';
import type { Invocation, SimWorld } from './sim-world';
import { makeStores } from './stores';

const CALL_MS: [number, number] = [2, 40];
const PROBE_MS: [number, number] = [1, 10];

/** Never settles. One a call: a shared one would hold every handler that waits for it, and its world, for as long as the process lives. */
function forever(): Promise<never> {
  return new Promise(() => undefined);
}

function die(world: SimWorld, invocation: Invocation): Promise<never> {
  invocation.dead = true;
  world.onCrash(invocation);
  return forever();
}

function withFaults(world: SimWorld, invocation: Invocation) {
  const { scheduler, random, faults } = world;
  const strikes = (share: number): boolean => share > 0 && random() < share;
  return async <T>(api: Api, work: () => T | Promise<T>): Promise<T> => {
    await scheduler.sleep(between(random, ...CALL_MS));
    if (invocation.dead) return forever();
    if (strikes(faults.crashShare / 2)) return die(world, invocation);
    if (faults.apisDown.has(api)) throw new PortError('unavailable', `${api} does not answer`);
    if (strikes(faults.throttleShare)) throw new PortError('throttled', `${api}: rate exceeded`);
    const result = await work();
    if (strikes(faults.crashShare / 2)) return die(world, invocation);
    if (strikes(faults.lostAnswerShare)) throw new PortError('unavailable', `${api}: the answer was lost`);
    return result;
  };
}

/**
 * A conditional write that may lose: to somebody else's, or to its own first try, whose answer was lost. One that makes something new
 * loses to its own alone: what it finds in its way is there to be read.
 */
function withConflicts({ random, faults }: SimWorld, write: () => Promise<void>, makes = false): () => Promise<void> {
  return async () => {
    const loses = faults.conflictShare > 0 && random() < faults.conflictShare;
    if (!loses || makes || random() < 0.5) await write();
    if (loses) throw new PortError('conflict', 'the condition does not hold any more');
  };
}

/** `hello` of a member as a fact. */
function helloFact(node: SimNode, nowMs: number): HelloFact | undefined {
  const reply = node.member?.adminCommand({ hello: 1 }, nowMs);
  if (!reply) return undefined;
  const { lastWrite } = reply as { lastWrite?: { lastWriteDate?: Date; opTime?: { ts: { index: number }; t: number } } };
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  const setName = text(reply.setName);
  const primary = text(reply.primary);
  const electionId = text(reply.electionId);
  return {
    ...(setName ? { setName, setVersion: Number(reply.setVersion) } : {}),
    isWritablePrimary: reply.isWritablePrimary === true,
    secondary: reply.secondary === true,
    ...(primary ? { primary } : {}),
    hosts: (reply.hosts as string[] | undefined) ?? [],
    passives: (reply.passives as string[] | undefined) ?? [],
    ...(electionId ? { electionId } : {}),
    ...(typeof reply.maxWireVersion === 'number' ? { maxWireVersion: reply.maxWireVersion } : {}),
    ...(lastWrite?.opTime ? { lastWriteTerm: lastWrite.opTime.t, lastWriteIncrement: lastWrite.opTime.ts.index } : {}),
    ...(lastWrite?.lastWriteDate ? { lastWriteS: Math.floor(lastWrite.lastWriteDate.getTime() / 1000) } : {}),
  };
}

/** An answer that comes too late for whoever waits: the connection was taken, and nothing came of it. */
function inTime(outcome: Outcome, timeoutMs: number): Outcome {
  const isLate = outcome.is === 'ok' && outcome.latencyMs > timeoutMs;
  return isLate ? { is: 'failed', detail: 'no answer in time', accepts: true } : outcome;
}

/** Whether a question is the one by which a service's database is judged. */
function asksDatabase({ fact: { role } }: SimNode, path: string): boolean {
  return isService(role) && serviceEntry(role).health.truth?.path === path;
}

function makeProbe(world: SimWorld): Ports['probe'] {
  const { scheduler, random, cloud, dataPath, faults } = world;
  const UNKNOWN = { is: 'unknown', detail: 'no socket left to probe with' } as const;
  const LATE = { is: 'failed', detail: 'no answer in time' } as const;
  /** Takes the time of a probe; answers whether one came back at all. */
  const ask = async (node: SimNode | undefined, timeoutMs: number): Promise<boolean> => {
    const slowMs = node?.slowMs ?? 0;
    const comesBack = node !== undefined && dataPath.reaches('control', node) && slowMs < timeoutMs;
    await scheduler.sleep(comesBack ? slowMs + between(random, ...PROBE_MS) : timeoutMs);
    return comesBack;
  };
  const isBlind = (): boolean => faults.partialShare > 0 && random() < faults.partialShare;
  return {
    http: async (url, timeoutMs) => {
      const { hostname, pathname, search } = new URL(url);
      if (isBlind()) return { outcome: UNKNOWN, body: '' };
      const node = cloud.byIp(hostname);
      const comesBack = await ask(node, timeoutMs);
      if (!node) return { outcome: LATE, body: '' };
      if (pathname.endsWith('/config-version')) return comesBack ? dataPath.report(node) : { outcome: LATE, body: '' };
      if (pathname === '/fiware-ha/connections' && comesBack && isService(node.fact.role))
        return { outcome: { is: 'ok', latencyMs: 1 }, body: `${node.requests}` };
      const isDatabase = asksDatabase(node, `${pathname}${search}`);
      return { outcome: inTime(isDatabase ? dataPath.database(node) : dataPath.process(node), timeoutMs), body: '' };
    },
    hello: async (host, timeoutMs) => {
      if (isBlind()) return { outcome: UNKNOWN };
      const node = cloud.byIp(host.split(':')[0] ?? '');
      if (!(await ask(node, timeoutMs))) return { outcome: LATE };
      const outcome = dataPath.process(node);
      const hello = outcome.is === 'ok' && node ? helloFact(node, scheduler.nowMs) : undefined;
      return { outcome, ...(hello ? { hello } : {}) };
    },
  };
}

function silent(world: SimWorld): Telemetry {
  const log = (level: string) => (message: string, fields?: Record<string, unknown>) => world.onLog?.(level, message, fields ?? {});
  return {
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    count: (metric, value = 1) => world.counters.set(metric, (world.counters.get(metric) ?? 0) + value),
  };
}

/** EC2's status checks are asked for with the fleet alone. The facts are copies of the cloud's. */
function withoutStatus(seen: ReturnType<SimWorld['cloud']['describe']>): ReturnType<SimWorld['cloud']['describe']> {
  for (const fact of seen.instances) fact.status = 'unknown';
  return seen;
}

function makeCloudPorts(world: SimWorld, call: ReturnType<typeof withFaults>): Pick<Ports, 'compute' | 'addresses' | 'commands'> {
  const { cloud, commands } = world;
  return {
    compute: {
      describeFleet: () => call('compute', () => cloud.describe((cluster) => cluster !== '')),
      describeCluster: (cluster) => call('compute', () => withoutStatus(cloud.describe((other) => other === cluster))),
      launchNode: (request) => call('compute', () => ({ ...cloud.launch(request).fact })),
      addPrivateAddress: (instanceId) => call('compute', () => cloud.addPrivateAddress(instanceId)),
      terminateNode: (instanceId) => call('compute', () => cloud.terminate(instanceId, true)),
      deletePlacementGroups: (cluster) =>
        call('compute', () => {
          for (const name of [...cloud.placementGroups]) if (name.startsWith(`fiware-ha-${cluster}-`)) cloud.placementGroups.delete(name);
        }),
    },
    addresses: {
      allocate: (cluster, name) => call('addresses', () => cloud.allocate(cluster, name)),
      associate: (allocationId, instanceId, options) => call('addresses', () => cloud.associate(allocationId, instanceId, options)),
      release: (allocationId) => call('addresses', () => cloud.release(allocationId)),
    },
    commands: {
      send: (instanceId, _cluster, command) => call('commands', () => ({ commandId: commands.send(instanceId, command) })),
      outcome: (_instanceId, commandId) => call('commands', () => commands.outcome(commandId)),
    },
  };
}

/** The ports of one invocation. */
export function makeSimPorts(world: SimWorld, invocation: Invocation = { dead: false }): Ports {
  const call = withFaults(world, invocation);
  const contested = (write: () => Promise<void>, makes = false) => withConflicts(world, write, makes);
  const { skewMaxMs } = world.faults;
  const skewMs = skewMaxMs > 0 ? between(world.random, -skewMaxMs, skewMaxMs) : 0;
  const stores = makeStores(world.state);
  const { specs, rows, claims, leases, budget, journal } = stores;
  return {
    ...makeCloudPorts(world, call),
    specs: {
      listClusters: () => call('specs', () => specs.listClusters()),
      get: (cluster) => call('specs', () => specs.get(cluster)),
      create: (cluster, text) =>
        call(
          'specs',
          contested(() => specs.create(cluster, text), true),
        ),
      replace: (cluster, text, expectedVersion) =>
        call(
          'specs',
          contested(() => specs.replace(cluster, text, expectedVersion)),
        ),
      delete: (cluster) => call('specs', () => specs.delete(cluster)),
    },
    rows: {
      get: (cluster) => call('rows', () => rows.get(cluster)),
      listClusters: () => call('rows', () => rows.listClusters()),
      put: (row, expectedVersion) =>
        call(
          'rows',
          contested(() => rows.put(row, expectedVersion), expectedVersion === 0),
        ),
      delete: (cluster) => call('rows', () => rows.delete(cluster)),
    },
    claims: {
      claim: (jobKey, nowMs, leaseMs) => call('claims', () => claims.claim(jobKey, nowMs, leaseMs)),
      record: (jobKey, state) => call('claims', () => claims.record(jobKey, state)),
      release: (jobKey) => call('claims', () => claims.release(jobKey)),
      readMany: (jobKeys) => call('claims', () => claims.readMany(jobKeys)),
    },
    leases: {
      take: (name, nowMs, forMs) => call('claims', () => leases.take(name, nowMs, forMs)),
      end: (name, untilMs, note) => call('claims', () => leases.end(name, untilMs, note)),
    },
    budget: { take: (name, limit, windowMs, nowMs) => call('budget', () => budget.take(name, limit, windowMs, nowMs)) },
    journal: {
      append: (cluster, entries) =>
        call('journal', () => {
          for (const entry of entries) world.onJournal?.(cluster, entry);
          return journal.append(cluster, entries);
        }),
      read: (cluster, limit) => call('journal', () => journal.read(cluster, limit)),
    },
    queues: { send: (queue, body, delayS) => call('queues', () => void world.send(queue, body, delayS)) },
    probe: makeProbe(world),
    clock: { nowMs: () => world.scheduler.nowMs + skewMs },
    telemetry: silent(world),
  };
}
