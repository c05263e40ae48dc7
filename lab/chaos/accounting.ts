/** Accounts for jobs and judges a scenario by what was seen of it. Computes only. */
import type { ClaimState, JournalEntry } from '../../lambdas/app/ports';
import type { Enqueued, Scenario } from './scenario';
import type { SeenOutage } from './seen-outage';

/** An address changed hands; null: nobody. */
export interface Move {
  atMs: number;
  name: string;
  from: string | null;
  to: string | null;
}

/** Moves off a holder that nobody harmed: each breaks the first rule of the entry. */
export function movesOffHealthy(moves: readonly Move[], harmed: ReadonlySet<string>): Move[] {
  return moves.filter(({ from }) => from !== null && !harmed.has(from));
}

const ENDS = new Set(['done', 'stale', 'refused', 'failed']);

export interface JobFacts {
  journal: readonly JournalEntry[];
  enqueued: readonly Enqueued[];
  claims: Readonly<Record<string, ClaimState>>;
  inFlight: ReadonlySet<string>;
}

/** Keys of the jobs that somebody, the planner or a person, has enqueued. */
export function knownJobs({ journal, enqueued }: Pick<JobFacts, 'journal' | 'enqueued'>): string[] {
  const planned = journal.flatMap(({ event, jobKey }) => (event === 'planned' && jobKey ? [jobKey] : []));
  return [...new Set([...planned, ...enqueued.map(({ claimKey }) => claimKey)])];
}

/**
 * Jobs that were enqueued and of which nothing says how they ended: no entry in the journal, no claim that ended or whose command a
 * later check has settled, and the plan does not wait for them either. Attempts on a node that still boots end without an entry.
 */
export function lostJobs(facts: JobFacts): string[] {
  const ended = new Set(facts.journal.flatMap(({ event, jobKey }) => (jobKey && ENDS.has(event) ? [jobKey] : [])));
  return knownJobs(facts).filter((key) => {
    const claim = facts.claims[key];
    const isSettled = claim !== undefined && (claim.is !== 'running' || claim.commandId !== undefined);
    return !ended.has(key) && !isSettled && !facts.inFlight.has(key);
  });
}

/** Jobs of a person that ended otherwise than they had to, in words. */
export function wrongEnds(enqueued: readonly Enqueued[], claims: JobFacts['claims']): string[] {
  return enqueued.flatMap(({ what, claimKey, must }) => {
    const claim = claims[claimKey];
    const is = claim?.is ?? 'never taken up';
    const why = claim && 'reason' in claim ? ` (${claim.reason})` : '';
    return is === must ? [] : [`${what}: expected to end as ${must}; is ${is}${why}`];
  });
}

/** What was seen of one scenario. */
export interface Seen {
  outage: SeenOutage;
  /** Null where the cluster was not whole again while it was watched. */
  repairedS: number | null;
  /** Acknowledged writes that can't be read. */
  lost: number;
  moves: readonly Move[];
  harmed: ReadonlySet<string>;
  /** Slots that another instance fills now. */
  replaced: readonly string[];
  wrongEnds: readonly string[];
}

/** Everything that did not hold, in words; empty where the scenario is passed. */
export function judge({ bounds, keepsNodes }: Pick<Scenario, 'bounds' | 'keepsNodes'>, seen: Seen): string[] {
  const { outage, repairedS, lost, replaced } = seen;
  const atMost = (what: string, isS: number, maxS: number) =>
    isS > maxS ? [`${what}: expected at most ${maxS} s; was ${isS.toFixed(1)} s`] : [];
  return [
    ...atMost('time without an answer', outage.gapS, bounds.gapS),
    ...atMost('seconds with failures', outage.disturbedS, bounds.disturbedS),
    ...(repairedS === null ? ['not whole again while it was watched'] : atMost('repaired after', repairedS, bounds.repairedS)),
    ...(lost > 0 ? [`${lost} acknowledged writes lost`] : []),
    ...movesOffHealthy(seen.moves, seen.harmed).map(
      ({ name, from, to }) => `${name} left ${from}, which nobody harmed, for ${to ?? 'nobody'}`,
    ),
    ...(keepsNodes && replaced.length > 0 ? [`replaced although nobody was dead: ${replaced.join(', ')}`] : []),
    ...seen.wrongEnds,
  ];
}
