/** Checks nodes: one disruption at a time, a bounded number of terminations, one node a slot and incarnation, nobody else's touched. */
import { isService } from '../../lambdas/core/names';
import { namesServer } from '../../lambdas/core/node-config';
import type { SimNode } from '../sim-node';
import type { SimWorld } from '../sim-world';
import type { MakeChecker } from './checker';
import { answersControl, holdsData, ServingLog } from './serving';

/** Two nodes in service taken down closer together than this are one disruption too many, ms. */
const APART_MS = 2_000;
/** Steps that run as commands, one planned after the other has ended, are further apart than this: the end is seen a second later at best, ms. */
const STEPS_APART_MS = 500;
const WINDOW_MS = 600_000;

function isBeingDeleted(world: SimWorld, cluster: string): boolean {
  return world.deleted.has(cluster);
}

/** By the primary's word: a member that was removed may not have heard of it yet, and still calls itself SECONDARY. */
function isMember(world: SimWorld, { fact, member }: SimNode): boolean {
  if (member?.state !== 'PRIMARY' && member?.state !== 'SECONDARY') return false;
  const config = world.replicaSets.primaryOf(fact.cluster)?.member?.config;
  return !config || config.members.some(({ host }) => host === member.host);
}

/**
 * Balancers that clients come through, and those in reserve: without an address one is that while no successor of it serves, and where
 * the spec wants more balancers than have one.
 */
function balancersInService({ cloud, state }: SimWorld, cluster: string): SimNode[] {
  const serving = [...cloud.nodes.values()]
    .filter(({ fact }) => fact.cluster === cluster && fact.role === 'lb')
    .filter(cloud.isServing, cloud);
  const holders = new Set([...cloud.addresses.values()].map(({ holder }) => holder));
  const isFollowed = ({ fact }: SimNode) => serving.some((n) => n.fact.slot === fact.slot && n.fact.incarnation > fact.incarnation);
  const holding = serving.filter(({ fact }) => holders.has(fact.instanceId));
  // One that came back fills its slot with the address it holds, and its successor is nobody's reserve.
  const isDoubled = ({ fact }: SimNode) => holding.some((n) => n.fact.slot === fact.slot);
  const isReserved = holding.length < (state.rows.get(cluster)?.spec.lb.count ?? 0);
  return serving.filter((node) => holding.includes(node) || (isReserved && !isFollowed(node) && !isDoubled(node)));
}

/** A service that no balancer names any more gets no requests, a mongod that is no member has no say: taking it down disrupts nobody. */
function isInService(world: SimWorld, node: SimNode): boolean {
  if (!world.cloud.isServing(node)) return false;
  const { role, cluster, privateIp = '' } = node.fact;
  if (role === 'mongo') return isMember(world, node);
  const balancers = balancersInService(world, cluster);
  return isService(role)
    ? balancers.some(({ config }) => config?.role === 'lb' && namesServer(config, privateIp))
    : balancers.includes(node);
}

/** What took something out of service, and when. */
interface Disruption {
  atMs: number;
  what: string;
}

/** Nodes in service taken down, restarted or voted out by us close together; brokers and balancers restart one at a time a role. */
export const oneDisruptionAtATime: MakeChecker = (world, report) => {
  const last = new Map<string, Disruption>();
  const { cloud, scheduler } = world;
  const note = (scope: string, what: string, apartMs: number): void => {
    const before = last.get(scope);
    const { nowMs: atMs } = scheduler;
    if (before && atMs - before.atMs < apartMs)
      report('two-disruptions', `${before.what} and ${what} within ${apartMs} ms, both in service`);
    last.set(scope, { atMs, what });
  };
  cloud.listeners.push({
    terminating(node, byUs) {
      const { cluster, slot } = node.fact;
      if (!byUs || !isInService(world, node) || isBeingDeleted(world, cluster)) return;
      note(cluster, `${slot} terminated`, APART_MS);
    },
    restarting({ fact }) {
      if (fact.role === 'mongo') note(fact.cluster, `${fact.slot} restarted`, STEPS_APART_MS);
      else note(`${fact.cluster} ${fact.role}`, `${fact.slot} restarted`, STEPS_APART_MS);
    },
    reconfigured({ fact }, before, after) {
      const isOut = (host: string) => !after.members.some((member) => member.host === host);
      for (const { host, votes } of before.members) {
        const node = cloud.byIp(host.split(':')[0] ?? '');
        if (votes && isOut(host) && node && cloud.isServing(node)) note(fact.cluster, `${node.fact.slot} voted out`, STEPS_APART_MS);
      }
    },
  });
  return { name: 'two-disruptions' };
};

/** More terminations than the fleet's budget allows in any ten minutes; the budget counts in windows, so two of them may meet. */
export const terminationBudget: MakeChecker = (world, report) => {
  const times: number[] = [];
  world.cloud.listeners.push({
    terminating(node, byUs) {
      if (!byUs || isBeingDeleted(world, node.fact.cluster)) return;
      const { nowMs } = world.scheduler;
      // Workers whose clocks differ see a window end at different moments.
      const windowMs = WINDOW_MS - 2 * world.faults.skewMaxMs;
      times.push(nowMs);
      const recent = times.filter((atMs) => nowMs - atMs < windowMs).length;
      const limit = 2 * world.settings.terminationsPer10Min;
      if (recent > limit) report('termination-budget', `${recent} terminations in ten minutes, ${limit} at most`);
    },
  });
  return { name: 'termination-budget' };
};

