/** Scenarios on single processes: HAProxy, keepalived, the broker's and the member's, killed or stopped while their machine goes on. */
import { ELECTED, UNFELT } from './bounds';
import { signal } from './hands';
import { toNode } from './on-nodes';
import type { Bounds, Scenario } from './scenario';
import { choose } from './victims';

// 5 s (policy.deadAfterS) until it counts as dead, a restart in place; where that does not help within 45 s, a replacement.
const RESTART_S = 120;

// keepalived asks HAProxy each second and gives up the lead; then as a hung machine, but the looks are refused at once.
const HOLDER_PROXY_KILLED: Bounds = { gapS: 7, disturbedS: 9, repairedS: RESTART_S };
// A stopped one answers nothing: the check waits 0.4 s twice, each look half a second.
const HOLDER_PROXY_STOPPED: Bounds = { gapS: 10, disturbedS: 12, repairedS: RESTART_S };
// HAProxy finds the closed port at once; one that is stopped costs two checks of 2 s, and requests it has swallowed.
const BROKER_KILLED: Bounds = { ...UNFELT, disturbedS: 4, repairedS: RESTART_S };
const BROKER_STOPPED: Bounds = { gapS: 2.5, disturbedS: 10, repairedS: RESTART_S };
// The old primary comes back as a secondary when it is restarted, or is replaced.
const PRIMARY_KILLED: Bounds = { ...ELECTED, repairedS: 150 };
const SECONDARY_KILLED: Bounds = { gapS: 4, disturbedS: 12, repairedS: 150 };
// Nothing of a client's goes through it.
const ASIDE: Bounds = { ...UNFELT, repairedS: RESTART_S };

export const PROCESS_SCENARIOS: readonly Scenario[] = [
  {
    name: 'broker-process-killed',
    does: "kill -KILL: a broker's process",
    bounds: BROKER_KILLED,
    act: toNode('broker', signal('KILL', 'role')),
  },
  {
    name: 'broker-process-stopped',
    does: "kill -STOP: a broker's process",
    bounds: BROKER_STOPPED,
    act: toNode('broker', signal('STOP', 'role')),
  },
  {
    name: 'holder-haproxy-killed',
    does: "kill -KILL: the holder's HAProxy",
    bounds: HOLDER_PROXY_KILLED,
    act: toNode('holder', signal('KILL', 'haproxy')),
  },
  {
    name: 'holder-haproxy-stopped',
    does: "kill -STOP: the holder's HAProxy",
    bounds: HOLDER_PROXY_STOPPED,
    act: toNode('holder', signal('STOP', 'haproxy')),
  },
  {
    name: 'standby-haproxy-killed',
    does: "kill -KILL: the other balancer's HAProxy",
    bounds: ASIDE,
    act: toNode('standby', signal('KILL', 'haproxy')),
  },
  {
    name: 'holder-keepalived-killed',
    does: "kill -KILL: the holder's keepalived; its HAProxy serves on, so the address stays",
    bounds: ASIDE,
    keepsNodes: true,
    act: async ({ status }) => signal('KILL', 'keepalived')(choose(status, 'holder')),
  },
  {
    name: 'standby-keepalived-killed',
    does: "kill -KILL: the other balancer's keepalived",
    bounds: ASIDE,
    keepsNodes: true,
    act: async ({ status }) => signal('KILL', 'keepalived')(choose(status, 'standby')),
  },
  {
    name: 'holder-keepalived-stopped',
    does: "kill -STOP: the holder's keepalived; the other one claims the address in vain",
    bounds: ASIDE,
    keepsNodes: true,
    act: async ({ status }) => signal('STOP', 'keepalived')(choose(status, 'holder')),
  },
  {
    name: 'primary-process-killed',
    does: "kill -KILL: the primary's process",
    bounds: PRIMARY_KILLED,
    act: toNode('primary', signal('KILL', 'role')),
  },
  {
    name: 'secondary-process-killed',
    does: "kill -KILL: a secondary's process",
    bounds: SECONDARY_KILLED,
    act: toNode('secondary', signal('KILL', 'role')),
  },
];
