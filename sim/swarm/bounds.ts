/** How long repairs may take, from policy, deployment and the time limits of the control plane. Watches no run. */

import type { Settings } from '../../lambdas/app/ports';
import { backoffMs } from '../../lambdas/core/plan/situation';
import { runningMaxMs, UNCLAIMED_MAX_MS } from '../../lambdas/core/settle';
import { addressCount, type ClusterSpec } from '../../lambdas/core/spec';

/** A node from launch to its first good answers: boot, packages, configuration, first looks; s. */
const COMES_UP_S = 150;
/** Steps of one member's replacement, each a command and a look: added, removed, vote raised, step-down and election; s. */
const MEMBER_STEPS_S = 90;
/** Two looks of the failover worker at two nodes that do not answer, queue and calls, s. */
const MOVE_S = 20;
const BUDGET_WINDOW_S = 600;
/** The longest rest after failures in a row. */
const REST_MAX_S = backoffMs(Number.POSITIVE_INFINITY) / 1000;
/** A command that never ends is given up after this. */
const GIVE_UP_S = runningMaxMs({ kind: 'applyConfig' }) / 1000;

function detectionS({ policy }: ClusterSpec, { tickEveryS }: Pick<Settings, 'tickEveryS'>): number {
  return Math.max(policy.deadAfterS, policy.deadAfterChecks * tickEveryS) + tickEveryS;
}

/** An address must be off a dead holder by then: while all is well, and where failures before left a job to give up and a rest. */
export function addressBoundMs(spec: ClusterSpec, settings: Settings, wasHampered: boolean): number {
  const calmS = detectionS(spec, settings) + spec.policy.healthyAfterChecks * settings.tickEveryS + MOVE_S;
  return (wasHampered ? calmS + GIVE_UP_S + REST_MAX_S : Math.max(calmS, 120)) * 1000;
}

/** Twins must be one by then; with the fleet's budget used up, one window later. */
export function twinsBoundMs(wasHampered: boolean): number {
  return (300 + (wasHampered ? GIVE_UP_S + REST_MAX_S + BUDGET_WINDOW_S : 0)) * 1000;
}

/**
 * From the end of all faults until everything is as it should be, s. Added up as if all nodes had to be replaced one after the other,
 * after the last job of before was given up and rested for, members each with a sync that never ends, within the fleet's budget.
 */
export function convergenceBoundS(spec: ClusterSpec, settings: Settings): number {
  const { lb, orion, mongo, policy } = spec;
  const nodes = lb.count + orion.count + mongo.count;
  const old = UNCLAIMED_MAX_MS / 1000 + REST_MAX_S;
  const each = policy.slotCooldownS + COMES_UP_S + (policy.restartsBeforeReplace > 0 ? 45 : 0);
  const members = mongo.count * (MEMBER_STEPS_S + policy.mongoCaughtUpForS) + policy.mongoSyncMaxS;
  // Given back one at a time, once its taker has been well for a while.
  const spread = addressCount(spec) > 1 ? lb.count * (policy.slotCooldownS + MOVE_S + detectionS(spec, settings)) : 0;
  const windows = Math.ceil((2 * nodes) / settings.terminationsPer10Min) * BUDGET_WINDOW_S;
  return detectionS(spec, settings) + old + nodes * each + members + spread + windows;
}
