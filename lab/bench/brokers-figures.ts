/** What `bench brokers` measures, and what it is held against. Types and sums; no text for people, no I/O. */
import type { Felt } from '../load/felt';
import type { OwnDelay } from '../load/load-process';
import { distributionOf } from './distribution';
import { type Goal, type Machine, sumOf } from './figures-text';

/** A broker was killed; both pairs had it behind them. */
export interface BrokerLoss {
  slot: string;
  ours: Felt;
  recipe: Felt;
  /** From the kill until a broker that started after it answered through the address, s. */
  replacedS: number;
}

export const CHANGES = ['config reload', 'scale-out by two', 'scale-in by two', 'drained replacement', 'new broker setting'] as const;
export type ChangeName = (typeof CHANGES)[number];

/** Something that people do on purpose, and that no client should feel. */
export interface BrokerChange {
  name: ChangeName;
  /** Scale-out: from the message on the queue until both new brokers had served; else until the cluster was as wanted, s. */
  tookS: number;
  felt: Felt;
}

export interface BrokersFigures {
  runs: number;
  losses: BrokerLoss[];
  changes: BrokerChange[];
  delays: OwnDelay[];
  recipeVersions: string;
  machine: Machine;
  /** Why not everything was done; absent where it was. */
  stoppedBy?: string;
}

export const REPLACED_GOAL_S = 10;
export const SCALE_OUT_GOAL_S = 15;

export function changesOf({ changes }: Pick<BrokersFigures, 'changes'>, name: ChangeName): BrokerChange[] {
  return changes.filter((change) => change.name === name);
}

function medianTenths(values: number[]): number | null {
  return values.length === 0 ? null : Math.round(distributionOf(values).median * 10) / 10;
}

/** The documented last line of `--json`; null where nothing was measured. */
export function brokersSummary(figures: BrokersFigures): object {
  const { losses, changes } = figures;
  const ours = sumOf([...losses.map((loss) => loss.ours), ...changes.map(({ felt }) => felt)]);
  return {
    failedIdempotent: losses.length + changes.length === 0 ? null : ours.failedIdempotent,
    recipeFailed: losses.length === 0 ? null : sumOf(losses.map(({ recipe }) => recipe)).failed,
    replacedMedianS: medianTenths(losses.map(({ replacedS }) => replacedS)),
    scaleOutMedianS: medianTenths(changesOf(figures, 'scale-out by two').map(({ tookS }) => tookS)),
  };
}

/** What the figures are held against; only what was measured. */
export function brokersGoals(figures: BrokersFigures): Goal[] {
  const { losses } = figures;
  const goals: Goal[] = [];
  if (losses.length > 0) {
    const [ours, recipe] = [sumOf(losses.map((loss) => loss.ours)), sumOf(losses.map((loss) => loss.recipe))];
    const median = distributionOf(losses.map(({ replacedS }) => replacedS)).median;
    goals.push(
      { words: `broker killed, no failed GET or PUT: ${ours.failedIdempotent} failed`, met: ours.failedIdempotent === 0 },
      { words: `fewer failures of all kinds than the recipe: ${ours.failed} to ${recipe.failed}`, met: ours.failed < recipe.failed },
      {
        words: `broker dead until a new one serves, median <= ${REPLACED_GOAL_S} s: ${median.toFixed(1)} s`,
        met: median <= REPLACED_GOAL_S,
      },
    );
  }
  for (const name of CHANGES) {
    const changes = changesOf(figures, name);
    const { failed } = sumOf(changes.map(({ felt }) => felt));
    if (changes.length > 0) goals.push({ words: `${name}, no failed request: ${failed} failed`, met: failed === 0 });
  }
  const scaleOuts = changesOf(figures, 'scale-out by two').map(({ tookS }) => tookS);
  if (scaleOuts.length > 0) {
    const { median } = distributionOf(scaleOuts);
    const words = `scale-out by two, from the message until both serve, median <= ${SCALE_OUT_GOAL_S} s: ${median.toFixed(1)} s`;
    goals.push({ words, met: median <= SCALE_OUT_GOAL_S });
  }
  return goals;
}

/** What makes the figures incomplete, in words. */
export function brokersWrongs({ stoppedBy }: BrokersFigures): string[] {
  return stoppedBy === undefined ? [] : [`stopped before the end: ${stoppedBy}`];
}
