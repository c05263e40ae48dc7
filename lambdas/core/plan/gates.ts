/** Gates: when nothing at all may be decided. Everything else comes after them. */
import type { Situation } from './situation';

/** Facts older than this are not acted on, ms. */
export const FACTS_MAX_AGE_MS = 60_000;

/** The reason why no planner may run now; undefined when all gates are open. */
export function closedGate(s: Situation): string | undefined {
  if (!s.observation.cloudKnown) return 'EC2 could not be read: nothing is decided on unknown facts';
  const ageMs = s.nowMs - s.observation.atMs;
  if (ageMs > FACTS_MAX_AGE_MS)
    return `the facts are ${Math.round(ageMs / 1000)} s old, above ${FACTS_MAX_AGE_MS / 1000} s: nothing is decided on stale facts`;
  return undefined;
}
