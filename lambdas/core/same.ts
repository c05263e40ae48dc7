/** Tells whether two values are the same once they are stored as JSON. Looks at nothing else. */

/** The same value, or the same JSON: a field that is undefined counts as missing, and the order of keys as a difference. */
export function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
