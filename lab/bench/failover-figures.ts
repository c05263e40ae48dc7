/** What `bench failover` measures, and what of it must never be. Types and sums; no text for people, no I/O. */
import type { Felt } from '../load/felt';
import type { OwnDelay } from '../load/load-process';
import { distributionOf, percentileOf } from './distribution';
import type { Goal, Machine } from './figures-text';

export type Fault = 'killed' | 'hung';
export type Side = 'ours' | 'recipe';

export interface Taken {
  /** From the fault until a request that was due after it was served; null where none was while it was watched. */
  servedS: number | null;
  felt: Felt;
}

/** Both holders fell out at the same moment. */
export interface Takeover {
  fault: Fault;
  ours: Taken;
  recipe: Taken;
  /** How long both were watched, s: what stands for a time that was not reached. */
  watchedS: number;
  /** From the fault until the failover worker journaled that the address moved; null where it did not. */
  movedS: number | null;
}

/** Two balancers that do not hear each other, both healthy. */
export interface Deafness {
  watchedS: number;
  /** How often the holder of our address was another one than at the look before. */
  moves: number;
  claimsRefused: number;
  /** Looks at the recipe's pair, and those at which both had its address. */
  looks: number;
  looksWithTwo: number;
  ours: Felt;
  recipe: Felt;
}

/** HAProxy alone stood still on both holders. */
export interface StuckProxy {
  watchedS: number;
  ours: Taken;
  recipe: Taken;
}

export interface FailoverFigures {
  runs: number;
  takeovers: Takeover[];
  deafness: Deafness | null;
  stuckProxy: StuckProxy | null;
  delays: OwnDelay[];
  recipeVersions: string;
  machine: Machine;
  /** Why not everything was done; absent where it was. */
  stoppedBy?: string;
}

/** Times of one side and fault, s. One that was not reached counts as the whole time it was watched: too good for it, never too bad. */
export function timesOf(takeovers: readonly Takeover[], side: Side, fault: Fault): number[] {
  return takeovers.filter((takeover) => takeover.fault === fault).map((takeover) => takeover[side].servedS ?? takeover.watchedS);
}

/** Null where nothing was measured. */
function medianOf(takeovers: readonly Takeover[], side: Side, fault: Fault): number | null {
  const times = timesOf(takeovers, side, fault);
  return times.length === 0 ? null : distributionOf(times).median;
}

function worstOf(takeovers: readonly Takeover[], side: Side, fault: Fault): number | null {
  const times = timesOf(takeovers, side, fault);
  return times.length === 0 ? null : percentileOf(times, 0.99);
}

function hundredths(value: number | null): number | null {
  return value === null ? null : Math.round(value * 100) / 100;
}

/** The documented last line of `--json`; null where nothing was measured. */
export function failoverSummary({ takeovers, runs }: FailoverFigures): object {
  return {
    addressP50S: hundredths(medianOf(takeovers, 'ours', 'killed')),
    addressP99S: hundredths(worstOf(takeovers, 'ours', 'killed')),
    recipeP50S: hundredths(medianOf(takeovers, 'recipe', 'killed')),
    hungP50S: hundredths(medianOf(takeovers, 'ours', 'hung')),
    runs,
  };
}

/** Most that may pass until the first request is served, s. */
export const ADDRESS_GOAL = { p50S: 1.5, p99S: 3, hungS: 4, timesAsFast: 2 } as const;

/** What the figures are held against; only what was measured. */
export function failoverGoals({ takeovers, deafness }: FailoverFigures): Goal[] {
  const p50 = medianOf(takeovers, 'ours', 'killed');
  const p99 = worstOf(takeovers, 'ours', 'killed');
  const recipe = medianOf(takeovers, 'recipe', 'killed');
  const hung = worstOf(takeovers, 'ours', 'hung');
  const { p50S, p99S, hungS, timesAsFast } = ADDRESS_GOAL;
  const ratio = p50 !== null && recipe !== null ? recipe / p50 : null;
  return [
    ...(p50 === null ? [] : [{ words: `balancer killed, p50 <= ${p50S} s: ${p50.toFixed(2)} s`, met: p50 <= p50S }]),
    ...(p99 === null ? [] : [{ words: `balancer killed, p99 <= ${p99S} s: ${p99.toFixed(2)} s`, met: p99 <= p99S }]),
    ...(ratio === null
      ? []
      : [{ words: `at least ${timesAsFast} times as fast as the recipe (p50): ${ratio.toFixed(1)} times`, met: ratio >= timesAsFast }]),
    ...(hung === null ? [] : [{ words: `balancer hung, p99 <= ${hungS} s: ${hung.toFixed(2)} s`, met: hung <= hungS }]),
    ...(deafness === null
      ? []
      : [{ words: `balancers deaf to each other, the address never moves: ${deafness.moves} moves`, met: deafness.moves === 0 }]),
  ];
}

/** Each thing that must never happen and did, in words. */
export function failoverWrongs({ deafness, stoppedBy }: FailoverFigures): string[] {
  return [
    ...(stoppedBy === undefined ? [] : [`stopped before the end: ${stoppedBy}`]),
    ...(deafness !== null && deafness.moves > 0 ? [`the address left a healthy holder ${deafness.moves} times`] : []),
  ];
}
