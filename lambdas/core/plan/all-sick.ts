/** All of a service sick at once: a sign of load, of the database or of the network rather than of each node. Judges; plans nothing. */
import { isStalled } from '../health';
import type { ServiceRole } from '../names';
import type { Node } from '../observation';
import type { Slots } from '../slots';

/** It answers, in time, and has its database. */
export function isWell({ health }: Node): boolean {
  return health.health === 'healthy' && health.sickness === undefined;
}

/** What ails them, when none of a role that ever served is well; undefined where one is, or none has served yet. */
export function allSick(slots: Slots, role: ServiceRole): string | undefined {
  const served = slots.wanted[role].flatMap(({ current }) => (current?.health.everHealthy ? [current] : []));
  if (served.length === 0 || slots.wanted[role].some(({ current }) => current && isWell(current))) return undefined;
  return served.map(({ fact, health }) => `${fact.slot}: ${health.sickness ?? health.health}`).join(', ');
}

/** Why a silent node among silent or slow ones is left alone; undefined where another of its role is well, or there is no other. */
export function loadBarrier(slots: Slots, role: ServiceRole, node: Node): string | undefined {
  const sick = slots.wanted[role].length > 1 && isStalled(node.probe) ? allSick(slots, role) : undefined;
  return sick && `all ${role} nodes are sick at once (${sick}): that is load or something they share, which a restart would make worse`;
}

/** Why a successor that never came up gets none of its own: the first was the trial. Another configuration is worth another. */
export function trialBarrier(slots: Slots, role: ServiceRole, node: Node, wantedVersion: string | undefined): string | undefined {
  if (node.health.sickness !== 'boot' || node.fact.incarnation === 1 || node.configVersion !== wantedVersion) return undefined;
  const others = slots.wanted[role].filter(({ current }) => current !== node);
  if (others.length === 0 || others.some(({ current }) => current && isWell(current))) return undefined;
  return `no ${role} is well, and its predecessor was replaced already: more of the same would not help`;
}