/** Two living nodes of one slot and incarnation, beyond the bound. */
export const oneNodeASlot: MakeChecker = ({ cloud, scheduler }, report, bounds) => {
  const since = new Map<string, number>();
  return {
    name: 'twins',
    look() {
      if (bounds.isExcused) {
        since.clear();
        return;
      }
      const counts = new Map<string, number>();
      for (const { fact } of cloud.nodes.values()) {
        const key = `${fact.cluster}/${fact.slot}/${fact.incarnation}`;
        if (fact.state !== 'terminated') counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      for (const key of [...since.keys()]) if ((counts.get(key) ?? 0) < 2) since.delete(key);
      for (const [key, count] of counts) {
        if (count < 2) continue;
        const from = since.get(key) ?? scheduler.nowMs;
        since.set(key, from);
        if (scheduler.nowMs - from > bounds.twinsMs) {
          report('twins', `${count} living nodes of ${key} for more than ${Math.round(bounds.twinsMs / 1000)} s`);
          since.set(key, Number.POSITIVE_INFINITY);
        }
      }
    },
  };
};

/** A node or address of a cluster this control plane does not know was touched. */
export const foreignNodes: MakeChecker = (world, report) => {
  const check = (cluster: string, what: string): void => {
    if (!world.state.rows.has(cluster) && !isBeingDeleted(world, cluster))
      report('foreign-node', `${what} of ${cluster}, a cluster nobody asked for`);
  };
  world.cloud.listeners.push({
    terminating({ fact }, byUs) {
      if (byUs) check(fact.cluster, `${fact.instanceId} was terminated: a node`);
    },
    commanding: ({ fact }) => check(fact.cluster, `a command ran on ${fact.instanceId}, a node`),
    associating({ cluster, publicIp }, { fact }) {
      check(cluster, `${publicIp} was moved: an address`);
      if (fact.cluster !== cluster) report('foreign-node', `${publicIp} of ${cluster} was given to ${fact.instanceId} of ${fact.cluster}`);
    },
    releasing: ({ cluster, publicIp }) => check(cluster, `${publicIp} was released: an address`),
  });
  return { name: 'foreign-node' };
};

/** A slot's node that has answered for so long needs no successor, whatever was planned before, ms. */
const WELL_FOR_MS = 240_000;

/** A node launched for a slot whose newest node has been well, and in sight, for long. */
export const needlessLaunch: MakeChecker = (world, report) => {
  const isWell = (node: SimNode) => answersControl(world, node) && !node.diskFull && (node.fact.role !== 'mongo' || holdsData(world, node));
  const log = new ServingLog(world, isWell);
  world.cloud.listeners.push({
    launched(node) {
      const { cluster, slot, instanceId } = node.fact;
      // A node that has a successor already is on its way out, however well it is: it came back too late.
      let newest: SimNode | undefined;
      for (const other of world.cloud.nodes.values()) {
        const { fact } = other;
        if (other === node || fact.cluster !== cluster || fact.slot !== slot) continue;
        if (!newest || fact.incarnation > newest.fact.incarnation) newest = other;
      }
      if (newest && log.hasServedFor(newest, WELL_FOR_MS))
        report('needless-launch', `${instanceId} launched for ${slot}, whose node ${newest.fact.instanceId} has been well for long`);
    },
  });
  return { name: 'needless-launch', look: () => log.look() };
};

/** A restart ordered of a process, as dead, whose node has been well, and in sight, for long. */
export const needlessRestart: MakeChecker = (world, report) => {
  const log = new ServingLog(world, (node) => answersControl(world, node));
  world.cloud.listeners.push({
    restartOrdered(node) {
      const { slot, instanceId } = node.fact;
      if (log.hasServedFor(node, WELL_FOR_MS))
        report('needless-restart', `${slot} (${instanceId}) was to be restarted as dead, and has been well for long`);
    },
  });
  return { name: 'needless-restart', look: () => log.look() };
};

/** So many nodes out of the control plane's sight for so long that it must doubt itself; above any breaker a policy sets. */
const BLIND_SHARE = 0.7;
const BLIND_FOR_MS = 60_000;

/** A node that serves taken down out of sight, while nearly all are out of sight. */
export const blindTermination: MakeChecker = (world, report) => {
  const blindSince = new Map<string, number>();
  const { cloud, scheduler } = world;
  cloud.listeners.push({
    terminating(node, byUs) {
      const { cluster, slot, instanceId } = node.fact;
      const sinceMs = blindSince.get(cluster) ?? scheduler.nowMs;
      if (!byUs || isBeingDeleted(world, cluster) || scheduler.nowMs - sinceMs < BLIND_FOR_MS) return;
      if (cloud.isServing(node) && !answersControl(world, node))
        report('blind-termination', `${slot} (${instanceId}) serves and was terminated, while hardly any node could be seen`);
    },
  });
  return {
    name: 'blind-termination',
    look() {
      const counts = new Map<string, { serving: number; unseen: number }>();
      for (const node of cloud.nodes.values()) {
        if (!cloud.isServing(node)) continue;
        const count = counts.get(node.fact.cluster) ?? { serving: 0, unseen: 0 };
        count.serving++;
        if (!answersControl(world, node)) count.unseen++;
        counts.set(node.fact.cluster, count);
      }
      for (const [cluster, { serving, unseen }] of counts) {
        if (unseen <= serving * BLIND_SHARE) blindSince.delete(cluster);
        else if (!blindSince.has(cluster)) blindSince.set(cluster, scheduler.nowMs);
      }
    },
  };
};
