/** Scenarios on the control plane: all AWS APIs gone while something dies, workers killed while they repair. */
import { LabError } from '../lab-error';
import { sleep } from '../run-command';
import { ELECTED, UNFELT } from './bounds';
import { kill } from './hands';
import { toNode } from './on-nodes';
import { killWorkersFor, withoutApis } from './plane-hands';
import type { Bounds, Scenario } from './scenario';
import type { Who } from './victims';

const GONE_MS = 15_000;
const GONE_S = GONE_MS / 1000;

// The schedule's next minute brings the next sweeps; then as ever. A member takes longer.
const AFTER_S = 120;
const AFTER_MEMBER_S = 180;

/** Takes all APIs away, kills a node a moment later, and gives them back. */
function diesWithoutApis(who: Who): Scenario['act'] {
  return async (stage) => {
    await withoutApis(GONE_MS, async () => {
      await sleep(1_000);
      await toNode(who, kill)(stage);
    });
    stage.repairCountsFromNow();
  };
}

/** Kills the functions' workers twice a second for a while, from just before a node is killed. */
function diesWithWorkers(who: Who): Scenario['act'] {
  return async (stage) => {
    const killing = killWorkersFor(8_000, 500);
    await sleep(500);
    await toNode(who, kill)(stage);
    if ((await killing) === 0) throw new LabError('no worker of a function was there to be killed');
  };
}

// A killed worker's message comes again after the queue's visibility (180 s; 360 s for provision), its job is free again after its lease
// (90 s) or planned anew when it ran for 180 s: in the worst case a repair begins that late.
const WORKERS: Bounds = { ...UNFELT, disturbedS: 4, repairedS: 300 };

export const PLANE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'apis-gone',
    does: `no AWS API answers for ${GONE_S} s and nothing dies`,
    // Nothing on the data path calls one.
    bounds: { ...UNFELT, repairedS: AFTER_S },
    keepsNodes: true,
    act: async ({ repairCountsFromNow }) => {
      await withoutApis(GONE_MS, async () => undefined);
      repairCountsFromNow();
    },
  },
  {
    name: 'apis-gone-standby-dies',
    does: `no AWS API answers for ${GONE_S} s, and the balancer without the address is killed`,
    bounds: { ...UNFELT, repairedS: AFTER_S },
    act: diesWithoutApis('standby'),
  },
  {
    name: 'apis-gone-broker-dies',
    does: `no AWS API answers for ${GONE_S} s, and a broker is killed`,
    // The balancers repeat on the other one, without the control plane.
    bounds: { ...UNFELT, disturbedS: 4, repairedS: AFTER_S },
    act: diesWithoutApis('broker'),
  },
  {
    name: 'apis-gone-primary-dies',
    does: `no AWS API answers for ${GONE_S} s, and the primary is killed`,
    // The replica set elects by itself, as ever.
    bounds: { ...ELECTED, repairedS: AFTER_MEMBER_S },
    act: diesWithoutApis('primary'),
  },
  {
    name: 'apis-gone-holder-dies',
    does: `no AWS API answers for ${GONE_S} s, and the balancer that holds the address is killed: only AWS can move it`,
    // The whole outage of the APIs; then a claim that waited, or EC2's word that the holder is gone, is acted upon.
    bounds: { gapS: GONE_S + 8, disturbedS: GONE_S + 10, repairedS: AFTER_S },
    act: diesWithoutApis('holder'),
  },
  {
    name: 'workers-killed-broker-dies',
    does: 'the functions are killed twice a second for 8 s, and a broker is killed',
    bounds: WORKERS,
    act: diesWithWorkers('broker'),
  },
  {
    name: 'workers-killed-holder-dies',
    does: 'the functions are killed twice a second for 8 s, and the balancer that holds the address is killed',
    // A claim may die with its worker; the first sweep that nobody kills sees the holder gone and plans the move.
    bounds: { ...WORKERS, gapS: 20, disturbedS: 22 },
    act: diesWithWorkers('holder'),
  },
];
