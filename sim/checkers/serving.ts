/** Remembers since when and until when nodes served, as seen from outside once a second. Reports nothing. */
import { connects } from '../network';
import type { SimNode } from '../sim-node';
import type { SimWorld } from '../sim-world';

interface Seen {
  /** It has served at every look since then, ms. */
  sinceMs: number;
  lastMs: number;
}

/** What an onlooker notes of each node. */
export class ServingLog {
  private readonly seen = new Map<SimNode, Seen>();

  /** `isServing`: what counts as serving for whoever asks. */
  constructor(
    private readonly world: SimWorld,
    private readonly isServing: (node: SimNode) => boolean,
  ) {}

  look(): void {
    const { cloud, scheduler } = this.world;
    for (const node of cloud.nodes.values()) {
      if (node.fact.state === 'terminated') {
        this.seen.delete(node);
        continue;
      }
      const seen = this.seen.get(node);
      if (!this.isServing(node)) {
        if (seen) seen.sinceMs = Number.POSITIVE_INFINITY;
      } else if (seen) {
        seen.lastMs = scheduler.nowMs;
        seen.sinceMs = Math.min(seen.sinceMs, scheduler.nowMs);
      } else this.seen.set(node, { sinceMs: scheduler.nowMs, lastMs: scheduler.nowMs });
    }
  }

  /** It serves, and has done so for a while. */
  hasServedFor(node: SimNode, ms: number): boolean {
    return this.isServing(node) && this.world.scheduler.nowMs - (this.seen.get(node)?.sinceMs ?? Number.POSITIVE_INFINITY) >= ms;
  }

  /** It serves, or did so a moment ago. */
  servedWithin(node: SimNode, ms: number): boolean {
    return this.isServing(node) || this.world.scheduler.nowMs - (this.seen.get(node)?.lastMs ?? Number.NEGATIVE_INFINITY) <= ms;
  }
}

/** A balancer or broker that answers the control plane: one out of its reach can't be told from a dead one. */
export function answersControl({ cloud, faults }: SimWorld, node: SimNode): boolean {
  return cloud.isServing(node) && connects(faults.cuts, 'control', node);
}

/** A member that holds the set's data and is in touch with its primary, if there is one. */
export function holdsData({ cloud, faults, replicaSets }: SimWorld, node: SimNode): boolean {
  const state = node.member?.state;
  if ((state !== 'PRIMARY' && state !== 'SECONDARY') || !cloud.isServing(node)) return false;
  const primary = replicaSets.primaryOf(node.fact.cluster);
  return !primary || connects(faults.cuts, primary, node);
}
