/** Compares what was acknowledged with what can be read: what is lost, what is there twice. Computes only. */
import type { Sample } from './outage';

export interface ReadBack {
  acknowledged: number;
  /** Numbers acknowledged and not there. */
  lost: number[];
  /** Numbers there more than once. */
  duplicates: number[];
  /** Numbers there that were never sent. */
  strangers: number[];
  /** Not acknowledged, and there all the same: allowed, a failed answer says nothing of the write. */
  unacknowledgedThere: number;
}

/** `found`: the number of every document read, in any order. */
export function compareReadBack(samples: readonly Sample[], found: readonly number[]): ReadBack {
  const times = new Map<number, number>();
  for (const n of found) times.set(n, (times.get(n) ?? 0) + 1);
  const sent = new Set(samples.map(({ n }) => n));
  const acknowledged = samples.filter(({ ok }) => ok);
  const numbers = [...times.keys()].sort((a, b) => a - b);
  return {
    acknowledged: acknowledged.length,
    lost: acknowledged.map(({ n }) => n).filter((n) => !times.has(n)),
    duplicates: numbers.filter((n) => (times.get(n) ?? 0) > 1),
    strangers: numbers.filter((n) => !sent.has(n)),
    unacknowledgedThere: samples.filter(({ n, ok }) => !ok && times.has(n)).length,
  };
}
