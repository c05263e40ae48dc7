/** Ports that hold plain values and answer at once, for tests of single use cases; the simulation is for whole stories. */

import type { ClaimState, CommandOutcome, Context, JournalEntry, NodeCommand, Ports } from '../lambdas/app/ports';
import { PortError } from '../lambdas/app/ports';
import type { CloudFacts } from '../lambdas/core/facts';
import type { ClusterRow } from '../lambdas/core/memory';
import { NOW_MS, ZONES } from './builders';

export interface Sent {
  queue: string;
  body: Record<string, unknown>;
  delayS: number;
}

/** What the ports hold; tests set it before and look at it after. */
export interface MemoryWorld {
  nowMs: number;
  cloud: Omit<CloudFacts, 'atMs'>;
  rows: Map<string, ClusterRow>;
  specs: Map<string, { text: string; version: number }>;
  claims: Map<string, ClaimState>;
  journal: (JournalEntry & { cluster: string })[];
  sent: Sent[];
  commands: { instanceId: string; command: NodeCommand }[];
  commandOutcome: CommandOutcome;
  /** URLs and hosts that answer; all others refuse. */
  answering: (url: string) => boolean;
  acts: string[];
  budgetLeft: number;
}

export function aMemoryWorld(change: Partial<MemoryWorld> = {}): MemoryWorld {
  return {
    nowMs: NOW_MS,
    cloud: { instances: [], addresses: [] },
    rows: new Map(),
    specs: new Map(),
    claims: new Map(),
    journal: [],
    sent: [],
    commands: [],
    commandOutcome: { is: 'running' },
    answering: () => true,
    acts: [],
    budgetLeft: 10,
    ...change,
  };
}

function stores(w: MemoryWorld): Pick<Ports, 'specs' | 'rows' | 'claims' | 'journal' | 'budget'> {
  return {
    specs: {
      listClusters: async () => [...w.specs.keys()],
      get: async (cluster) => w.specs.get(cluster) ?? null,
      create: async (cluster, text) => {
        if (w.specs.has(cluster)) throw new PortError('conflict', 'exists');
        w.specs.set(cluster, { text, version: 1 });
      },
      replace: async (cluster, text, expectedVersion) => {
        if (w.specs.get(cluster)?.version !== expectedVersion) throw new PortError('conflict', 'other version');
        w.specs.set(cluster, { text, version: expectedVersion + 1 });
      },
      delete: async (cluster) => void w.specs.delete(cluster),
    },
    rows: {
      get: async (cluster) => structuredClone(w.rows.get(cluster)) ?? null,
      listClusters: async () => [...w.rows.keys()],
      put: async (row, expectedVersion) => {
        if ((w.rows.get(row.cluster)?.version ?? 0) !== expectedVersion) throw new PortError('conflict', 'other version');
        w.rows.set(row.cluster, structuredClone(row));
      },
      delete: async (cluster) => void w.rows.delete(cluster),
    },
    claims: {
      claim: async (jobKey, nowMs) => {
        const state = w.claims.get(jobKey);
        if (state && (state.is !== 'running' || state.commandId || state.leaseUntilMs > nowMs)) return { is: 'held', state };
        w.claims.set(jobKey, { is: 'running', leaseUntilMs: nowMs + 90_000 });
        return { is: 'taken' };
      },
      record: async (jobKey, state) => void w.claims.set(jobKey, state),
      release: async (jobKey) => void w.claims.delete(jobKey),
      readMany: async (jobKeys) =>
        Object.fromEntries(jobKeys.flatMap((key) => (w.claims.has(key) ? [[key, w.claims.get(key) as ClaimState]] : []))),
    },
    journal: {
      append: async (cluster, entries) => void w.journal.push(...entries.map((entry) => ({ ...entry, cluster }))),
      read: async (cluster, limit) =>
        w.journal
          .filter((entry) => entry.cluster === cluster)
          .reverse()
          .slice(0, limit),
    },
    budget: { take: async () => w.budgetLeft-- > 0 },
  };
}

/** A context over the world; settings are those of a deployment with three zones. */
export function contextOver(w: MemoryWorld): Context {
  const act = (text: string) => void w.acts.push(text);
  const ports: Ports = {
    ...stores(w),
    compute: {
      describeFleet: async () => w.cloud,
      describeCluster: async () => w.cloud,
      launchNode: async (request) => {
        act(`launch ${request.slot}/${request.incarnation} in ${request.zone} (${request.token})`);
        return { ...request, instanceId: 'i-ffff', state: 'pending', launchedAtMs: w.nowMs, status: 'initializing' };
      },
      terminateNode: async (instanceId) => act(`terminate ${instanceId}`),
      deletePlacementGroups: async (cluster) => act(`delete placement groups of ${cluster}`),
    },
    addresses: {
      allocate: async (cluster, name) => ({ allocationId: 'eipalloc-1', cluster, name, publicIp: '203.0.113.1' }),
      associate: async (allocationId, instanceId, { mayTakeFrom }) => {
        act(`associate ${allocationId} with ${instanceId}${mayTakeFrom ? '' : ' if free'}`);
        w.cloud = {
          ...w.cloud,
          addresses: w.cloud.addresses.map((a) => (a.allocationId === allocationId ? { ...a, holder: instanceId } : a)),
        };
      },
      release: async (allocationId) => act(`release ${allocationId}`),
    },
    commands: {
      send: async (instanceId, _cluster, command) => {
        w.commands.push({ instanceId, command });
        return { commandId: `cmd-${w.commands.length}` };
      },
      outcome: async () => w.commandOutcome,
    },
    queues: { send: async (queue, body, delayS = 0) => void w.sent.push({ queue, body: body as Record<string, unknown>, delayS }) },
    probe: {
      http: async (url) => ({
        outcome: w.answering(url) ? { is: 'ok', latencyMs: 1 } : { is: 'failed', detail: 'connection refused' },
        body: '',
      }),
      hello: async (host) => ({ outcome: w.answering(host) ? { is: 'ok', latencyMs: 1 } : { is: 'failed', detail: 'connection refused' } }),
    },
    clock: { nowMs: () => w.nowMs },
    telemetry: { info: () => {}, warn: () => {}, error: () => {}, count: () => {} },
  };
  return { ports, settings: { tickEveryS: 10, zones: ZONES, terminationsPer10Min: 10, probeTimeoutMs: 1_000 } };
}
