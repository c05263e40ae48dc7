/** Filters, sorts and projections over documents: the few operators the lab needs. Anything else is refused, never ignored. */
import type { Document } from 'bson';
import { areEqual, compareValues } from './documents';

/** An operator or stage that is not modelled; answered as BadValue. */
export class NotModelled extends Error {}

/** The value at a dotted path. */
export function valueAt(document: unknown, path: string): unknown {
  let at: unknown = document;
  for (const key of path.split('.')) {
    if (at === null || typeof at !== 'object') return undefined;
    at = Object.hasOwn(at, key) ? (at as Document)[key] : undefined;
  }
  return at;
}

type Test = (value: unknown, operand: unknown) => boolean;

const asList = (operand: unknown): unknown[] => {
  if (Array.isArray(operand)) return operand;
  throw new NotModelled('$in and $nin need an array');
};
const ordered =
  (isIt: (order: number) => boolean): Test =>
  (value, operand) => {
    const order = compareValues(value, operand);
    return order !== undefined && isIt(order);
  };

/** A field equals a value, or is an array that holds it; null also stands for a missing field. */
const equals: Test = (value, operand) =>
  areEqual(value ?? null, operand ?? null) || (Array.isArray(value) && value.some((one) => areEqual(one, operand)));

const TESTS: Record<string, Test> = {
  $eq: equals,
  $ne: (value, operand) => !equals(value, operand),
  $in: (value, operand) => asList(operand).some((one) => matchesValue(value, one)),
  $nin: (value, operand) => !asList(operand).some((one) => equals(value, one)),
  $gt: ordered((order) => order > 0),
  $gte: ordered((order) => order >= 0),
  $lt: ordered((order) => order < 0),
  $lte: ordered((order) => order <= 0),
  $exists: (value, operand) => (value !== undefined) === Boolean(operand),
  $regex: (value, operand) => matchesPattern(value, operand),
  $not: (value, operand) => !matchesValue(value, operand),
};

function matchesPattern(value: unknown, pattern: unknown): boolean {
  if (pattern instanceof RegExp) return typeof value === 'string' && pattern.test(value);
  const source = pattern !== null && typeof pattern === 'object' && 'pattern' in pattern ? pattern.pattern : pattern;
  return typeof value === 'string' && new RegExp(String(source)).test(value);
}

function isOperators(condition: unknown): condition is Document {
  return (
    condition !== null &&
    typeof condition === 'object' &&
    Object.keys(condition).length > 0 &&
    Object.keys(condition).every((key) => key.startsWith('$'))
  );
}

function matchesValue(value: unknown, condition: unknown): boolean {
  if (condition instanceof RegExp) return matchesPattern(value, condition);
  if (!isOperators(condition)) return equals(value, condition);
  return Object.entries(condition).every(([operator, operand]) => {
    const test = Object.hasOwn(TESTS, operator) ? TESTS[operator] : undefined;
    if (!test) throw new NotModelled(`the query operator ${operator} is not modelled by this stand-in`);
    return test(value, operand);
  });
}

export function matches(document: Document, filter: Document): boolean {
  return Object.entries(filter).every(([key, condition]) => {
    if (key === '$and') return asList(condition).every((one) => matches(document, one as Document));
    if (key === '$or') return asList(condition).some((one) => matches(document, one as Document));
    if (key === '$nor') return !asList(condition).some((one) => matches(document, one as Document));
    if (key === '$comment') return true;
    if (key.startsWith('$')) throw new NotModelled(`the query operator ${key} is not modelled by this stand-in`);
    return matchesValue(valueAt(document, key), condition);
  });
}

export function sorted(documents: Document[], sort: Document): Document[] {
  const keys = Object.entries(sort);
  if (keys.length === 0) return documents;
  return [...documents].sort((a, b) => {
    for (const [path, direction] of keys) {
      const order = (compareValues(valueAt(a, path), valueAt(b, path)) ?? 0) * Number(direction);
      if (order !== 0) return order;
    }
    return 0;
  });
}

/** Fields in, or fields out; top-level names only. */
export function projected(document: Document, projection: Document): Document {
  const names = Object.keys(projection).filter((name) => name !== '_id');
  if (Object.keys(projection).some((name) => name.includes('.') || typeof projection[name] === 'object'))
    throw new NotModelled('projections of inner fields are not modelled by this stand-in');
  if (Object.keys(projection).length === 0) return document;
  const takesIn = names.some((name) => projection[name]);
  const keepsId = projection._id === undefined || Boolean(projection._id);
  const keeps = (name: string) => (name === '_id' ? keepsId : takesIn ? Boolean(projection[name]) : projection[name] === undefined);
  return Object.fromEntries(Object.entries(document).filter(([name]) => keeps(name)));
}
