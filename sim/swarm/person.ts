/** The person who is called when a cluster says that it needs one: does what the runbook says, by its status alone. Plans no job. */
import type { Rollout } from '../../lambdas/core/memory';
import { withSettings } from '../../lambdas/core/rollout-settings';
import type { ClusterSpec } from '../../lambdas/core/spec';
import type { World } from '../world';

/** A share that no two dead nodes of a small cluster exceed; "let the control plane replace them: raise the share in the spec". */
const RAISED_SHARE = 0.9;
/** A breaker that only opened a moment ago closes by itself once the probes get through, ms. */
const BREAKER_MS = 120_000;

export class Person {
  private breakerSinceMs: number | undefined;

  constructor(
    private readonly world: World,
    private readonly cluster: string,
  ) {}

  private get row() {
    return this.world.state.rows.get(this.cluster);
  }

  private isSaid(words: string): boolean {
    return this.row?.status?.blocked.some((text) => text.includes(words)) ?? false;
  }

  private rewrite(edit: (spec: ClusterSpec) => ClusterSpec | undefined): void {
    const { specs } = this.world.state;
    const stored = specs.get(this.cluster);
    const next = this.row && edit(this.row.spec);
    if (stored && next) specs.set(this.cluster, { text: JSON.stringify(next), version: stored.version + 1 });
  }

  /** "Terminate its instance, and a new one comes": a node that serves with a full disk is a person's to judge. */
  private terminateFull(): void {
    const { cloud } = this.world;
    for (const node of cloud.nodes.values())
      if (node.diskFull && cloud.isServing(node) && this.isSaid(`${node.fact.instanceId}) does not take`))
        cloud.terminate(node.fact.instanceId, false);
  }

  /** "Bring back a member that is only stopped": a process that the policy restarts no more waits for a person. */
  private startStopped(): void {
    const { row, cluster } = this;
    if (!row || !this.isSaid('majority lost')) return;
    const { attempts } = row.memory;
    for (const node of this.world.cloud.nodes.values()) {
      const { fact, member, process, hung } = node;
      if (fact.cluster !== cluster || !member || fact.state !== 'running' || process !== 'dead' || hung) continue;
      const restarts = attempts[`restart/${fact.instanceId}`]?.count ?? 0;
      if (restarts >= row.spec.policy.restartsBeforeReplace) this.world.commands.bringUp(node);
    }
  }

  /** "Set the settings named in the brackets to what works." */
  private setBack(): void {
    const goneBack = (rollout: Rollout) => rollout.rolledBack === true && rollout.good;
    for (const rollout of Object.values(this.row?.memory.rollouts ?? {})) {
      const good = goneBack(rollout);
      if (good && this.isSaid(`goes back to ${good.version.slice(0, 7)}`)) this.rewrite((spec) => withSettings(spec, good.settings));
    }
  }

  private raiseShare(): void {
    if (!this.isSaid('breaker open')) {
      this.breakerSinceMs = undefined;
      return;
    }
    const { nowMs } = this.world.scheduler;
    this.breakerSinceMs ??= nowMs;
    if (nowMs - this.breakerSinceMs < BREAKER_MS) return;
    this.breakerSinceMs = undefined;
    this.rewrite((spec) => ({ ...spec, policy: { ...spec.policy, breakerShare: RAISED_SHARE } }));
  }

  /** One look at the status, and what follows from it. */
  look(): void {
    this.terminateFull();
    this.startStopped();
    this.setBack();
    this.raiseShare();
  }
}
