/** Scenarios on whole machines: each role killed, hung and shut down; a hang too short to die of. */
import { freezeInstance, thaw } from '../frozen';
import { sleep } from '../run-command';
import { ELECTED, UNFELT } from './bounds';
import { type Hand, kill, pause, stop } from './hands';
import type { Bounds, Scenario, Stage } from './scenario';
import { choose, type Who } from './victims';

/** Does something to one node for good. */
export function toNode(who: Who, hand: Hand): Scenario['act'] {
  return async ({ status, harms }: Stage) => {
    const victim = choose(status, who);
    harms(victim.instanceId);
    await hand(victim);
  };
}

// A repair is a launch, a boot and a configuration: 5 to 10 s in the lab, four times that on a machine with other work. A member also
// copies, catches up for 3 s, takes the dead one's place in two reconfigs, and brokers may be told of new seeds: about 40 s.
// Where a machine hangs, 5 s (policy.deadAfterS) pass first, and a restart is tried for up to 45 s before its replacement.
const STATELESS_S = 45;
const STATELESS_HUNG_S = 120;
const MEMBER_S = 120;
const MEMBER_HUNG_S = 150;

// The balancers repeat what is repeatable on the other broker; a POST under way is lost. Both may be down to one broker's speed.
const BROKER_GONE: Bounds = { ...UNFELT, disturbedS: 4, repairedS: STATELESS_S };
// Its check takes 2 s to fail and does so twice, a second apart at most; requests that it has swallowed fail 2 s later.
const BROKER_HUNG: Bounds = { gapS: 2.5, disturbedS: 10, repairedS: STATELESS_HUNG_S };
// Three advertisements of 0.3 s and two looks by the failover worker: 1.2 s. A claim may be lost: then the next tick's check moves it, 4 s.
const HOLDER_GONE: Bounds = { gapS: 6, disturbedS: 8, repairedS: STATELESS_S };
// The same, and each look waits half a second for the hung one. A lost claim costs 5 s (deadAfterS) and a tick.
const HOLDER_HUNG: Bounds = { gapS: 10, disturbedS: 12, repairedS: STATELESS_HUNG_S };
// Nobody's request goes through it.
const STANDBY_GONE: Bounds = { ...UNFELT, repairedS: STATELESS_S };
const STANDBY_HUNG: Bounds = { ...STANDBY_GONE, repairedS: STATELESS_HUNG_S };
// The brokers' clients don't use it.
const AGENT_GONE: Bounds = { ...UNFELT, repairedS: STATELESS_S };
const AGENT_HUNG: Bounds = { ...AGENT_GONE, repairedS: STATELESS_HUNG_S };
const PRIMARY_GONE: Bounds = { ...ELECTED, repairedS: MEMBER_S };
// Requests hang on the old primary's open connections until the broker finds out that it is silent.
const PRIMARY_HUNG: Bounds = { gapS: 28, disturbedS: 40, repairedS: MEMBER_HUNG_S };
// Two of three acknowledge. The brokers may restart in turn (see ELECTED).
const SECONDARY_GONE: Bounds = { gapS: 4, disturbedS: 12, repairedS: MEMBER_S };
const SECONDARY_HUNG: Bounds = { ...SECONDARY_GONE, repairedS: MEMBER_HUNG_S };

const BRIEF_MS = 3_000;

export const NODE_SCENARIOS: readonly Scenario[] = [
  { name: 'broker-killed', does: 'docker kill: a broker', bounds: BROKER_GONE, act: toNode('broker', kill) },
  { name: 'broker-hung', does: 'docker pause: a broker', bounds: BROKER_HUNG, act: toNode('broker', pause) },
  { name: 'broker-stopped', does: 'docker stop: a broker', bounds: BROKER_GONE, act: toNode('broker', stop) },
  { name: 'holder-killed', does: 'docker kill: the balancer that holds the address', bounds: HOLDER_GONE, act: toNode('holder', kill) },
  { name: 'holder-hung', does: 'docker pause: the balancer that holds the address', bounds: HOLDER_HUNG, act: toNode('holder', pause) },
  { name: 'holder-stopped', does: 'docker stop: the balancer that holds the address', bounds: HOLDER_GONE, act: toNode('holder', stop) },
  { name: 'standby-killed', does: 'docker kill: the other balancer', bounds: STANDBY_GONE, act: toNode('standby', kill) },
  { name: 'standby-hung', does: 'docker pause: the other balancer', bounds: STANDBY_HUNG, act: toNode('standby', pause) },
  { name: 'standby-stopped', does: 'docker stop: the other balancer', bounds: STANDBY_GONE, act: toNode('standby', stop) },
  { name: 'primary-killed', does: 'docker kill: the MongoDB primary', bounds: PRIMARY_GONE, act: toNode('primary', kill) },
  { name: 'primary-hung', does: 'docker pause: the MongoDB primary', bounds: PRIMARY_HUNG, act: toNode('primary', pause) },
  { name: 'primary-stopped', does: 'docker stop: the MongoDB primary', bounds: PRIMARY_GONE, act: toNode('primary', stop) },
  { name: 'secondary-killed', does: 'docker kill: a MongoDB secondary', bounds: SECONDARY_GONE, act: toNode('secondary', kill) },
  { name: 'secondary-hung', does: 'docker pause: a MongoDB secondary', bounds: SECONDARY_HUNG, act: toNode('secondary', pause) },
  { name: 'secondary-stopped', does: 'docker stop: a MongoDB secondary', bounds: SECONDARY_GONE, act: toNode('secondary', stop) },
  { name: 'agent-killed', does: 'docker kill: an IoT agent', bounds: AGENT_GONE, act: toNode('agent', kill) },
  { name: 'agent-hung', does: 'docker pause: an IoT agent', bounds: AGENT_HUNG, act: toNode('agent', pause) },
  { name: 'agent-stopped', does: 'docker stop: an IoT agent', bounds: AGENT_GONE, act: toNode('agent', stop) },
  {
    name: 'primary-hung-briefly',
    does: `docker pause of the primary for ${BRIEF_MS / 1000} s: shorter than an election timeout`,
    // As long as it hangs; the brokers' drivers may have given it up by then and look again every 2 s, with 2 s for an answer. Nobody is
    // elected, and nobody is called dead before 5 s.
    bounds: { gapS: BRIEF_MS / 1000 + 5, disturbedS: BRIEF_MS / 1000 + 6, repairedS: 20 },
    keepsNodes: true,
    act: async ({ status, repairCountsFromNow }) => {
      const container = await freezeInstance(choose(status, 'primary').instanceId);
      await sleep(BRIEF_MS);
      await thaw(container);
      repairCountsFromNow();
    },
  },
  {
    name: 'two-roles-killed',
    does: 'docker kill: a broker and a secondary in the same moment',
    // The worse of both, and what disrupts is done one after the other.
    bounds: { gapS: 5, disturbedS: 15, repairedS: MEMBER_S + STATELESS_S },
    act: async (stage) => {
      for (const who of ['broker', 'secondary'] as const) await toNode(who, kill)(stage);
    },
  },
];
