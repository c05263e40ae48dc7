/** What a client felt over a stretch of time, worked out from its requests' answers. Computes only. */

/** One request with its end. */
export interface Sample {
  n: number;
  sentMs: number;
  doneMs: number;
  ok: boolean;
  detail: string;
}

/** What clients felt over a stretch of time. */
export interface Outage {
  requests: number;
  failed: number;
  /** Longest time between two good answers, ms. */
  longestGapMs: number;
  /** When the longest gap ended, ms. */
  gapEndMs: number;
  /** What failed requests said, with how often. */
  errors: Record<string, number>;
}

/** The outage between two times; both ends count as if a good answer had come just then. */
export function outageOf(samples: readonly Sample[], fromMs: number, toMs: number): Outage {
  const within = samples.filter((sample) => sample.doneMs >= fromMs && sample.sentMs <= toMs);
  const good = within.filter((sample) => sample.ok).map((sample) => Math.min(sample.doneMs, toMs));
  let longestGapMs = 0;
  let gapEndMs = fromMs;
  let lastMs = fromMs;
  for (const atMs of [...good.sort((a, b) => a - b), toMs]) {
    if (atMs - lastMs > longestGapMs) [longestGapMs, gapEndMs] = [atMs - lastMs, atMs];
    lastMs = atMs;
  }
  const bad = within.filter((sample) => !sample.ok);
  const errors: Record<string, number> = {};
  for (const { detail } of bad) errors[detail] = (errors[detail] ?? 0) + 1;
  return { requests: within.length, failed: bad.length, longestGapMs, gapEndMs, errors };
}
