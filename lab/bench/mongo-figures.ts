/** What `bench mongo` measures, and what of it must never be. Types and sums; no text, no I/O. */
import type { ServerFacts } from '../mongo-writer';
import type { Outage } from '../outage';
import type { ReadBack } from '../read-back';
import { distributionOf } from './distribution';
import type { Machine } from './figures-text';
import type { StepName } from './replacement-steps';

export type Victim = 'primary' | 'secondary';

/** A voter was taken away and another one came to vote in its place. All times from the fault on. */
export interface Replacement {
  victim: Victim;
  slot: string;
  /** Another member led; null where the primary lived on. */
  electedS: number | null;
  /** Next acknowledged write after the longest stretch without one; null where the primary lived on. */
  failoverS: number | null;
  /** Until the status showed another instance voting in the slot. */
  replaceS: number;
  outage: Outage;
  /** When each step was journaled. */
  steps: Partial<Record<StepName, number>>;
}

/** Something else that was done to the set. */
export interface Change {
  what: string;
  tookS: number;
  outage: Outage;
  note: string;
}

export interface Freeze extends Change {
  /** What is wrong with how the frozen member came back, in words; empty when nothing is. */
  misdeeds: string[];
}

export interface MongoFigures {
  runs: number;
  kills: Replacement[];
  changes: Change[];
  freezes: Freeze[];
  written: { sent: number; acknowledged: number; failed: number };
  readBack: ReadBack;
  server: ServerFacts;
  /** What stands for the database, in words. */
  database: string;
  /** What this machine had to do meanwhile. */
  machine: Machine;
  /** Why not everything was done; absent where it was. */
  stoppedBy?: string;
}

/** Goal for the median from a voter's death to its successor's vote, without the time of the sync, s. */
export const REPLACE_GOAL_S = 30;

/** The documented last line of `--json`; a median is null when nothing was measured. */
export function mongoSummary({ runs, kills, readBack, server }: MongoFigures): object {
  const medianTenths = (values: number[]): number | null =>
    values.length === 0 ? null : Math.round(distributionOf(values).median * 10) / 10;
  return {
    lostWrites: readBack.lost.length,
    replaceMedianS: medianTenths(kills.map((kill) => kill.replaceS)),
    failoverMedianS: medianTenths(kills.flatMap((kill) => kill.failoverS ?? [])),
    runs,
    mongod: server.isStandIn ? 'stand-in' : 'real',
  };
}

/** Each thing that must never happen and did, in words. */
export function wrongs({ readBack, freezes, written, stoppedBy }: MongoFigures): string[] {
  const some = (numbers: number[], what: string): string[] =>
    numbers.length === 0 ? [] : [`${numbers.length} ${what}: ${numbers.slice(0, 10).join(', ')}${numbers.length > 10 ? ', …' : ''}`];
  return [
    ...(stoppedBy === undefined ? [] : [`stopped before the end: ${stoppedBy}`]),
    ...(written.acknowledged === 0 ? ['no write was acknowledged'] : []),
    ...some(readBack.lost, 'acknowledged writes are lost'),
    ...some(readBack.duplicates, 'writes are there more than once'),
    ...some(readBack.strangers, 'documents are there that nobody wrote'),
    ...freezes.flatMap(({ misdeeds }) => misdeeds),
  ];
}
