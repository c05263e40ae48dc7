/** Checks addresses: not left on a dead balancer while another lives, never taken off one that serves. */
import type { MakeChecker } from './checker';

/** Longer than detection, proof and move together may take, ms. */
const ON_DEAD_MAX_MS = 120_000;

/** An address on a balancer that serves nobody, while another of the cluster serves, beyond the bound. */
export const addressOnDeadNode: MakeChecker = ({ cloud, scheduler }, report) => {
  const since = new Map<string, number>();
  return {
    name: 'address-on-dead-node',
    look() {
      for (const { allocationId, publicIp, cluster, holder } of cloud.addresses.values()) {
        const node = cloud.nodes.get(holder ?? '');
        const other = [...cloud.nodes.values()].some(
          (n) => n.fact.cluster === cluster && n.fact.role === 'lb' && n !== node && cloud.isServing(n),
        );
        if (!holder || (node && cloud.isServing(node)) || !other) since.delete(allocationId);
        else if (!since.has(allocationId)) since.set(allocationId, scheduler.nowMs);
        else if (scheduler.nowMs - (since.get(allocationId) ?? 0) > ON_DEAD_MAX_MS) {
          report('address-on-dead-node', `${publicIp} stays on ${holder}, which serves nobody, for more than ${ON_DEAD_MAX_MS / 1000} s`);
          since.set(allocationId, Number.POSITIVE_INFINITY);
        }
      }
    },
  };
};

/** An address taken off a balancer that serves. */
export const addressOffHealthyHolder: MakeChecker = ({ cloud }, report) => {
  cloud.listeners.push({
    associating(address, to) {
      const holder = cloud.nodes.get(address.holder ?? '');
      if (holder && holder !== to && cloud.isServing(holder))
        report(
          'address-off-healthy-holder',
          `${address.publicIp} taken off ${holder.fact.slot} (${holder.fact.instanceId}), which serves, for ${to.fact.slot}`,
        );
    },
  });
  return { name: 'address-off-healthy-holder' };
};
