/** BSON documents as the engine keeps them (canonical Extended JSON), and back. */
import { BSON, type Document, EJSON, ObjectId, Timestamp } from 'bson';
import type { Json } from '../../sim/replica-set/contract';

const decoded = new WeakMap<object, Document>();

/** Text that is equal for equal `_id`s. */
export function idText(id: unknown): string {
  return EJSON.stringify(id, { relaxed: false });
}

export function toStored(document: Document): Json {
  return EJSON.serialize(document, { relaxed: false }) as Json;
}

/** A stored document; the same object each time, so don't change it. */
export function fromStored(json: Json): Document {
  if (json === null || typeof json !== 'object') return {};
  const known = decoded.get(json);
  if (known) return known;
  const document = EJSON.deserialize(json as Document, { relaxed: true }) as Document;
  decoded.set(json, document);
  return document;
}

/** A deep copy that may be changed. */
export function copyOf(document: Document): Document {
  return BSON.deserialize(BSON.serialize(document));
}

/** Below and above 0 as in sorting; undefined where two values can't be ordered. */
export function compareValues(a: unknown, b: unknown): number | undefined {
  const [left, right] = [plain(a), plain(b)];
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : Number(left > right);
  return undefined;
}

function plain(value: unknown): unknown {
  if (value instanceof Date) return value.getTime();
  if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value);
  if (value instanceof ObjectId) return value.toHexString();
  return value;
}

export function areEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  return idText(a) === idText(b);
}

/** A reply of the engine with the BSON types drivers expect: timestamps in optimes, object ids. */
export function toWire(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => toWire(one));
  if (value === null || typeof value !== 'object' || value instanceof Date) {
    return (name === 'electionId' || name === 'replicaSetId') && typeof value === 'string' ? new ObjectId(value) : value;
  }
  const fields = value as Record<string, unknown>;
  if (name === 'ts') return new Timestamp({ t: Number(fields.seconds), i: Number(fields.index) });
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(fields).map(([key, one]) => [key, toWire(one, key)]));
}
