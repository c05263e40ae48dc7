/** NGSIv2 bodies: checks entities and attributes, shows them in normalized or keyValues form. Reads and writes nothing. */
import type { Attribute, Attributes, Entity } from './entities';

/** An answer that is an error, in Orion's form. */
export class NgsiError extends Error {
  constructor(
    readonly status: number,
    readonly error: string,
    description: string,
  ) {
    super(description);
  }
}

const FORBIDDEN = /[<>"'=;()\s&?/#]/;
const TEXT_LENGTH_MAX = 256;

const bad = (description: string) => new NgsiError(400, 'BadRequest', description);
const isRecord = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value);

function checkName(what: string, name: unknown): string {
  if (typeof name !== 'string' || name === '') throw bad(`${what}: expected a text, got ${JSON.stringify(name)}`);
  if (name.length > TEXT_LENGTH_MAX) throw bad(`${what}: ${name.length} characters, expected ${TEXT_LENGTH_MAX} at most`);
  if (FORBIDDEN.test(name) || name.startsWith('$')) throw bad(`${what}: forbidden characters in "${name}"`);
  return name;
}

function defaultType(value: unknown): string {
  if (typeof value === 'number') return 'Number';
  if (typeof value === 'string') return 'Text';
  if (typeof value === 'boolean') return 'Boolean';
  return value === null ? 'None' : 'StructuredValue';
}

function attributeOf(input: unknown, isKeyValues: boolean): Attribute {
  if (isKeyValues) return { type: defaultType(input), value: input ?? null, metadata: {} };
  if (!isRecord(input)) throw bad(`attribute must be a JSON object, unless keyValues option is used; got ${JSON.stringify(input)}`);
  const { value = null, type = defaultType(value), metadata = {} } = input;
  return { type: checkName('attribute type', type), value, metadata: isRecord(metadata) ? metadata : {} };
}

export function parseAttributes(input: unknown, isKeyValues: boolean): Attributes {
  if (!isRecord(input)) throw bad('expected a JSON object of attributes');
  const entries = Object.entries(input).map(([name, value]) => [checkName('attribute name', name), attributeOf(value, isKeyValues)]);
  return Object.fromEntries(entries);
}

export function parseEntity(input: unknown, isKeyValues: boolean): Entity {
  if (!isRecord(input)) throw bad('expected an entity as a JSON object');
  const { id, type = 'Thing', ...rest } = input;
  return { id: checkName('entity id', id), type: checkName('entity type', type), attributes: parseAttributes(rest, isKeyValues) };
}

export function showEntity({ id, type, attributes }: Entity, isKeyValues: boolean): Record<string, unknown> {
  if (!isKeyValues) return { id, type, ...attributes };
  return { id, type, ...Object.fromEntries(Object.entries(attributes).map(([name, { value }]) => [name, value])) };
}
