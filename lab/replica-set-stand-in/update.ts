/** Updates of one document: replacement, and the few operators the lab needs. Anything else is refused, never ignored. */
import type { Document } from 'bson';
import { areEqual, copyOf } from './documents';
import { NotModelled } from './query';

function parentOf(document: Document, path: string): { parent: Document; key: string } {
  const keys = path.split('.');
  const key = keys.pop() ?? '';
  let parent = document;
  for (const step of keys) {
    const next = Object.hasOwn(parent, step) ? parent[step] : undefined;
    if (next === null || typeof next !== 'object')
      Object.defineProperty(parent, step, { value: {}, writable: true, enumerable: true, configurable: true });
    parent = parent[step];
  }
  return { parent, key };
}

function setAt(document: Document, path: string, value: unknown): void {
  const { parent, key } = parentOf(document, path);
  Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true });
}

type Operator = (document: Document, path: string, value: unknown) => void;

const OPERATORS: Record<string, Operator> = {
  $set: setAt,
  $unset: (document, path) => {
    const { parent, key } = parentOf(document, path);
    delete parent[key];
  },
  $inc: (document, path, value) => {
    const { parent, key } = parentOf(document, path);
    setAt(document, path, Number(parent[key] ?? 0) + Number(value));
  },
  $push: (document, path, value) => {
    const { parent, key } = parentOf(document, path);
    setAt(document, path, [...(Array.isArray(parent[key]) ? parent[key] : []), value]);
  },
  $addToSet: (document, path, value) => {
    const { parent, key } = parentOf(document, path);
    const list: unknown[] = Array.isArray(parent[key]) ? parent[key] : [];
    if (!list.some((one) => areEqual(one, value))) setAt(document, path, [...list, value]);
  },
};

/** The document after the update; `isInsert` also applies $setOnInsert. */
export function updated(document: Document, update: unknown, isInsert = false): Document {
  if (Array.isArray(update)) throw new NotModelled('update pipelines are not modelled by this stand-in');
  const change = update as Document;
  const operators = Object.keys(change);
  if (!operators.some((name) => name.startsWith('$'))) return { _id: document._id, ...copyOf(change) };
  const result = copyOf(document);
  for (const name of operators) {
    if (name === '$setOnInsert' && !isInsert) continue;
    const operator = OPERATORS[name === '$setOnInsert' ? '$set' : name];
    if (!operator) throw new NotModelled(`the update operator ${name} is not modelled by this stand-in`);
    for (const [path, value] of Object.entries(change[name] ?? {})) operator(result, path, value);
  }
  return result;
}

/** The document an upsert starts from: the filter's plain values. */
export function seedOf(filter: Document): Document {
  const seed: Document = {};
  for (const [path, value] of Object.entries(filter)) {
    const isOperator = value !== null && typeof value === 'object' && Object.keys(value).some((key) => key.startsWith('$'));
    if (!path.startsWith('$') && !isOperator) setAt(seed, path, value);
  }
  return seed;
}
