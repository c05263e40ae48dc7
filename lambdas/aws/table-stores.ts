/** Rows, claims, budget and journal in one table, as their ports. Conditional writes carry all correctness. */
import { type Budget, type ClaimState, type ClaimStore, type Journal, type JournalEntry, PortError, type RowStore } from '../app/ports';
import type { ClusterRow } from '../core/memory';
import type { Key, Table } from './table';

/** Finished claims are kept this long, so that a late double finds them, seconds. */
const CLAIM_KEPT_S = 86_400;
/** The journal is kept this long, seconds. */
const JOURNAL_KEPT_S = 30 * 86_400;
const ROWS = 'clusters';

async function isConflict(write: Promise<void>): Promise<boolean> {
  try {
    await write;
    return false;
  } catch (error) {
    if (error instanceof PortError && error.code === 'conflict') return true;
    throw error;
  }
}

/** All rows share one partition, so that listing them is one query; a row is one JSON text, so that its shape is ours alone. */
export function makeRows(table: Table): RowStore {
  const key = (cluster: string): Key => ({ pk: ROWS, sk: cluster });
  return {
    get: async (cluster) => {
      const item = await table.get(key(cluster));
      return item ? (JSON.parse(String(item.body)) as ClusterRow) : null;
    },
    listClusters: async () => (await table.query(ROWS)).map((item) => String(item.sk)),
    put: async (row, expectedVersion) => {
      const item = { ...key(row.cluster), version: row.version, body: JSON.stringify(row) };
      const condition =
        expectedVersion === 0
          ? { expression: 'attribute_not_exists(pk)' }
          : { expression: '#v = :v', names: { '#v': 'version' }, values: { ':v': expectedVersion } };
      await table.put(item, condition);
    },
    delete: (cluster) => table.delete(key(cluster)),
  };
}

/** One item a job key. */
export function makeClaims(table: Table, nowMs: () => number): ClaimStore {
  const key = (jobKey: string): Key => ({ pk: `claim#${jobKey}`, sk: '-' });
  const itemOf = (jobKey: string, state: ClaimState, atMs: number) => ({
    ...key(jobKey),
    jobKey,
    state: JSON.stringify(state),
    leaseUntilMs: state.is === 'running' && !state.commandId ? state.leaseUntilMs : Number.MAX_SAFE_INTEGER,
    expiresAt: Math.floor(atMs / 1000) + CLAIM_KEPT_S,
  });
  const stateOf = (item: Record<string, unknown>): ClaimState => JSON.parse(String(item.state));
  return {
    claim: async (jobKey, atMs, leaseMs) => {
      const item = itemOf(jobKey, { is: 'running', leaseUntilMs: atMs + leaseMs }, atMs);
      const condition = { expression: 'attribute_not_exists(pk) OR leaseUntilMs <= :now', values: { ':now': atMs } };
      if (!(await isConflict(table.put(item, condition)))) return { is: 'taken' };
      const present = await table.get(key(jobKey));
      if (!present) throw new PortError('throttled', `claim ${jobKey} was given back a moment ago`);
      return { is: 'held', state: stateOf(present) };
    },
    record: (jobKey, state) => table.put(itemOf(jobKey, state, nowMs())),
    release: (jobKey) => table.delete(key(jobKey)),
    readMany: async (jobKeys) => {
      const items = await table.getMany(jobKeys.map(key));
      return Object.fromEntries(items.map((item) => [String(item.jobKey), stateOf(item)]));
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
      for (const entry of entries)
        await table.put({
          pk: `journal#${cluster}`,
          sk: skOf(entry.atMs),
          ...entry,
          expiresAt: Math.floor(entry.atMs / 1000) + JOURNAL_KEPT_S,
        });
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
