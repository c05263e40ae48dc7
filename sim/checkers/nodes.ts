/** Checks nodes: one disruption at a time, a bounded number of terminations, one node a slot and incarnation, nobody else's touched. */
import type { SimNode } from '../sim-node';
import type { SimWorld } from '../sim-world';
import type { MakeChecker } from './checker';

/** Two nodes in service taken down closer together than this are one disruption too many, ms. */
const APART_MS = 2_000;
const TWINS_MAX_MS = 300_000;
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

/** A broker that no balancer names any more gets no requests, a mongod that is no member has no say: taking it down disrupts nobody. */
function isInService(world: SimWorld, node: SimNode): boolean {
  if (!world.cloud.isServing(node)) return false;
  if (node.fact.role === 'mongo') return isMember(world, node);
  if (node.fact.role !== 'orion') return true;
  const balancers = [...world.cloud.nodes.values()].filter((n) => n.fact.cluster === node.fact.cluster && world.cloud.isServing(n));
  return balancers.some(({ config }) => config?.role === 'lb' && config.brokers.some(({ ip }) => ip === node.fact.privateIp));
}

/** Nodes in service taken down by us close together. */
export const oneDisruptionAtATime: MakeChecker = (world, report) => {
  const last = new Map<string, { atMs: number; node: SimNode }>();
  const { cloud, scheduler } = world;
  cloud.listeners.push({
    terminating(node, byUs) {
      const { cluster, slot } = node.fact;
      if (!byUs || !isInService(world, node) || isBeingDeleted(world, cluster)) return;
      const before = last.get(cluster);
      if (before && scheduler.nowMs - before.atMs < APART_MS)
        report('two-disruptions', `${before.node.fact.slot} and ${slot} taken down within ${APART_MS / 1000} s, both in service`);
      last.set(cluster, { atMs: scheduler.nowMs, node });
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
      times.push(nowMs);
      const recent = times.filter((atMs) => nowMs - atMs < WINDOW_MS).length;
      const limit = 2 * world.settings.terminationsPer10Min;
      if (recent > limit) report('termination-budget', `${recent} terminations in ten minutes, ${limit} at most`);
    },
  });
  return { name: 'termination-budget' };
};

/** Two living nodes of one slot and incarnation, beyond the bound. */
export const oneNodeASlot: MakeChecker = ({ cloud, scheduler }, report) => {
  const since = new Map<string, number>();
  return {
    name: 'twins',
    look() {
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
        if (scheduler.nowMs - from > TWINS_MAX_MS) {
          report('twins', `${count} living nodes of ${key} for more than ${TWINS_MAX_MS / 1000} s`);
          since.set(key, Number.POSITIVE_INFINITY);
        }
      }
    },
  };
};

/** A node of a cluster this control plane does not know was taken down. */
export const foreignNodes: MakeChecker = (world, report) => {
  world.cloud.listeners.push({
    terminating(node, byUs) {
      const { cluster, instanceId } = node.fact;
      if (byUs && !world.state.rows.has(cluster) && !isBeingDeleted(world, cluster))
        report('foreign-node', `${instanceId} of ${cluster} was terminated, a cluster nobody asked for`);
    },
  });
  return { name: 'foreign-node' };
};
