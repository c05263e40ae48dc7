/** What clients felt of a scenario, from all their requests. Computes only. */
import { outageOf, type Sample } from '../outage';

export interface SeenOutage {
  requests: number;
  failed: number;
  /** Longest time without one good answer, of the client that waited longest, s. */
  gapS: number;
  /** Seconds since the fault in which a request was sent that failed, counted. */
  disturbedS: number;
  /** What failed requests said, with how often. */
  errors: Record<string, number>;
}

/** Each client for itself: a good answer to one does not end the other's wait. @throws RangeError for a time without any request */
export function outageSeen(clients: readonly (readonly Sample[])[], fromMs: number, toMs: number): SeenOutage {
  const seen: SeenOutage = { requests: 0, failed: 0, gapS: 0, disturbedS: 0, errors: {} };
  const disturbed = new Set<number>();
  for (const samples of clients) {
    const { requests, failed, longestGapMs, errors } = outageOf(samples, fromMs, toMs);
    if (requests === 0) throw new RangeError(`a client sent nothing in ${(toMs - fromMs) / 1000} s: an outage would not be seen`);
    seen.requests += requests;
    seen.failed += failed;
    seen.gapS = Math.max(seen.gapS, longestGapMs / 1000);
    for (const [error, count] of Object.entries(errors)) seen.errors[error] = (seen.errors[error] ?? 0) + count;
    for (const { ok, sentMs, doneMs } of samples)
      if (!ok && doneMs >= fromMs && sentMs <= toMs) disturbed.add(Math.floor((sentMs - fromMs) / 1000));
  }
  return { ...seen, disturbedS: disturbed.size };
}
