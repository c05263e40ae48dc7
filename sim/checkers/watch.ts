/** Sets the checkers on a world, looks once a virtual second, keeps what they report. */
import type { Client } from '../client';
import type { SimWorld } from '../sim-world';
import { addressOffHealthyHolder, addressOnDeadNode } from './addresses';
import { type Bounds, CALM_BOUNDS, type MakeChecker, type Violation } from './checker';
import { acknowledgedWrites, initiatedOnce, majorityKept } from './data';
import { noJobLost, nothingLeaks } from './jobs';
import {
  blindTermination,
  foreignNodes,
  needlessLaunch,
  needlessRestart,
  oneDisruptionAtATime,
  oneNodeASlot,
  terminationBudget,
} from './nodes';

const LOOK_MS = 1_000;

export const CHECKERS: readonly MakeChecker[] = [
  addressOnDeadNode,
  addressOffHealthyHolder,
  oneDisruptionAtATime,
  terminationBudget,
  oneNodeASlot,
  foreignNodes,
  needlessLaunch,
  needlessRestart,
  blindTermination,
  majorityKept,
  initiatedOnce,
  noJobLost,
  nothingLeaks,
];

export interface Watch {
  violations: Violation[];
  /** Runs the checks of the end. */
  end(): void;
}

/** Starts watching. */
export function watch(world: SimWorld, clients: readonly Client[] = [], bounds: Bounds = CALM_BOUNDS): Watch {
  const violations: Violation[] = [];
  const report = (checker: string, text: string) => void violations.push({ atMs: world.scheduler.nowMs, checker, text });
  const checkers = [...CHECKERS, ...clients.map(acknowledgedWrites)].map((make) => make(world, report, bounds));
  const look = () => {
    for (const checker of checkers) checker.look?.();
    world.scheduler.after(LOOK_MS, look);
  };
  world.scheduler.after(LOOK_MS, look);
  return {
    violations,
    end: () => {
      for (const checker of checkers) checker.end?.();
    },
  };
}
