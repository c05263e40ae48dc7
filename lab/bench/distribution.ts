/** How measured values are spread. Computes only. */

export interface Distribution {
  count: number;
  min: number;
  median: number;
  /** Nearest rank: with fewer than 20 values it is the largest. */
  p95: number;
  max: number;
}

/** @throws when there are no values: a figure of nothing would look like a good one */
export function distributionOf(values: readonly number[]): Distribution {
  if (values.length === 0) throw new Error('distribution: expected at least one value; got none');
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    count: sorted.length,
    min: at(0),
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    p95: at(Math.ceil(sorted.length * 0.95) - 1),
    max: at(sorted.length - 1),
  };
}
