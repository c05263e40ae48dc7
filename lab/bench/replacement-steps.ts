/** Reads from the journal where the time of a member's replacement went. Computes only. */
import type { JournalEntry } from '../../lambdas/app/ports';

/** In the order in which they come; each lasts until the next one's time. */
export const STEP_NAMES = ['seen', 'launched', 'answers', 'added', 'caught up', 'old one out', 'votes'] as const;
export type StepName = (typeof STEP_NAMES)[number];

/** What the journal's entry of each step is, by event and by what its job key says. */
const ENTRY: Record<StepName, { event: string; key: (slot: string) => string; last?: boolean }> = {
  seen: { event: 'planned', key: (slot) => `/launch/${slot}#` },
  launched: { event: 'done', key: (slot) => `/launch/${slot}#` },
  answers: { event: 'planned', key: () => '/reconfig/add/' },
  added: { event: 'done', key: () => '/reconfig/add/', last: true },
  'caught up': { event: 'planned', key: () => '/reconfig/remove/' },
  'old one out': { event: 'done', key: () => '/reconfig/remove/', last: true },
  votes: { event: 'done', key: () => '/reconfig/raise-vote/', last: true },
};

/** Seconds since the fault at which each step was journaled; a step that was not is missing. `entries` in any order. */
export function stepsOf(entries: readonly JournalEntry[], slot: string, fromMs: number, toMs: number): Partial<Record<StepName, number>> {
  const within = entries.filter((entry) => entry.atMs >= fromMs && entry.atMs <= toMs).sort((a, b) => a.atMs - b.atMs);
  const steps: Partial<Record<StepName, number>> = {};
  for (const name of STEP_NAMES) {
    const { event, key, last = false } = ENTRY[name];
    const isIt = (entry: JournalEntry) => entry.event === event && (entry.jobKey?.includes(key(slot)) ?? false);
    const found = last ? within.findLast(isIt) : within.find(isIt);
    if (found) steps[name] = (found.atMs - fromMs) / 1000;
  }
  return steps;
}

/** How long each step took, s: from the step before it that was journaled, or from the fault. */
export function durationsOf(steps: Partial<Record<StepName, number>>): Partial<Record<StepName, number>> {
  const durations: Partial<Record<StepName, number>> = {};
  let beforeS = 0;
  for (const name of STEP_NAMES) {
    const atS = steps[name];
    if (atS === undefined) continue;
    durations[name] = Math.max(0, atS - beforeS);
    beforeS = atS;
  }
  return durations;
}
