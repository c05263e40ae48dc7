/** Checks addresses: not left on a dead balancer while another lives, never taken off one that serves. */
import { connects } from '../network';
import type { SimWorld } from '../sim-world';
import type { MakeChecker } from './checker';
import { answersControl, ServingLog } from './serving';

/** A holder that came back later than this before the move may have answered neither of the two looks, ms. */
const CAME_BACK_MS = 3_000;

/** An address on a balancer that serves nobody, while another of the cluster serves, beyond the bound. */
export const addressOnDeadNode: MakeChecker = (world, report, bounds) => {
  const { cloud, scheduler } = world;
  const since = new Map<string, number>();
  return {
    name: 'address-on-dead-node',
    look() {
      if (bounds.isExcused) {
        since.clear();
        return;
      }
      for (const { allocationId, publicIp, cluster, holder } of cloud.addresses.values()) {
        const node = cloud.nodes.get(holder ?? '');
        const sinceMs = since.get(allocationId);
        if (!holder || (node && cloud.isServing(node)) || !hasAnother(world, cluster, holder)) since.delete(allocationId);
        else if (sinceMs === undefined) since.set(allocationId, scheduler.nowMs);
        else if (scheduler.nowMs - sinceMs > bounds.addressOnDeadMs) {
          const forS = Math.round(bounds.addressOnDeadMs / 1000);
          report('address-on-dead-node', `${publicIp} stays on ${holder}, which serves nobody, for more than ${forS} s`);
          since.set(allocationId, Number.POSITIVE_INFINITY);
        }
      }
    },
  };
};

function hasAnother(world: SimWorld, cluster: string, holder: string): boolean {
  for (const node of world.cloud.nodes.values()) {
    const { fact } = node;
    if (fact.role === 'lb' && fact.cluster === cluster && fact.instanceId !== holder && answersControl(world, node)) return true;
  }
  return false;
}

/** An address taken off a balancer that serves and can be seen to serve. */
export const addressOffHealthyHolder: MakeChecker = (world, report) => {
  const { cloud, faults } = world;
  const log = new ServingLog(world, (node) => cloud.isServing(node) && connects(faults.cuts, 'control', node));
  cloud.listeners.push({
    associating(address, to) {
      const holder = cloud.nodes.get(address.holder ?? '');
      if (holder && holder !== to && log.hasServedFor(holder, CAME_BACK_MS))
        report(
          'address-off-healthy-holder',
          `${address.publicIp} taken off ${holder.fact.slot} (${holder.fact.instanceId}), which serves, for ${to.fact.slot}`,
        );
    },
  });
  return { name: 'address-off-healthy-holder', look: () => log.look() };
};
