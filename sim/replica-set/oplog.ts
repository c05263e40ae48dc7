/** Log and documents of one member: appends, commits, rolls back. Knows nothing of other members and decides nothing. */
import type { Change, CommittedCopy, DurableState, Json, OplogEntry, OpTime } from './contract';

export const NOTHING: OpTime = { term: 0, index: 0 };

/** Positive when `a` is newer. */
export function compareOpTimes(a: OpTime, b: OpTime): number {
  return a.term - b.term || a.index - b.index;
}

export function emptyState(): DurableState {
  return {
    config: null,
    term: 0,
    votedFor: null,
    oplog: [],
    oplogStart: NOTHING,
    oplogStartMs: 0,
    commit: NOTHING,
    data: {},
    undo: [],
    syncing: false,
  };
}

/** A member's durable state with the operations of a log; every change of it goes through here or sets `changed`. */
export class Oplog {
  constructor(
    readonly durable: DurableState,
    private readonly entriesMax: number,
    private readonly changed: () => void,
  ) {}

  get last(): OpTime {
    const entry = this.durable.oplog.at(-1);
    return entry ? { term: entry.term, index: entry.index } : this.durable.oplogStart;
  }

  /** When the entry at `index` was written, ms; 0 where that is not known. */
  atMs(index: number): number {
    if (index === this.durable.oplogStart.index) return this.durable.oplogStartMs;
    return this.entry(index)?.atMs ?? 0;
  }

  entry(index: number): OplogEntry | undefined {
    return this.durable.oplog[index - this.durable.oplogStart.index - 1];
  }

  /** Entries from `index` on, `max` at most. */
  from(index: number, max: number): OplogEntry[] {
    const at = index - this.durable.oplogStart.index - 1;
    return this.durable.oplog.slice(at, at + max);
  }

  optimeAt(index: number): OpTime | undefined {
    if (index === this.durable.oplogStart.index) return this.durable.oplogStart;
    const entry = this.entry(index);
    return entry && { term: entry.term, index };
  }

  /** Whether the log holds this very entry (then all before it are the same everywhere); committed ones that were dropped count. */
  holds(optime: OpTime): boolean {
    const mine = this.optimeAt(optime.index);
    return mine ? mine.term === optime.term : optime.index < this.durable.oplogStart.index;
  }

  append(entry: OplogEntry): void {
    this.durable.oplog.push(entry);
    for (const change of entry.changes) this.apply(entry.index, change);
    this.changed();
  }

  private apply(index: number, change: Change): void {
    if (change.op === 'noop') return;
    const { data, undo } = this.durable;
    let documents = data[change.ns];
    if (!documents) {
      documents = {};
      data[change.ns] = documents;
    }
    undo.push({ index, ns: change.ns, id: change.id, doc: documents[change.id] ?? null });
    put(documents, change.id, change.op === 'remove' ? null : change.doc);
  }

  /** Notes that everything up to `optime` is on a majority; an entry the log does not hold is left for later. */
  commitTo(optime: OpTime): void {
    const { durable } = this;
    if (optime.index <= durable.commit.index || !this.optimeAt(optime.index) || !this.holds(optime)) return;
    durable.commit = optime;
    const kept = durable.undo.findIndex((one) => one.index > optime.index);
    durable.undo.splice(0, kept === -1 ? durable.undo.length : kept);
    this.dropOld();
    this.changed();
  }

  private dropOld(): void {
    const { durable } = this;
    if (durable.oplog.length <= this.entriesMax * 1.25) return;
    const count = Math.min(durable.oplog.length - this.entriesMax, durable.commit.index - durable.oplogStart.index);
    const start = this.optimeAt(durable.oplogStart.index + count);
    if (count <= 0 || !start) return;
    durable.oplogStartMs = this.atMs(start.index);
    durable.oplogStart = start;
    durable.oplog.splice(0, count);
  }

  /** Undoes everything after `index`; false, and nothing done, when that would undo majority-committed entries. */
  rollBackTo(index: number): boolean {
    const { durable } = this;
    if (index < durable.commit.index) return false;
    for (let one = durable.undo.at(-1); one && one.index > index; one = durable.undo.at(-1)) {
      put(durable.data[one.ns] ?? {}, one.id, one.doc);
      durable.undo.pop();
    }
    durable.oplog.splice(index - durable.oplogStart.index);
    this.changed();
    return true;
  }

  /** Documents and log as they are at the commit point. */
  committedCopy(): CommittedCopy {
    const { oplog, oplogStart, oplogStartMs, commit } = this.durable;
    const data: DurableState['data'] = {};
    for (const [ns, documents] of Object.entries(this.durable.data)) data[ns] = { ...documents };
    for (const one of this.durable.undo.toReversed()) put(data[one.ns] ?? {}, one.id, one.doc);
    return { oplog: oplog.slice(0, commit.index - oplogStart.index), oplogStart, oplogStartMs, commit, data };
  }

  /** Replaces everything by the result of an initial sync. */
  replaceAll({ oplog, oplogStart, oplogStartMs, commit, data }: CommittedCopy): void {
    Object.assign(this.durable, { oplog, oplogStart, oplogStartMs, commit, data, undo: [], syncing: false });
    this.changed();
  }
}

function put(documents: Record<string, Json>, id: string, doc: Json): void {
  if (doc === null) delete documents[id];
  else documents[id] = doc;
}
