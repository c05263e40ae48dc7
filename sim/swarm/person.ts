/** The person who is called when the city says that it needs one: does what the runbook says, once its status asks for it. Plans no job. */
import { shortVersion } from '../../lambdas/core/plan/rollout-words';
import { withSettings } from '../../lambdas/core/rollout-settings';
import type { World } from '../world';
import { CITY, editSpec } from './acts';

/** A share that no two dead nodes of a small cluster exceed; "let the control plane replace them: raise the share in the spec". */
const RAISED_SHARE = 0.9;
/** A breaker that only opened a moment ago closes by itself once the probes get through, ms. */
const BREAKER_MS = 120_000;
/** What status says of a node that may hold the first data of the set. */
const BEGINNING = 'may have begun on it';

export class Person {
  /** It let go of a node that may have held data. */
  gaveUpData = false;
  private breakerSinceMs: number | undefined;

  constructor(private readonly world: World) {}

  private get row() {
    return this.world.state.rows.get(CITY);
  }

  private isSaid(words: string): boolean {
    return this.row?.status?.blocked.some((text) => text.includes(words)) ?? false;
  }

  /** "Terminate its instance, and a new one comes": a node that serves with a full disk is a person's to judge. */
  private terminateFull(): void {
    const { cloud } = this.world;
    for (const node of cloud.nodes.values())
      if (node.diskFull && cloud.isServing(node) && this.isSaid(`${node.fact.instanceId}) does not take`))
        cloud.terminate(node.fact.instanceId, false);
  }

  /** "Terminate its instance if nobody needs its data": the set may have begun on a node that can't be brought back. */
  private giveUpBeginning(): void {
    const { cloud } = this.world;
    if (!this.isSaid(BEGINNING)) return;
    for (const node of cloud.nodes.values()) {
      if (!node.diskFull || !this.isSaid(`${node.fact.instanceId}) is dead`)) continue;
      this.gaveUpData = true;
      cloud.terminate(node.fact.instanceId, false);
    }
  }

  /** "Bring back a member that is only stopped": a process that the policy restarts no more waits for a person. */
  private startStopped(): void {
    const { row } = this;
    if (!row || !(this.isSaid('majority lost') || this.isSaid(BEGINNING))) return;
    for (const node of this.world.cloud.nodes.values()) {
      const { fact, member, process, hung } = node;
      if (fact.cluster !== CITY || !member || fact.state !== 'running' || process !== 'dead' || hung) continue;
      const restarts = row.memory.attempts[`restart/${fact.instanceId}`]?.count ?? 0;
      if (restarts >= row.spec.policy.restartsBeforeReplace) this.world.commands.bringUp(node);
    }
  }

  /** "Set the settings named in the brackets to what works." */
  private setBack(): void {
    const { row } = this;
    for (const { rolledBack, good } of Object.values(row?.memory.rollouts ?? {})) {
      const known = row && rolledBack && good && this.isSaid(`goes back to ${shortVersion(good.version)}`);
      const spec = known ? withSettings(row.spec, good.settings) : undefined;
      if (spec) editSpec(this.world, () => spec);
    }
  }

  private raiseShare(): void {
    const { nowMs } = this.world.scheduler;
    this.breakerSinceMs = this.isSaid('breaker open') ? (this.breakerSinceMs ?? nowMs) : undefined;
    if (this.breakerSinceMs === undefined || nowMs - this.breakerSinceMs < BREAKER_MS) return;
    this.breakerSinceMs = undefined;
    editSpec(this.world, (spec: Record<string, object>) => ({ ...spec, policy: { ...spec.policy, breakerShare: RAISED_SHARE } }));
  }

  /** One look at the status, and what follows from it. */
  look(): void {
    this.terminateFull();
    this.giveUpBeginning();
    this.startStopped();
    this.setBack();
    this.raiseShare();
  }
}
