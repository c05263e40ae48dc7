/** How measured values are spread. Computes only. */

export interface Distribution {
  count: number;
  min: number;
  median: number;
  /** Nearest rank: with fewer than 20 values it is the largest. */
  p95: number;
  max: number;
}

/** The smallest value that at least `share` (0 to 1) of all values do not exceed (nearest rank). @throws when there are no values */
export function percentileOf(values: readonly number[], share: number): number {
  const value = [...values].sort((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)];
  if (value === undefined) throw new Error('percentile: expected at least one value; got none');
  return value;
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
    p95: percentileOf(sorted, 0.95),
    max: at(sorted.length - 1),
  };
}
