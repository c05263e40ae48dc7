/** keepalived on simulated balancers: misses a silent peer, and claims the address then. Its word is a claim; it moves nothing. */
import { carries } from './network';
import { between, type Random } from './random';
import type { SimNode } from './sim-node';
import type { SimWorld } from './sim-world';

/** VRRP's skew at priority 100, as a share of the interval. */
const SKEW = (256 - 100) / 256;
/** From the state change to the queue, ms: script, metadata, signature. */
const NOTIFY_MS: [number, number] = [40, 150];
/** HAProxy is asked once a second; two questions without an answer are its end, ms. */
const CHECK_MS: [number, number] = [100, 1_800];

export class Keepalived {
  /** By balancer: when it heard its peer last, ms; `MASTER` once it took the lead. */
  private readonly heard = new Map<string, number | 'MASTER'>();
  private readonly random: Random;

  constructor(
    private readonly world: SimWorld,
    random: Random,
  ) {
    this.random = random;
    this.listen();
  }

  /** Looks at every pair as often as it advertises. */
  private listen(): void {
    const { cloud, scheduler } = this.world;
    let everyMs = 300;
    for (const node of cloud.nodes.values()) {
      if (node.config?.role !== 'lb' || node.config.peers.length === 0) continue;
      everyMs = Math.min(everyMs, node.config.advertIntervalS * 1000);
      this.hear(node, node.config.peers[0] ?? '', node.config.advertIntervalS * 1000);
    }
    scheduler.after(everyMs, () => this.listen());
  }

  private hear(node: SimNode, peerIp: string, intervalMs: number): void {
    const { cloud, scheduler, faults } = this.world;
    const { instanceId } = node.fact;
    if (!cloud.isServing(node)) {
      this.heard.delete(instanceId);
      return;
    }
    const peer = cloud.byIp(peerIp);
    const speaks = peer !== undefined && cloud.isServing(peer) && !faults.deaf.has(instanceId) && carries(faults.cuts, peer, node);
    const lastMs = this.heard.get(instanceId);
    if (speaks || lastMs === undefined) this.heard.set(instanceId, scheduler.nowMs);
    else if (lastMs !== 'MASTER' && scheduler.nowMs - lastMs >= intervalMs * (3 + SKEW)) this.takeLead(node, peer);
    if (speaks && this.random() < faults.falseAlarmShare) this.takeLead(node, undefined);
  }

  private takeLead(node: SimNode, peer: SimNode | undefined): void {
    const { scheduler } = this.world;
    this.heard.set(node.fact.instanceId, 'MASTER');
    // A dead process on a living machine is found by keepalived's check there, which then says good-bye.
    const checkMs = peer && this.world.cloud.isReachable(peer) ? between(this.random, ...CHECK_MS) : 0;
    scheduler.after(checkMs + between(this.random, ...NOTIFY_MS), () => {
      if (!this.world.cloud.isReachable(node)) return;
      const { cluster, instanceId } = node.fact;
      this.world.send('failover', {
        kind: 'claimAddress',
        cluster,
        claimant: instanceId,
        atMs: Math.round(scheduler.nowMs + (node.skewMs ?? 0)),
        state: 'MASTER',
      });
    });
  }
}
