/** Hostile values: what a careless sender, a broken node or an attacker puts where something else was expected. Builds them, judges nothing. */
import fc from 'fast-check';

/** Texts that break something somewhere: shells, templates, prototypes, encodings, numbers, paths, look-alikes of good names. */
const TEXTS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  ' ',
  "'; reboot #",
  '"; reboot; "',
  '$(reboot)',
  '`reboot`',
  '$IFS',
  '{{Payload}}',
  '{{ssm:/secret}}',
  '@INTERFACE@',
  '\\',
  '\\u0000',
  '\u0000',
  '\n',
  'city\n',
  'city\r\nORION_MONGO_URI=evil',
  'city ',
  'City',
  'сity', // Cyrillic с
  'ｃｉｔｙ',
  'cıty',
  'ci\u200bty',
  'ci\u0301ty',
  '\u202eytic',
  '\ud800',
  '\udfff city',
  '😀',
  '../../etc/passwd',
  'a/b',
  '%00',
  'NaN',
  'Infinity',
  '1e999',
  '-0',
  '0x10',
  '10.0.0.1:27017\n',
  '10.0.0.1:27017,evil:1',
  '999.999.999.999',
  '10.0.0.1 evil',
  '::1',
  'i-0abc; reboot',
  'eipalloc-0abc\n',
  'orion_rs\n  evil: true',
  'http://evil/"; reboot',
  'x'.repeat(300),
  'é'.repeat(2_000),
] as const;

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 2, arbitrary: fc.string({ maxLength: 12, unit: 'binary' }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
);

export const hostileScalar: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: hostileText },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(null, true, false, 0, -1, -0, 1e308, 2 ** 53, 0.1, 5e-324, [], {}) },
  { weight: 1, arbitrary: fc.integer() },
);

/** Sets an own property of any name; `__proto__` as JSON.parse would make it. */
function put(target: object, key: string | number, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

const manyOf = (value: unknown, count: number): unknown[] => Array.from({ length: count }, () => value);

/** A change to a value: where (counted over all its places), what kind, with what. */
type Change = { at: number; how: number; key: string; value: unknown };
const change: fc.Arbitrary<Change> = fc.record({ at: fc.nat(200), how: fc.nat(9), key: hostileText, value: hostileScalar });

function placesOf(value: unknown, found: [object, string][] = []): [object, string][] {
  if (typeof value !== 'object' || value === null) return found;
  for (const key of Object.keys(value)) {
    found.push([value, key]);
    placesOf((value as Record<string, unknown>)[key], found);
  }
  return found;
}

function apply(root: object, { at, how, key, value }: Change): void {
  const places = placesOf(root);
  const [target, name] = places[at % Math.max(1, places.length)] ?? [root, key];
  const old = (target as Record<string, unknown>)[name];
  if (how <= 4) put(target, name, value);
  // A list has no names of its own in JSON.
  else if (how === 5) put(Array.isArray(target) ? root : target, key, value);
  else if (how === 6 && !Array.isArray(target)) delete (target as Record<string, unknown>)[name];
  else if (how === 7) put(target, name, [old]);
  else if (how === 8) put(target, name, manyOf(old, 60));
  else put(target, name, { [key]: old });
}

/** One of the samples, changed in none to three places. */
export function hostile<T extends object>(samples: readonly T[]): fc.Arbitrary<T> {
  return fc
    .tuple(
      fc.nat(samples.length - 1),
      fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 9, arbitrary: fc.array(change, { minLength: 1, maxLength: 3 }) }),
    )
    .map(([index, changes]) => {
      const copy = structuredClone(samples[index]) as T;
      for (const one of changes) apply(copy, one);
      return copy;
    });
}

/** JSON nested this deep, as text; JSON.stringify could not write it. */
export function deep(levels: number, open = '{"a":', close = '}'): string {
  return `${open.repeat(levels)}null${close.repeat(levels)}`;
}

/** Texts made of good JSON and worse: changed values, cut short, nested ten thousand deep, too large, no JSON at all. */
export function hostileJson(samples: readonly object[]): fc.Arbitrary<string> {
  const changed = hostile(samples).map((value) => JSON.stringify(value));
  const nested = fc
    .tuple(changed, fc.constantFrom(1, 50, 10_000), fc.boolean())
    .map(([text, levels, list]) => text.replace(/:("[^"]*"|\d+|null)/, `:${list ? deep(levels, '[', ']') : deep(levels)}`));
  return fc.oneof(
    { weight: 600, arbitrary: changed },
    { weight: 100, arbitrary: fc.tuple(changed, fc.nat(400)).map(([text, at]) => text.slice(0, at)) },
    {
      weight: 100,
      arbitrary: fc.tuple(changed, fc.nat(400), hostileText).map(([text, at, more]) => text.slice(0, at) + more + text.slice(at)),
    },
    { weight: 20, arbitrary: hostileText },
    { weight: 10, arbitrary: nested },
    { weight: 1, arbitrary: changed.map((text) => text.replace('{', `{"${'k'.repeat(1_000)}":"${'x'.repeat(300_000)}",`)) },
    { weight: 1, arbitrary: changed.map((text) => text.replace('{', `{"${'k'.repeat(200_000)}":1,`)) },
  );
}
