/** Slots: which node fills which place, which nodes are superfluous. Sorts what is there; launches and removes nothing. */
import type { AddressFact } from './facts';
import { addressNames, byRole, type Role, slotNames } from './names';
import type { Node, Observation } from './observation';
import { addressCount, type ClusterSpec, countOf } from './spec';

export interface Slot {
  role: Role;
  slot: string;
  /** The node that fills it, in whatever health; absent while the slot is empty. */
  current?: Node;
  /** Other living nodes of the slot: older incarnations and duplicates. */
  extras: Node[];
}

export interface Slots {
  /** The slots the spec asks for, by role, in order. */
  wanted: Record<Role, Slot[]>;
  /** Nodes in slots the spec no longer asks for, by role, last slot first. */
  unwanted: Record<Role, Node[]>;
}

/** `2` of `ctx2`. */
export function indexOf(slot: string): number {
  return Number(/\d+$/.exec(slot)?.[0] ?? 0);
}

/**
 * Which of several nodes fills a slot: a healthy holder of an address first (an address never leaves a healthy holder),
 * then the newest incarnation, then, between two of the same, the one launched first: the later one goes.
 */
function byClaim(holders: ReadonlySet<string>) {
  const holds = (node: Node) => (holders.has(node.fact.instanceId) && node.health.health === 'healthy' ? 1 : 0);
  return (a: Node, b: Node) =>
    holds(b) - holds(a) ||
    b.fact.incarnation - a.fact.incarnation ||
    a.fact.launchedAtMs - b.fact.launchedAtMs ||
    (a.fact.instanceId < b.fact.instanceId ? -1 : 1);
}

/** Slot names a role should have. With one balancer wanted of two, the one that holds the address that is kept stays, unless it is surely dead. */
function wantedNames(spec: ClusterSpec, role: Role, { nodes, addresses }: Observation): string[] {
  const names = slotNames(role, countOf(spec, role));
  if (role !== 'lb') return names;
  const kept = addressNames(addressCount(spec));
  const holders = holdersOf(addresses.filter(({ name }) => kept.includes(name)));
  const holder = nodes.find((node) => node.fact.role === 'lb' && holders.has(node.fact.instanceId) && node.health.health !== 'dead');
  if (!holder || names.includes(holder.fact.slot)) return names;
  return [...names.slice(0, -1), holder.fact.slot];
}

function holdersOf(addresses: readonly AddressFact[]): Set<string> {
  return new Set(addresses.flatMap((address) => (address.holder ? [address.holder] : [])));
}

/** Sorts the living nodes into the slots of the spec. */
export function sortIntoSlots(spec: ClusterSpec, observation: Observation): Slots {
  const compare = byClaim(holdersOf(observation.addresses));
  const bySlot = new Map<string, Node[]>();
  for (const node of observation.nodes) {
    const list = bySlot.get(node.fact.slot);
    if (list) list.push(node);
    else bySlot.set(node.fact.slot, [node]);
  }
  const takeSlot = (role: Role, slot: string): Slot => {
    const nodes = bySlot.get(slot);
    const current = nodes?.sort(compare)[0];
    if (!nodes || !current) return { role, slot, extras: [] };
    bySlot.delete(slot);
    return { role, slot, current, extras: nodes.slice(1) };
  };
  const take = (role: Role) => wantedNames(spec, role, observation).map((slot) => takeSlot(role, slot));
  const wanted = byRole(take);
  if (bySlot.size === 0) return { wanted, unwanted: byRole(() => []) };
  const rest = [...bySlot.values()].flat().sort((a, b) => indexOf(b.fact.slot) - indexOf(a.fact.slot) || compare(a, b));
  const restOf = (role: Role) => rest.filter((node) => node.fact.role === role);
  return { wanted, unwanted: byRole(restOf) };
}

/** Host of a mongo node as the replica set knows it; undefined while it has no address. */
export function hostOf(node: Node): string | undefined {
  return node.fact.privateIp ? `${node.fact.privateIp}:27017` : undefined;
}
