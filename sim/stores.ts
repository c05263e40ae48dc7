/** Specs, rows, claims, leases, budget and journal as plain maps with the conditions of the real stores. Answers at once; delays are others' work. */
import type { ClaimState, JournalEntry, Lease, Ports } from '../lambdas/app/ports';
import { PortError } from '../lambdas/app/ports';
import type { ClusterRow } from '../lambdas/core/memory';

/** What is stored. */
export interface StoredState {
  rows: Map<string, ClusterRow>;
  specs: Map<string, { text: string; version: number }>;
  claims: Map<string, ClaimState>;
  leases: Map<string, Lease>;
  journal: (JournalEntry & { cluster: string })[];
  budget: Map<string, number>;
}

export function emptyState(): StoredState {
  return { rows: new Map(), specs: new Map(), claims: new Map(), leases: new Map(), journal: [], budget: new Map() };
}

type Stores = Pick<Ports, 'specs' | 'rows' | 'claims' | 'leases' | 'journal' | 'budget'>;

function makeSpecs({ specs }: StoredState): Stores['specs'] {
  return {
    listClusters: async () => [...specs.keys()],
    get: async (cluster) => specs.get(cluster) ?? null,
    create: async (cluster, text) => {
      if (specs.has(cluster)) throw new PortError('conflict', `a spec of ${cluster} exists`);
      specs.set(cluster, { text, version: 1 });
    },
    replace: async (cluster, text, expectedVersion) => {
      if (specs.get(cluster)?.version !== expectedVersion)
        throw new PortError('conflict', `the spec of ${cluster} is no longer at version ${expectedVersion}`);
      specs.set(cluster, { text, version: expectedVersion + 1 });
    },
    delete: async (cluster) => void specs.delete(cluster),
  };
}

/** Freezes a value to its depth: what is stored can be shared, and a reader that would change it fails. Frozen parts are taken as they are. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const key in value) freeze(value[key]);
  return Object.freeze(value);
}

function makeRows({ rows }: StoredState): Stores['rows'] {
  return {
    get: async (cluster) => rows.get(cluster) ?? null,
    listClusters: async () => [...rows.keys()],
    put: async (row, expectedVersion) => {
      if ((rows.get(row.cluster)?.version ?? 0) !== expectedVersion)
        throw new PortError('conflict', `the row of ${row.cluster} is no longer at version ${expectedVersion}`);
      rows.set(row.cluster, freeze(row));
    },
    delete: async (cluster) => void rows.delete(cluster),
  };
}

function makeClaims({ claims }: StoredState): Stores['claims'] {
  return {
    claim: async (jobKey, nowMs, leaseMs) => {
      const state = claims.get(jobKey);
      if (state && (state.is !== 'running' || state.commandId || state.leaseUntilMs > nowMs)) return { is: 'held', state };
      claims.set(jobKey, { is: 'running', leaseUntilMs: nowMs + leaseMs });
      return { is: 'taken' };
    },
    record: async (jobKey, state) => {
      const present = claims.get(jobKey);
      // An end stands: a worker that was slow to note its start must not bring the job back.
      if (present && present.is !== 'running' && state.is === 'running') return;
      claims.set(jobKey, state);
    },
    release: async (jobKey) => void claims.delete(jobKey),
    readMany: async (jobKeys) =>
      Object.fromEntries(
        jobKeys.flatMap((key) => {
          const state = claims.get(key);
          return state ? [[key, state]] : [];
        }),
      ),
  };
}

function makeLeases({ leases }: StoredState): Stores['leases'] {
  return {
    take: async (name, nowMs, forMs) => {
      const before = leases.get(name);
      if (before && before.untilMs > nowMs) return null;
      const lease = { ...before, untilMs: nowMs + forMs };
      leases.set(name, lease);
      return lease;
    },
    end: async (name, untilMs, note) => {
      const before = leases.get(name);
      if (before?.untilMs === untilMs) leases.set(name, { ...before, untilMs: 0, ...(note === undefined ? {} : { note }) });
    },
  };
}

/** The stores over a state. */
export function makeStores(state: StoredState): Stores {
  return {
    specs: makeSpecs(state),
    rows: makeRows(state),
    claims: makeClaims(state),
    leases: makeLeases(state),
    journal: {
      append: async (cluster, entries) => void state.journal.push(...entries.map((entry) => ({ ...entry, cluster }))),
      read: async (cluster, limit) =>
        state.journal
          .filter((entry) => entry.cluster === cluster)
          .reverse()
          .slice(0, limit)
          .map(({ cluster: _, ...entry }) => entry),
    },
    budget: {
      take: async (name, limit, windowMs, nowMs) => {
        const key = `${name}/${Math.floor(nowMs / windowMs)}`;
        const used = state.budget.get(key) ?? 0;
        if (used >= limit) return false;
        state.budget.set(key, used + 1);
        return true;
      },
    },
  };
}
