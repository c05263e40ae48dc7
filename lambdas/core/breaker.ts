/** The breaker: when so much looks sick that the observer is the likelier patient, nothing is taken down. Never blocks a launch into an empty slot. */
import { isSilent } from './health';
import type { Node } from './observation';
import type { Policy } from './spec';

export interface Breaker {
  open: boolean;
  reason: string;
}

/** It took its configuration, so its agent is well, and yet nothing of it was ever seen: more likely the way to it than the node. */
function isUnseen({ configVersion, health, probe }: Node): boolean {
  const wasLookedAt = probe !== undefined || health.sickness === 'boot';
  return configVersion !== undefined && wasLookedAt && isSilent(probe);
}

/**
 * Open when more than `breakerShare` of the nodes that were ever well, or should be in sight, are not healthy by probe. A suspect one counts:
 * it may be one that was restarted and has not answered since, and restarts of what is out of sight must not close the breaker.
 * Nodes that EC2 itself calls gone are certain, and don't count as doubtful; nor does one that never came up for another reason:
 * it says nothing about the observer, and is what a cluster caught half-built by an outage is made of.
 */
export function judgeBreaker(nodes: readonly Node[], policy: Policy): Breaker {
  const judged = nodes.filter((node) => node.health.sickness !== 'gone' && (node.health.everHealthy || isUnseen(node)));
  const doubtful = judged.filter(({ health }) => health.health !== 'healthy');
  const open = judged.length > 0 && doubtful.length > judged.length * policy.breakerShare;
  const percent = Math.round(policy.breakerShare * 100);
  return {
    open,
    reason: `breaker open: ${doubtful.length} of ${judged.length} nodes are not healthy by probe, above ${percent}%; nothing is taken down`,
  };
}
