/** insert, update, delete: each command becomes one entry of the log, remembered with its session so that a retry runs it once. */
import { type Document, ObjectId } from 'bson';
import type { Change, Json } from '../../sim/replica-set/contract';
import { failure } from '../../sim/replica-set/failures';
import type { Member } from '../../sim/replica-set/member';
import { areEqual, fromStored, idText, toStored } from './documents';
import { matches } from './query';
import { seedOf, updated } from './update';

const SESSIONS = 'config.transactions';

interface WriteError {
  index: number;
  code: number;
  errmsg: string;
}

/** What a command will change, seen through by its own later parts. */
class Batch {
  private readonly seen = new Map<string, Json>();
  readonly changes: Change[] = [];
  readonly errors: WriteError[] = [];

  constructor(
    private readonly member: Member,
    readonly ns: string,
  ) {}

  get(id: string): Json | undefined {
    const own = this.seen.get(id);
    return own === undefined ? this.member.read(this.ns)[id] : (own ?? undefined);
  }

  put(document: Document): void {
    const id = idText(document._id);
    const doc = toStored(document);
    this.seen.set(id, doc);
    this.changes.push({ op: 'put', ns: this.ns, id, doc });
  }

  remove(document: Document): void {
    const id = idText(document._id);
    this.seen.set(id, null);
    this.changes.push({ op: 'remove', ns: this.ns, id });
  }

  /** Documents that match, `max` at most. */
  find(filter: Document, max: number): Document[] {
    const { _id } = filter;
    const isOne = _id !== undefined && (typeof _id !== 'object' || _id instanceof ObjectId);
    const stored = isOne ? [this.get(idText(_id)) ?? null] : this.all();
    const found: Document[] = [];
    for (const json of stored) {
      if (json === null || found.length >= max) continue;
      const document = fromStored(json);
      if (matches(document, filter)) found.push(document);
    }
    return found;
  }

  private all(): Json[] {
    return Object.values({ ...this.member.read(this.ns), ...Object.fromEntries(this.seen) });
  }

  refuse(index: number, id: unknown): void {
    const errmsg = `E11000 duplicate key error collection: ${this.ns} index: _id_ dup key: { _id: ${idText(id)} }`;
    this.errors.push({ index, code: 11000, errmsg });
  }
}

function insert(batch: Batch, { documents = [], ordered = true }: Document): Document {
  let n = 0;
  for (const [index, document] of (documents as Document[]).entries()) {
    const { _id = new ObjectId(), ...rest } = document;
    if (batch.get(idText(_id)) !== undefined) {
      batch.refuse(index, _id);
      if (ordered) break;
    } else {
      batch.put({ _id, ...rest });
      n += 1;
    }
  }
  return { n };
}

function update(batch: Batch, { updates = [] }: Document): Document {
  let n = 0;
  let nModified = 0;
  const upserted: Document[] = [];
  for (const [index, { q, u, upsert = false, multi = false }] of (updates as Document[]).entries()) {
    const found = batch.find(q, multi ? Number.POSITIVE_INFINITY : 1);
    n += found.length;
    for (const document of found) {
      const next = updated(document, u);
      if (areEqual(next, document)) continue;
      batch.put(next);
      nModified += 1;
    }
    if (found.length > 0 || !upsert) continue;
    const made = updated(seedOf(q), u, true);
    const _id = made._id ?? new ObjectId();
    batch.put({ ...made, _id });
    upserted.push({ index, _id });
    n += 1;
  }
  return { n, nModified, ...(upserted.length > 0 ? { upserted } : {}) };
}

function remove(batch: Batch, { deletes = [] }: Document): Document {
  let n = 0;
  for (const { q, limit } of deletes as Document[]) {
    const found = batch.find(q, limit === 0 ? Number.POSITIVE_INFINITY : Number(limit));
    for (const document of found) batch.remove(document);
    n += found.length;
  }
  return { n };
}

const WRITES = { insert, update, delete: remove };
export type WriteName = keyof typeof WRITES;

export function isWrite(name: string): name is WriteName {
  return Object.hasOwn(WRITES, name);
}

interface Session {
  key: string;
  txn: string;
}

function sessionOf(command: Document): Session | undefined {
  const { lsid, txnNumber } = command;
  return lsid && txnNumber !== undefined ? { key: idText(lsid.id), txn: String(txnNumber) } : undefined;
}

/** What this very command of this session was answered before; undefined where it is new. */
function answeredBefore(member: Member, session: Session | undefined): Document | undefined {
  const record = session && member.read(SESSIONS)[session.key];
  if (!record) return undefined;
  const { txn, reply } = fromStored(record);
  return txn === session.txn ? reply : undefined;
}

/** Runs one write command on the primary's documents; the reply comes before the write is on a majority. */
export function runWrite(member: Member, name: WriteName, ns: string, command: Document, nowMs: number): Document {
  if (member.state !== 'PRIMARY') return failure('NotWritablePrimary', 'not primary');
  const session = sessionOf(command);
  const before = answeredBefore(member, session);
  if (before) return before;
  const batch = new Batch(member, ns);
  const result = WRITES[name](batch, command);
  const reply: Document = { ...result, ...(batch.errors.length > 0 ? { writeErrors: batch.errors } : {}), ok: 1 };
  if (batch.changes.length === 0) return reply;
  const note: Change[] = session
    ? [{ op: 'put', ns: SESSIONS, id: session.key, doc: toStored({ _id: session.key, txn: session.txn, reply }) }]
    : [];
  const written = member.write([...batch.changes, ...note], nowMs);
  return written.ok === 1 ? reply : written;
}
