/** Checks addresses: not left on a dead balancer while another lives, never taken off one that serves. */
import type { AddressFact } from '../../lambdas/core/facts';
import type { SimNode } from '../sim-node';
import type { SimWorld } from '../sim-world';
import type { MakeChecker } from './checker';
import { answersControl, ServingLog } from './serving';

/** A holder that came back later than this before the move may have answered neither of the two looks, ms. */
const CAME_BACK_MS = 3_000;
/** A holder that takes longer for its answer counts as dead when its peer claims the address, ms: the failover worker waits 500, the way included. */
const PATIENCE_MS = 490;

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

/** Two addresses given closer together than this are not one at a time, ms. */
const GIFTS_APART_MS = 10_000;
/** A planned move may wait for its worker so long, ms. */
const MOVE_MAX_MS = 600_000;

/**
 * When clusters were active/active last, by their stored specs, looked at once a second. A request that was cut short may have left a
 * cluster whose spec its row alone knows.
 */
class ActiveLog {
  private readonly lastMs = new Map<string, number>();
  private readonly modes = new Map<string, { text: string; mode: unknown }>();

  constructor(private readonly world: SimWorld) {}

  private modeOf(cluster: string, text: string): unknown {
    const known = this.modes.get(cluster);
    if (known?.text === text) return known.mode;
    const { mode } = (JSON.parse(text) as { entry?: { mode?: unknown } }).entry ?? {};
    this.modes.set(cluster, { text, mode });
    return mode;
  }

  look(): void {
    const { state, scheduler } = this.world;
    for (const [cluster, row] of state.rows) {
      const text = state.specs.get(cluster)?.text;
      const mode = text === undefined ? row.spec.entry.mode : this.modeOf(cluster, text);
      if (mode === 'active-active') this.lastMs.set(cluster, scheduler.nowMs);
    }
  }

  /** Also a moment ago counts: a move planned then may end later. */
  wasActive(cluster: string): boolean {
    this.look();
    return this.world.scheduler.nowMs - (this.lastMs.get(cluster) ?? Number.NEGATIVE_INFINITY) < MOVE_MAX_MS;
  }
}

/** Whether a later node of a balancer's slot serves, and holds an address: it came back too late. */
function isFollowed({ cloud }: SimWorld, { fact }: SimNode): boolean {
  return [...cloud.addresses.values()].some(({ holder }) => {
    const node = cloud.nodes.get(holder ?? '');
    return (
      node?.fact.slot === fact.slot &&
      node.fact.cluster === fact.cluster &&
      node.fact.incarnation > fact.incarnation &&
      cloud.isServing(node)
    );
  });
}

/**
 * Why an address may not leave a holder that serves. The one way it may: in an active/active cluster, for another balancer that serves
 * and holds none, while the holder keeps one or is followed by one that has one, and no other address went that way a moment ago.
 */
function whyNoGift(world: SimWorld, { allocationId, holder }: AddressFact, to: SimNode, lastMs: number): string | undefined {
  const heldBy = (id: string | undefined) =>
    [...world.cloud.addresses.values()].filter((other) => other.allocationId !== allocationId && other.holder === id).length;
  const from = world.cloud.nodes.get(holder ?? '');
  if (heldBy(holder) === 0 && !(from && isFollowed(world, from))) return 'its holder keeps none';
  if (heldBy(to.fact.instanceId) > 0) return 'the taker has one';
  if (!world.cloud.isServing(to)) return 'the taker does not serve';
  return world.scheduler.nowMs - lastMs < GIFTS_APART_MS ? 'another one was given a moment ago' : undefined;
}

/** An address taken off a balancer that serves and can be seen to serve, but for the one way it may leave. */
export const addressOffHealthyHolder: MakeChecker = (world, report) => {
  const { cloud, scheduler } = world;
  const log = new ServingLog(world, (node) => answersControl(world, node) && (node.slowMs ?? 0) < PATIENCE_MS);
  const lastGiftMs = new Map<string, number>();
  const modes = new ActiveLog(world);
  const name = 'address-off-healthy-holder';
  cloud.listeners.push({
    associating(address, to) {
      const { cluster, holder, publicIp } = address;
      const from = cloud.nodes.get(holder ?? '');
      if (!from || from === to || !log.hasServedFor(from, CAME_BACK_MS)) return;
      const lastMs = lastGiftMs.get(cluster) ?? Number.NEGATIVE_INFINITY;
      const why = modes.wasActive(cluster) ? whyNoGift(world, address, to, lastMs) : 'the cluster is not active/active';
      lastGiftMs.set(cluster, scheduler.nowMs);
      if (why) report(name, `${publicIp} taken off ${from.fact.slot} (${holder}), which serves, for ${to.fact.slot}: ${why}`);
    },
    displacing({ publicIp, holder, privateIp }, by) {
      report(name, `${publicIp} fell off ${holder}, because ${by.publicIp} was led to ${privateIp} as well`);
    },
  });
  return {
    name,
    look() {
      log.look();
      modes.look();
    },
  };
};
