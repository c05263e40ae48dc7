/** find, count, aggregations that only count, lists of databases and collections, cursors. Changes no document. */
import { type Document, Long } from 'bson';
import type { Member } from '../../sim/replica-set/member';
import { fromStored } from './documents';
import { matches, NotModelled, projected, sorted } from './query';

const FIRST_BATCH = 101;
const CURSORS_MAX = 100;

/** Results that were not fetched yet; the oldest are forgotten first. */
export class Cursors {
  private readonly waiting = new Map<string, { ns: string; rest: Document[] }>();
  private lastId = 0;

  open(ns: string, documents: Document[], batchSize: number): Document {
    const rest = documents.slice(batchSize);
    let id = Long.ZERO;
    if (rest.length > 0) {
      this.lastId += 1;
      id = Long.fromNumber(this.lastId);
      this.waiting.set(id.toString(), { ns, rest });
      const [oldest] = this.waiting.keys();
      if (this.waiting.size > CURSORS_MAX && oldest) this.waiting.delete(oldest);
    }
    return { cursor: { id, ns, firstBatch: documents.slice(0, batchSize) }, ok: 1 };
  }

  more(id: unknown, batchSize: number): Document | undefined {
    const cursor = this.waiting.get(String(id));
    if (!cursor) return undefined;
    const nextBatch = cursor.rest.splice(0, batchSize);
    const isDone = cursor.rest.length === 0;
    if (isDone) this.waiting.delete(String(id));
    return { cursor: { id: isDone ? Long.ZERO : Long.fromString(String(id)), ns: cursor.ns, nextBatch }, ok: 1 };
  }

  kill(ids: unknown[]): void {
    for (const id of ids) this.waiting.delete(String(id));
  }
}

function documentsOf(member: Member, ns: string): Document[] {
  return Object.values(member.read(ns)).map(fromStored);
}

function found(member: Member, ns: string, { filter = {}, sort = {}, skip = 0, limit = 0 }: Document): Document[] {
  const matching = documentsOf(member, ns).filter((document) => matches(document, filter));
  return sorted(matching, sort).slice(Number(skip), limit ? Number(skip) + Math.abs(Number(limit)) : undefined);
}

function find(member: Member, ns: string, command: Document, cursors: Cursors): Document {
  const documents = found(member, ns, command).map((document) => projected(document, command.projection ?? {}));
  const batchSize = command.singleBatch ? Number.POSITIVE_INFINITY : Number(command.batchSize ?? FIRST_BATCH);
  return cursors.open(ns, documents, batchSize);
}

/** Only what drivers count with: $match, $skip, $limit, then $count or a $group that sums ones. */
function aggregate(member: Member, ns: string, command: Document, cursors: Cursors): Document {
  let documents = documentsOf(member, ns);
  for (const stage of command.pipeline as Document[]) {
    const [name = '', value] = Object.entries(stage)[0] ?? [];
    if (name === '$match') documents = documents.filter((document) => matches(document, value));
    else if (name === '$skip') documents = documents.slice(Number(value));
    else if (name === '$limit') documents = documents.slice(0, Number(value));
    else if (name === '$count') documents = documents.length > 0 ? [{ [value]: documents.length }] : [];
    else if (name === '$group' && value?.n?.$sum === 1) documents = documents.length > 0 ? [{ _id: value._id, n: documents.length }] : [];
    else throw new NotModelled(`the aggregation stage ${name} is not modelled by this stand-in`);
  }
  return cursors.open(ns, documents, FIRST_BATCH);
}

function collectionsOf(member: Member, db: string): string[] {
  return member.namespaces().flatMap((ns) => (ns.startsWith(`${db}.`) ? [ns.slice(db.length + 1)] : []));
}

function listCollections(member: Member, db: string, cursors: Cursors): Document {
  const list = collectionsOf(member, db).map((name) => ({ name, type: 'collection', options: {}, info: { readOnly: false } }));
  return cursors.open(`${db}.$cmd.listCollections`, list, Number.POSITIVE_INFINITY);
}

function listDatabases(member: Member): Document {
  const names = [...new Set(member.namespaces().map((ns) => ns.slice(0, ns.indexOf('.'))))];
  return { databases: names.map((name) => ({ name, sizeOnDisk: 0, empty: false })), totalSize: 0, totalSizeMb: 0, ok: 1 };
}

const READS = new Set(['find', 'count', 'aggregate', 'listCollections', 'listDatabases', 'listIndexes']);

export function isRead(name: string): boolean {
  return READS.has(name);
}

/** Runs one read command. @throws NotModelled for what it can't do. */
export function runRead(member: Member, name: string, db: string, command: Document, cursors: Cursors): Document {
  const ns = `${db}.${command[name]}`;
  switch (name) {
    case 'find':
      return find(member, ns, command, cursors);
    case 'count':
      return { n: found(member, ns, { ...command, filter: command.query ?? {} }).length, ok: 1 };
    case 'aggregate':
      return aggregate(member, ns, command, cursors);
    case 'listCollections':
      return listCollections(member, db, cursors);
    case 'listDatabases':
      return listDatabases(member);
    case 'listIndexes':
      return cursors.open(ns, [{ v: 2, key: { _id: 1 }, name: '_id_' }], FIRST_BATCH);
    default:
      throw new NotModelled(`${name} is not modelled by this stand-in`);
  }
}
