/** Rows, claims, leases, budget and journal in one table, as their ports. Conditional writes carry all correctness. */
import {
  type Budget,
  type ClaimState,
  type ClaimStore,
  isConflict,
  type Journal,
  type JournalEntry,
  type Leases,
  PortError,
  type RowStore,
  unlessConflict,
} from '../app/ports';
import type { ClusterRow } from '../core/memory';
import type { Key, Table } from './table';

/** Finished claims are kept this long, so that a late double finds them, seconds. */
const CLAIM_KEPT_S = 86_400;
/** The journal is kept this long, seconds. */
const JOURNAL_KEPT_S = 30 * 86_400;
/** Partition of the small items that name the clusters. */
const NAMES = 'clusters';

/**
 * A row is one JSON text in a partition of its own, so that its shape is ours alone. A small item names the cluster, so that
 * listing reads a few bytes each and not every row; it is written before the row and removed after it, so that no row lacks one.
 */
export function makeRows(table: Table): RowStore {
  const key = (cluster: string): Key => ({ pk: `row#${cluster}`, sk: '-' });
  const nameKey = (cluster: string): Key => ({ pk: NAMES, sk: cluster });
  return {
    get: async (cluster) => {
      const item = await table.get(key(cluster));
      return item ? (JSON.parse(String(item.body)) as ClusterRow) : null;
    },
    listClusters: async () => (await table.query(NAMES)).map((item) => String(item.sk)),
    put: async (row, expectedVersion) => {
      if (expectedVersion === 0) await table.put(nameKey(row.cluster));
      const item = { ...key(row.cluster), version: row.version, body: JSON.stringify(row) };
      const condition =
        expectedVersion === 0
          ? { expression: 'attribute_not_exists(pk)' }
          : { expression: '#v = :v', names: { '#v': 'version' }, values: { ':v': expectedVersion } };
      await table.put(item, condition);
    },
    delete: async (cluster) => {
      await table.delete(key(cluster));
      await table.delete(nameKey(cluster));
    },
  };
}

/** One item a job key. `freeFromMs`: when another worker may take it; never, once it has ended or a command of it is under way. */
export function makeClaims(table: Table, nowMs: () => number): ClaimStore {
  const key = (jobKey: string): Key => ({ pk: `claim#${jobKey}`, sk: '-' });
  const itemOf = (jobKey: string, state: ClaimState, atMs: number) => ({
    ...key(jobKey),
    jobKey,
    state: JSON.stringify(state),
    ended: state.is !== 'running',
    freeFromMs: state.is === 'running' && !state.commandId ? state.leaseUntilMs : Number.MAX_SAFE_INTEGER,
    expiresAt: Math.floor(atMs / 1000) + CLAIM_KEPT_S,
  });
  const stateOf = (item: Record<string, unknown>): ClaimState => JSON.parse(String(item.state));
  return {
    claim: async (jobKey, atMs, leaseMs) => {
      const item = itemOf(jobKey, { is: 'running', leaseUntilMs: atMs + leaseMs }, atMs);
      const condition = { expression: 'attribute_not_exists(pk) OR freeFromMs <= :now', values: { ':now': atMs } };
      if (!(await isConflict(table.put(item, condition)))) return { is: 'taken' };
      const present = await table.get(key(jobKey));
      if (!present) throw new PortError('throttled', `claim ${jobKey} was given back a moment ago`);
      return { is: 'held', state: stateOf(present) };
    },
    record: async (jobKey, state) => {
      // The first end stands: a worker that was slow, while another took over and ended the job, must not open it again.
      const condition = { expression: 'attribute_not_exists(pk) OR ended = :no', values: { ':no': false } };
      await isConflict(table.put(itemOf(jobKey, state, nowMs()), condition));
    },
    release: (jobKey) => table.delete(key(jobKey)),
    readMany: async (jobKeys) => {
      const items = await table.getMany([...new Set(jobKeys)].map(key));
      return Object.fromEntries(items.map((item) => [String(item.jobKey), stateOf(item)]));
    },
  };
}

/** One item a thing; it stays, so that nobody needs to delete one, and goes by itself a day after its last lease. */
export function makeLeases(table: Table): Leases {
  const key = (name: string): Key => ({ pk: `lease#${name}`, sk: '-' });
  return {
    take: async (name, nowMs, forMs) => {
      const untilMs = nowMs + forMs;
      const condition = { expression: 'attribute_not_exists(pk) OR freeFromMs <= :now', values: { ':now': nowMs } };
      const values = { freeFromMs: untilMs, expiresAt: Math.floor(untilMs / 1000) + CLAIM_KEPT_S };
      const item = await unlessConflict(table.update(key(name), values, condition));
      return item ? { untilMs, ...(item.note === undefined ? {} : { note: String(item.note) }) } : null;
    },
    end: async (name, untilMs, note) => {
      const condition = { expression: 'freeFromMs = :own', values: { ':own': untilMs } };
      await unlessConflict(table.update(key(name), { freeFromMs: 0, ...(note === undefined ? {} : { note }) }, condition));
    },
  };
}

/** A counter a window. */
export function makeBudget(table: Table): Budget {
  return {
    take: async (name, limit, windowMs, nowMs) => {
      const window = Math.floor(nowMs / windowMs);
      const expiresAtS = Math.floor(((window + 2) * windowMs) / 1000);
      return !(await isConflict(table.increment({ pk: `budget#${name}`, sk: String(window) }, 'used', limit, expiresAtS)));
    },
  };
}

/** One item an entry, sorted by time; entries of the same millisecond keep their order. */
export function makeJournal(table: Table): Journal {
  let count = 0;
  const suffix = Math.random().toString(36).slice(2, 8);
  const skOf = (atMs: number) => `${String(atMs).padStart(15, '0')}#${String(count++ % 1_000_000).padStart(6, '0')}${suffix}`;
  return {
    append: async (cluster, entries) => {
      const items = entries.map((entry) => ({
        ...entry,
        pk: `journal#${cluster}`,
        sk: skOf(entry.atMs),
        expiresAt: Math.floor(entry.atMs / 1000) + JOURNAL_KEPT_S,
      }));
      await Promise.all(items.map((item) => table.put(item)));
    },
    read: async (cluster, limit) => {
      const items = await table.query(`journal#${cluster}`, { limit, reverse: true });
      return items.map(
        ({ atMs, topic, event, text, jobKey }): JournalEntry => ({
          atMs: Number(atMs),
          topic: String(topic),
          event: String(event),
          text: String(text),
          ...(jobKey === undefined ? {} : { jobKey: String(jobKey) }),
        }),
      );
    },
  };
}
