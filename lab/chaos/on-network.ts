/** Scenarios on the network between the tiers, cut with iptables in the containers and healed again. */
import { PORT } from '../../lambdas/core/names';
import { sleep } from '../run-command';
import { ELECTED, UNFELT } from './bounds';
import { type Cut, cutOff, healAll } from './hands';
import type { Scenario, Stage, Victim } from './scenario';
import { choose, nodesOf, nodesOfRole } from './victims';

const ipsOf = (nodes: readonly Victim[]): string[] => nodes.map(({ privateIp }) => privateIp);

/** Cuts for a while and heals. */
function cutFor(forMs: number, cuts: (stage: Stage) => Cut[]): Scenario['act'] {
  return async (stage) => {
    try {
      await cutOff(cuts(stage));
      await sleep(forMs);
    } finally {
      await healAll(nodesOf(stage.status));
      stage.repairCountsFromNow();
    }
  };
}

// HAProxy, MongoDB's driver and the checks notice within a few seconds that a link is back; two good checks make a node healthy.
const BACK_S = 30;

const CUT_MS = 8_000;
const CUT_S = CUT_MS / 1000;

export const NETWORK_SCENARIOS: readonly Scenario[] = [
  {
    name: 'balancers-deaf',
    does: 'VRRP is dropped at both balancers for 15 s: both are healthy, so the address stays',
    // Nothing of a client's is dropped.
    bounds: { ...UNFELT, repairedS: BACK_S },
    keepsNodes: true,
    act: cutFor(15_000, ({ status }) => nodesOfRole(status, 'lb').map((node) => ({ node }))),
  },
  {
    name: 'one-broker-cut-from-balancers',
    does: `a broker and both balancers are cut from each other for ${CUT_S} s; the checks still see it well`,
    // As a hung broker, until HAProxy's second check of 2 s.
    bounds: { gapS: 2.5, disturbedS: 10, repairedS: BACK_S },
    keepsNodes: true,
    act: cutFor(CUT_MS, ({ status }) => [{ node: choose(status, 'broker'), from: ipsOf(nodesOfRole(status, 'lb')) }]),
  },
  {
    name: 'balancers-cut-from-brokers',
    does: `both balancers and all brokers are cut from each other for ${CUT_S} s; nobody is dead, nothing may be replaced`,
    // The cut itself, and then two good checks of HAProxy's a second apart.
    bounds: { gapS: CUT_S + 5, disturbedS: CUT_S + 7, repairedS: BACK_S },
    keepsNodes: true,
    act: cutFor(CUT_MS, ({ status }) => nodesOfRole(status, 'lb').map((node) => ({ node, from: ipsOf(nodesOfRole(status, 'orion')) }))),
  },
  {
    name: 'holder-cut-from-brokers',
    does: `the balancer that holds the address is cut off from all brokers for ${CUT_S} s; it answers the checks, so the address stays`,
    // A known limit: only a holder that is dead or hung loses the address, so this lasts as long as the cut.
    bounds: { gapS: CUT_S + 5, disturbedS: CUT_S + 7, repairedS: BACK_S },
    keepsNodes: true,
    act: cutFor(CUT_MS, ({ status }) => [{ node: choose(status, 'holder'), from: ipsOf(nodesOfRole(status, 'orion')) }]),
  },
  {
    name: 'one-broker-cut-from-database',
    does: `a broker and the replica set are cut from each other for ${CUT_S} s; no broker is to blame for its database`,
    // HAProxy asks for an entity, so it sees it: two failed checks of 2 s.
    bounds: { gapS: 2.5, disturbedS: 10, repairedS: BACK_S },
    keepsNodes: true,
    act: cutFor(CUT_MS, ({ status }) => [{ node: choose(status, 'broker'), from: ipsOf(nodesOfRole(status, 'mongo')) }]),
  },
  {
    name: 'brokers-cut-from-database',
    does: `all brokers and the replica set are cut from each other for ${CUT_S} s`,
    // The cut itself, and until the brokers' drivers have found the primary again (they look every 2 s, connect within 2 s).
    bounds: { gapS: CUT_S + 8, disturbedS: CUT_S + 10, repairedS: BACK_S },
    keepsNodes: true,
    act: cutFor(CUT_MS, ({ status }) => nodesOfRole(status, 'orion').map((node) => ({ node, from: ipsOf(nodesOfRole(status, 'mongo')) }))),
  },
  {
    name: 'primary-cut-from-members',
    does: 'the primary and the other members are cut from each other for 20 s; brokers reach all of them',
    // Nothing that it takes is acknowledged; it steps down after 10 s, and the others elect one.
    bounds: { ...ELECTED, repairedS: 60 },
    keepsNodes: true,
    act: cutFor(20_000, ({ status }) => {
      const primary = choose(status, 'primary');
      const others = nodesOfRole(status, 'mongo').filter(({ slot }) => slot !== primary.slot);
      return [{ node: primary, from: ipsOf(others) }];
    }),
  },
  {
    name: 'secondary-cut-from-members',
    does: `a secondary and the other members are cut from each other for ${CUT_S} s`,
    // Two of three acknowledge.
    bounds: { gapS: 2, disturbedS: 4, repairedS: BACK_S },
    keepsNodes: true,
    act: cutFor(CUT_MS, ({ status }) => {
      const secondary = choose(status, 'secondary');
      const others = nodesOfRole(status, 'mongo').filter(({ slot }) => slot !== secondary.slot);
      return [{ node: secondary, from: ipsOf(others) }];
    }),
  },
  {
    name: 'checks-blind',
    does: "the control plane's probes reach no node for 20 s while clients are served: the observer is the likelier patient",
    // Nothing of a client's is dropped; the breaker is open, so nobody is taken down.
    bounds: { ...UNFELT, repairedS: BACK_S },
    keepsNodes: true,
    act: cutFor(20_000, ({ status, gateway }) => {
      const portOf: Record<string, number> = { lb: PORT.admin, orion: PORT.orion, mongo: PORT.mongo };
      return nodesOf(status).map((node) => ({ node, from: [gateway], port: portOf[node.role] ?? PORT.admin }));
    }),
  },
];
