/** Draining: which broker is out of the balancers so that it may stop, and whether its last request has ended. One at a time; stops nothing. */
import type { PlannedJob } from '../jobs';
import type { Draining, Memory } from '../memory';
import type { Node } from '../observation';
import type { Slots } from '../slots';
import type { ClusterSpec } from '../spec';
import { superfluousNodes } from './superfluous';

/** A broker the balancers send to. */
export interface PoolMember {
  slot: string;
  ip: string;
}

/** The one broker that is out of the balancers, or on its way out. */
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
  /** Whether a broker should be given another configuration now. */
  isDue(broker: Node): boolean;
  isBusy(base: string): boolean;
  mayTry(base: string): boolean;
  nowMs: number;
}

/** Whether balancers may be sending to a broker: it took a configuration once and is not known to be dead. */
export function maySendTo({ fact, health, configVersion }: Node): boolean {
  return fact.state === 'running' && fact.privateIp !== undefined && configVersion !== undefined && health.health !== 'dead';
}

function numberOf(slot: string): number {
  return Number(/\d+$/.exec(slot)?.[0] ?? 0);
}

/** Who serves for a slot: the node that fills it, but its predecessor as long as that one is there and the successor is not yet well. */
function serverOf({ current, extras }: Slots['wanted']['orion'][number]): Node | undefined {
  if (current?.health.health === 'healthy') return current;
  const isServing = (node: Node) => maySendTo(node) && node.health.everHealthy;
  return extras.find(isServing) ?? (current?.fact.state === 'running' ? current : undefined);
}

/** Brokers that take requests, one a slot: those of the spec, and those it gave up until their drain. */
function servers(slots: Slots): Node[] {
  const wanted = slots.wanted.orion.flatMap((slot) => serverOf(slot) ?? []);
  const leaving = new Map<string, Node>();
  for (const node of slots.unwanted.orion) if (maySendTo(node) && !leaving.has(node.fact.slot)) leaving.set(node.fact.slot, node);
  return [...wanted, ...[...leaving.values()].sort((a, b) => numberOf(a.fact.slot) - numberOf(b.fact.slot))];
}

/** The brokers the balancers are told: all that serve but the one that is drained. */
export function poolOf(slots: Slots, drain: Draining | undefined): PoolMember[] {
  return servers(slots).flatMap(({ fact: { instanceId, privateIp, slot } }) =>
    privateIp && instanceId !== drain?.instanceId ? [{ slot, ip: privateIp }] : [],
  );
}

/** Whether `other` does what `node` does: it serves, and it has the database if `node` has. */
function standsInFor(other: Node, node: Node): boolean {
  if (other === node || !maySendTo(other) || other.health.health !== 'healthy') return false;
  return other.health.sickness !== 'database' || node.health.sickness === 'database';
}

/** Whether a broker may be taken out: another serves meanwhile, or this one never served. */
function canSpare(slots: Slots, node: Node): boolean {
  return !node.health.everHealthy || servers(slots).some((other) => standsInFor(other, node));
}

/** Whether a broker is the only one: there is nobody to drain it towards, now or later. */
function isAlone(slots: Slots, node: Node): boolean {
  return slots.wanted.orion.length === 1 && servers(slots).every((other) => other === node);
}

/** A broker that never served, or the only one, is restarted as it is: a drain would spare nobody. */
export function restartsUndrained(slots: Slots, node: Node): boolean {
  return !node.health.everHealthy || isAlone(slots, node);
}

/** Brokers with a reason to be out, most urgent first; those whose job is under way stay out whatever happens. */
function candidates({ spec, slots, memory, isDue, isBusy, mayTry }: DrainFacts): { node: Node; isHeld: boolean }[] {
  const going = superfluousNodes(spec, slots).flatMap(({ node }) =>
    node.fact.role === 'orion' && maySendTo(node) ? [{ node, isHeld: isBusy(`terminate/${node.fact.instanceId}`) }] : [],
  );
  const restarting = slots.wanted.orion.flatMap(({ current: node }) => {
    if (!node || !maySendTo(node) || restartsUndrained(slots, node)) return [];
    const base = `config/${node.fact.instanceId}`;
    const isHeld = isBusy(base);
    // A restarted broker is back in the balancers only once it answers again.
    const comesBack = memory.draining?.instanceId === node.fact.instanceId && node.health.health !== 'healthy';
    return isHeld || comesBack || (isDue(node) && mayTry(base)) ? [{ node, isHeld }] : [];
  });
  return [...going, ...restarting];
}

/**
 * The broker to drain: the one that is drained already as long as it has a reason to be, else the first that has one.
 * Never the last that serves; when the reason goes, or the others fail, the broker is back in the balancers.
 */
export function chooseDrain(facts: DrainFacts): Draining | undefined {
  const { slots, memory, nowMs } = facts;
  const may = candidates(facts).filter(({ node, isHeld }) => isHeld || canSpare(slots, node));
  if (may.some(({ node }) => node.fact.instanceId === memory.draining?.instanceId)) return memory.draining;
  const instanceId = may[0]?.node.fact.instanceId;
  return instanceId === undefined ? undefined : { instanceId, sinceMs: nowMs };
}

/** How far a drain is: since when no balancer names the broker. A balancer that is out of step again starts it anew. */
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

/** What of a situation says whether a broker may stop. */
export interface DrainView {
  spec: ClusterSpec;
  slots: Slots;
  drain?: Drain;
  nowMs: number;
}

/** Connections that others have to the broker, counted after the balancers let it go; undefined while nobody counted. */
function connectionsOf({ node: { probe }, letGoAtMs = Number.POSITIVE_INFINITY }: Drain): number | undefined {
  return probe?.role === 'orion' && probe.atMs > letGoAtMs ? probe.connections : undefined;
}

/** Why a broker must not be stopped yet; undefined when its requests have ended, or had all the time they get. */
export function whyNotStopped({ spec, drain, nowMs }: DrainView, node: Node): string | undefined {
  const { slot, instanceId } = node.fact;
  if (drain?.node !== node) {
    const other = drain
      ? `${drain.node.fact.slot} is drained, and brokers go one at a time`
      : 'no other broker serves well enough meanwhile';
    return `${slot} (${instanceId}) stays for now: ${other}`;
  }
  if (drain.letGoAtMs === undefined) return `${slot} (${instanceId}) is drained first: ${drain.keptBy} still has it in its configuration`;
  const waitedMs = nowMs - drain.letGoAtMs;
  const connections = connectionsOf(drain);
  if (waitedMs >= spec.policy.drainMaxS * 1000 || connections === 0) return undefined;
  const left = connections === undefined ? 'its connections were not counted yet' : `${connections} connections are left`;
  return `${slot} (${instanceId}) is drained: ${left}; it is stopped without them ${spec.policy.drainMaxS} s after the balancers let it go`;
}

/** How the drain of a broker that may stop ended. */
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
