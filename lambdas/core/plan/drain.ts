/** Draining: which service node is out of the balancers so that it may stop, and whether its last request has ended. One at a time; stops nothing. */
import { serviceEntry } from '../catalogue/catalogue';
import { isOfService, isSeenDead } from '../health';
import type { PlannedJob } from '../jobs';
import type { Draining, Memory } from '../memory';
import { isEnabler, isService, type Role, SERVICE_ROLES, type ServiceRole } from '../names';
import type { Node } from '../observation';
import { indexOf, type Slot, type Slots } from '../slots';
import type { ClusterSpec } from '../spec';
import { superfluousNodes } from './superfluous';

/** A node the balancers send to. */
export interface PoolMember {
  slot: string;
  ip: string;
}

/** Whom the balancers send to, by role. */
export type Pools = Record<ServiceRole, PoolMember[]>;

/** The one node that is out of the balancers, or on its way out. */
export interface Drain extends Draining {
  node: Node;
  /** What still may send to it. */
  keptBy?: string;
}

/** What the choice is made from. */
export interface DrainFacts {
  spec: ClusterSpec;
  slots: Slots;
  memory: Memory;
  /** Whether a node should be given another configuration now. */
  isDue(node: Node): boolean;
  isBusy(base: string): boolean;
  mayTry(base: string): boolean;
  nowMs: number;
}

/** Whether a node could serve at all: it runs, can be reached, and took a configuration once. */
function couldServe({ fact, configVersion }: Node): boolean {
  return fact.state === 'running' && fact.privateIp !== undefined && configVersion !== undefined;
}

/** Whether balancers may be sending to a service node: it took a configuration once and is not known to be dead. */
export function maySendTo(node: Node): boolean {
  return couldServe(node) && node.health.health !== 'dead';
}

/**
 * Whether requests may still reach a service node: besides those the balancers are told, one that answers again though it still counts
 * as dead. A balancer that could not be told meanwhile has it in its configuration, and its own checks see it up.
 */
export function mayBeServing(node: Node): boolean {
  return couldServe(node) && !isSeenDead(node.health);
}

/** Whether a node that served once may stop undrained, on nothing but what the last look saw of it. */
export function isTakenForDead(node: Node): boolean {
  return couldServe(node) && isSeenDead(node.health);
}

/** Who serves for a slot: the node that fills it, but its predecessor as long as that one is there and the successor is not yet well. */
function serverOf({ current, extras }: Slot): Node | undefined {
  if (current?.health.health === 'healthy') return current;
  const isServing = (node: Node) => maySendTo(node) && node.health.everHealthy;
  return extras.find(isServing) ?? (current?.fact.state === 'running' ? current : undefined);
}

/** Nodes of a role that take requests, one a slot: those of the spec, and those it gave up until their drain. */
function serversOf(slots: Slots, role: ServiceRole): Node[] {
  const wanted = slots.wanted[role].flatMap((slot) => serverOf(slot) ?? []);
  if (slots.unwanted[role].length === 0) return wanted;
  const leaving = new Map<string, Node>();
  for (const node of slots.unwanted[role]) if (maySendTo(node) && !leaving.has(node.fact.slot)) leaving.set(node.fact.slot, node);
  return [...wanted, ...[...leaving.values()].sort((a, b) => indexOf(a.fact.slot) - indexOf(b.fact.slot))];
}

/** Those the balancers are told: all that serve but the one that is drained. */
export function poolsOf(slots: Slots, drain: Draining | undefined): Pools {
  const poolOf = (role: ServiceRole): PoolMember[] =>
    serversOf(slots, role).flatMap(({ fact: { instanceId, privateIp, slot } }) =>
      privateIp && instanceId !== drain?.instanceId ? [{ slot, ip: privateIp }] : [],
    );
  return Object.fromEntries(SERVICE_ROLES.map((role) => [role, poolOf(role)])) as Pools;
}

/** Whether `other` does what `node` does: it serves, and it has the database if `node` has. */
function standsInFor(other: Node, node: Node): boolean {
  if (other === node || !maySendTo(other) || other.health.health !== 'healthy') return false;
  return other.health.sickness !== 'database' || node.health.sickness === 'database';
}

/** Whether a node may be taken out: another serves meanwhile, this one never served, or nobody shall serve any more. */
function canSpare(slots: Slots, node: Node, role: ServiceRole): boolean {
  return !node.health.everHealthy || slots.wanted[role].length === 0 || serversOf(slots, role).some((other) => standsInFor(other, node));
}

/** Whether a node is the only one of its role: there is nobody to drain it towards, now or later. */
function isAlone(slots: Slots, node: Node, role: ServiceRole): boolean {
  return slots.wanted[role].length === 1 && serversOf(slots, role).every((other) => other === node);
}

/** A node that never served, or the only one of its role, is restarted as it is: a drain would spare nobody. */
export function restartsUndrained(slots: Slots, node: Node): boolean {
  const { role } = node.fact;
  return !node.health.everHealthy || (isService(role) && isAlone(slots, node, role));
}

interface Candidate {
  node: Node;
  role: ServiceRole;
  /** Its job is under way: it stays out whatever happens. */
  isHeld: boolean;
}

/** The slots of a role in the order in which their nodes are restarted: where one is active, it goes last. */
export function restartOrder(slots: Slots, role: Role): Slot[] {
  const isPair = isService(role) && serviceEntry(role).backend === 'active-passive';
  return isPair ? [...slots.wanted[role]].reverse() : slots.wanted[role];
}

