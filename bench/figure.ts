/** What a bench reports. Types and number texts; measures nothing. */

/** One measured figure with the goal it is held against. */
export interface Figure {
  what: string;
  value: number;
  unit: string;
  goal?: { atLeast: number } | { atMost: number };
  /** How it was measured, or what it is compared with. */
  note?: string;
}

export interface Bench {
  name: string;
  /** One sentence: what is measured. */
  about: string;
  run(): Promise<Figure[]>;
}

/** Undefined where there is no goal. */
export function isMet({ value, goal }: Figure): boolean | undefined {
  if (!goal) return undefined;
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost;
}

/** The middle one; of an even number of values the upper. @throws when there are none */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('median: expected at least one value; got none');
  return middle;
}