/** Nodes with a reason to be out, most urgent first. */
function candidates({ spec, slots, memory, isDue, isBusy, mayTry }: DrainFacts): Candidate[] {
  const going = superfluousNodes(spec, slots).flatMap(({ node }): Candidate[] => {
    const { role, instanceId } = node.fact;
    return isService(role) && mayBeServing(node) ? [{ node, role, isHeld: isBusy(`terminate/${instanceId}`) }] : [];
  });
  const restarting = SERVICE_ROLES.flatMap((role) =>
    restartOrder(slots, role).flatMap(({ current: node }): Candidate[] => {
      if (!node || !maySendTo(node) || restartsUndrained(slots, node)) return [];
      const base = `config/${node.fact.instanceId}`;
      const isHeld = isBusy(base);
      // A restarted node is back in the balancers only once it answers again.
      const comesBack = memory.draining?.instanceId === node.fact.instanceId && node.health.health !== 'healthy';
      return isHeld || comesBack || (isDue(node) && mayTry(base)) ? [{ node, role, isHeld }] : [];
    }),
  );
  return [...going, ...restarting];
}

/**
 * The node to drain: the one that is drained already as long as it has a reason to be, else the first that has one.
 * Never the last of its role that serves; when the reason goes, or the others fail, the node is back in the balancers.
 */
export function chooseDrain(facts: DrainFacts): Draining | undefined {
  const { slots, memory, nowMs } = facts;
  const may = candidates(facts).filter(({ node, role, isHeld }) => isHeld || canSpare(slots, node, role));
  if (may.some(({ node }) => node.fact.instanceId === memory.draining?.instanceId)) return memory.draining;
  const instanceId = may[0]?.node.fact.instanceId;
  return instanceId === undefined ? undefined : { instanceId, sinceMs: nowMs };
}

/** How far a drain is: since when no balancer names the node. A balancer that is out of step again starts it anew. */
export function followDrain(
  draining: Draining | undefined,
  slots: Slots,
  node: Node | undefined,
  inFlight: readonly PlannedJob[],
  isInStep: (balancer: Node) => boolean,
  nowMs: number,
): Drain | undefined {
  if (!draining || !node) return undefined;
  const { letGoAtMs = nowMs, ...rest } = draining;
  const behind = slots.wanted.lb.find(({ current }) => current && current.health.health !== 'dead' && !isInStep(current));
  // One that is being told something may be told what was true before.
  const told = inFlight.find((job) => job.kind === 'applyConfig' && job.role === 'lb');
  const keptBy = behind?.slot ?? (told?.kind === 'applyConfig' ? told.slot : undefined);
  return keptBy === undefined ? { ...rest, letGoAtMs, node } : { ...rest, node, keptBy };
}

/** What of a situation says whether a node may stop. */
export interface DrainView {
  spec: ClusterSpec;
  slots: Slots;
  drain?: Drain;
  nowMs: number;
}

/** Connections that others have to the node, counted after the balancers let it go; undefined while nobody counted. */
function connectionsOf({ node: { probe }, letGoAtMs = Number.POSITIVE_INFINITY }: Drain): number | undefined {
  return probe && isOfService(probe) && probe.atMs > letGoAtMs ? probe.connections : undefined;
}

/** Whether nothing is left to wait for: for a role whose work does not show in its connections nobody can say. */
function isIdle(drain: Drain): boolean {
  const { role } = drain.node.fact;
  return connectionsOf(drain) === 0 && isService(role) && serviceEntry(role).drain.until === 'connections';
}

/** How long its last requests may take, seconds: a broker's by the policy, another's by its entry, unless the policy waits for nobody. */
function drainMaxS({ policy }: ClusterSpec, role: Role): number {
  const isBroker = !isEnabler(role) || policy.drainMaxS === 0;
  return isBroker ? policy.drainMaxS : serviceEntry(role).drain.waitS;
}

/** Why a node must not be stopped yet; undefined when its requests have ended, or had all the time they get. */
export function whyNotStopped({ spec, drain, nowMs }: DrainView, node: Node): string | undefined {
  const { role, slot, instanceId } = node.fact;
  if (drain?.node !== node) {
    const other = drain ? `${drain.node.fact.slot} is drained, and they go one at a time` : `no other ${role} serves well enough meanwhile`;
    return `${slot} (${instanceId}) stays for now: ${other}`;
  }
  if (drain.letGoAtMs === undefined) return `${slot} (${instanceId}) is drained first: ${drain.keptBy} still has it in its configuration`;
  const waitedMs = nowMs - drain.letGoAtMs;
  const maxS = drainMaxS(spec, role);
  if (waitedMs >= maxS * 1000 || isIdle(drain)) return undefined;
  const connections = connectionsOf(drain);
  const left = connections === undefined ? 'its connections were not counted yet' : `${connections} connections are left`;
  return `${slot} (${instanceId}) is drained: ${left}; it is stopped ${maxS} s after the balancers let it go at the latest`;
}

/** How the drain of a node that may stop ended. */
export function howDrained({ drain, nowMs }: DrainView): string {
  if (drain?.letGoAtMs === undefined) return 'not drained';
  const connections = connectionsOf(drain);
  const waited = `${Math.round((nowMs - drain.letGoAtMs) / 1000)} s after the balancers let it go`;
  if (connections === 0) return `drained: no connection is left ${waited}`;
  return `drained as long as it may be: ${connections ?? 'an unknown number of'} connections are left ${waited}`;
}

/** Memory with how far the drain is, or without one. */
export function withDrain({ draining: _, ...memory }: Memory, drain: Drain | undefined): Memory {
  if (!drain) return memory;
  const { instanceId, sinceMs, letGoAtMs } = drain;
  return { ...memory, draining: { instanceId, sinceMs, ...(letGoAtMs === undefined ? {} : { letGoAtMs }) } };
}
