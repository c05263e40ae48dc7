/** Joins facts, probes and memory into an observation, and folds health on the way. Reads nothing from outside. */
import { serviceEntry } from './catalogue/catalogue';
import type { ConfigReport } from './config-report';
import type { AddressFact, CloudFacts, InstanceFact, NodeProbe, Probes } from './facts';
import { foldHealth, newNodeHealth } from './health';
import type { Memory } from './memory';
import { isService } from './names';
import type { Node, Observation } from './observation';
import { type MongoView, viewReplicaSet } from './plan/mongo-view';
import { hostOf } from './slots';
import type { ClusterSpec } from './spec';

/** The cluster's instances: those EC2 lists, those launched and not listed yet, without those known to be gone. */
export function livingInstances(cloud: CloudFacts, memory: Memory): InstanceFact[] {
  const listed = new Set(cloud.instances.map((fact) => fact.instanceId));
  const unseen = Object.values(memory.launched).flatMap(({ fact }) => (listed.has(fact.instanceId) ? [] : [fact]));
  return [...cloud.instances, ...unseen].filter(
    (fact) => fact.state !== 'terminated' && fact.state !== 'shutting-down' && memory.terminated[fact.instanceId] === undefined,
  );
}

/** Whether a configuration is on its way to a node. */
function isBeingTold({ inFlight }: Memory, instanceId: string): boolean {
  return Object.values(inFlight).some(({ job }) => job.kind === 'applyConfig' && job.instanceId === instanceId);
}

/**
 * A node tells the version it runs, or that a file was edited; while it is silent the last result of applying one counts. Where no result
 * was ever known its word counts once nothing is on its way to it: the result of its first configuration may have been lost.
 */
function reportOf({ instanceId }: InstanceFact, probe: NodeProbe | undefined, memory: Memory): ConfigReport {
  const applied = memory.applied[instanceId];
  if (applied === undefined) return probe?.configVersion && !isBeingTold(memory, instanceId) ? { configVersion: probe.configVersion } : {};
  if (probe && probe.atMs < (memory.appliedAtMs[instanceId] ?? 0)) return { configVersion: applied };
  return { configVersion: probe?.configVersion ?? applied, ...(probe?.drifted ? { drifted: probe.drifted } : {}) };
}

/** What nodes took, with the word of those whose own result was lost: it stays known while they are silent. */
function foldApplied(nodes: readonly Node[], { applied, appliedAtMs }: Memory): Pick<Memory, 'applied' | 'appliedAtMs'> {
  const told = nodes.flatMap(({ fact: { instanceId }, probe, configVersion }) =>
    probe && configVersion !== undefined && applied[instanceId] === undefined ? [{ instanceId, configVersion, atMs: probe.atMs }] : [],
  );
  if (told.length === 0) return { applied, appliedAtMs };
  return {
    applied: { ...applied, ...Object.fromEntries(told.map((one) => [one.instanceId, one.configVersion])) },
    appliedAtMs: { ...appliedAtMs, ...Object.fromEntries(told.map((one) => [one.instanceId, one.atMs])) },
  };
}

/** Seconds a member's last write is behind the primary's; undefined while either is unknown. */
function lagS(node: Node, primaryLastWriteS: number | undefined): number | undefined {
  const hello = node.probe?.role === 'mongo' ? node.probe.hello : undefined;
  if (hello?.lastWriteS === undefined || primaryLastWriteS === undefined) return undefined;
  return Math.max(0, primaryLastWriteS - hello.lastWriteS);
}

/** Since when a node could have come up, ms: a service that needs the replica set does not start without its primary. */
function bootsFromMs({ role, launchedAtMs }: InstanceFact, primarySinceMs: number): number {
  return isService(role) && serviceEntry(role).needs.replicaSet ? Math.max(launchedAtMs, primarySinceMs) : launchedAtMs;
}

/** Where the set may have begun: known or gone with its node, it is no question any more. */
function foldInitiating({ initiating }: Memory, isInitiated: boolean, nodes: readonly Node[]): Pick<Memory, 'initiating'> {
  const isOpen = initiating && !isInitiated && nodes.some(({ fact }) => fact.instanceId === initiating.instanceId);
  return isOpen ? { initiating } : {};
}

/** Since when each SECONDARY has kept up; a member that falls behind starts anew. */
function foldCaughtUp(spec: ClusterSpec, nodes: readonly Node[], memory: Memory, nowMs: number): Record<string, number> {
  const primary = nodes.find((node) => node.probe?.role === 'mongo' && node.probe.hello?.isWritablePrimary);
  const primaryLastWriteS = primary?.probe?.role === 'mongo' ? primary.probe.hello?.lastWriteS : undefined;
  const next: Record<string, number> = {};
  for (const node of nodes) {
    const host = hostOf(node);
    const secondary = node.probe?.role === 'mongo' && node.probe.hello?.secondary === true;
    const lag = lagS(node, primaryLastWriteS);
    if (host && secondary && lag !== undefined && lag <= spec.policy.mongoLagMaxS) next[host] = memory.caughtUpSinceMs[host] ?? nowMs;
  }
  return next;
}

/** Since when each member that answers has not kept up; a voter only counts as behind while it is neither primary nor SECONDARY. */
function foldBehind(view: MongoView, caughtUp: Record<string, number>, memory: Memory, nowMs: number): Record<string, number> {
  // Without a primary nobody can keep up, and whose configuration counts is open: each has all its time anew once there is one.
  if (!view.primary) return {};
  const behind = view.members.filter((m) => m.living && !(m.votes ? m.serving : caughtUp[m.host] !== undefined));
  return Object.fromEntries(behind.map(({ host }) => [host, memory.behindSinceMs[host] ?? nowMs]));
}

/** Whose each address is: the slot that holds it while every balancer has one of its own; in between what was known stays. */
function foldHomes(nodes: readonly Node[], addresses: readonly AddressFact[], memory: Memory): Record<string, string> {
  if (addresses.length < 2) return {};
  const homes = addresses.flatMap(({ name, holder }) => {
    const node = nodes.find(({ fact }) => fact.instanceId === holder && fact.role === 'lb');
    return node ? [[name, node.fact.slot] as const] : [];
  });
  const slots = new Set(homes.map(([, slot]) => slot));
  return slots.size === addresses.length ? Object.fromEntries(homes) : memory.addressHomes;
}

/**
 * The observation of this tick and the memory with folded health.
 * `cloud` is null when EC2 could not be read; then the nodes are empty and `cloudKnown` is false.
 */
export function observe(
  spec: ClusterSpec,
  cloud: CloudFacts | null,
  probes: Probes,
  memory: Memory,
  zones: string[],
  nowMs: number,
): { observation: Observation; memory: Memory } {
  if (!cloud) return { observation: { cluster: spec.name, atMs: nowMs, cloudKnown: false, zones, nodes: [], addresses: [] }, memory };
  const hasPrimary = Object.values(probes).some((probe) => probe.role === 'mongo' && probe.hello?.isWritablePrimary === true);
  const primarySinceMs = hasPrimary ? (memory.primarySinceMs ?? nowMs) : undefined;
  const nodes = livingInstances(cloud, memory).map((fact): Node => {
    const probe = probes[fact.instanceId];
    const before = memory.health[fact.instanceId] ?? newNodeHealth(nowMs);
    const health = foldHealth(before, fact, probe, spec.policy, nowMs, bootsFromMs(fact, primarySinceMs ?? nowMs));
    return { fact, health, ...(probe ? { probe } : {}), ...reportOf(fact, probe, memory) };
  });
  const health = Object.fromEntries(nodes.map((node) => [node.fact.instanceId, node.health]));
  const { initiating: _, primarySinceMs: __, ...known } = memory;
  const isInitiated =
    memory.replicaSetInitiated || nodes.some((node) => node.probe?.role === 'mongo' && node.probe.hello?.setName === spec.mongo.replicaSet);
  const caughtUpSinceMs = foldCaughtUp(spec, nodes, memory, nowMs);
  const hosts = new Set(nodes.map(hostOf));
  const incarnations = { ...memory.incarnations };
  for (const { slot, incarnation } of cloud.instances) incarnations[slot] = Math.max(incarnations[slot] ?? 0, incarnation);
  return {
    observation: { cluster: spec.name, atMs: cloud.atMs, cloudKnown: true, zones, nodes, addresses: cloud.addresses },
    memory: {
      ...known,
      ...foldInitiating(memory, isInitiated, nodes),
      ...(primarySinceMs === undefined ? {} : { primarySinceMs }),
      ...foldApplied(nodes, memory),
      health: { ...memory.health, ...health },
      incarnations,
      replicaSetInitiated: isInitiated,
      caughtUpSinceMs,
      behindSinceMs: foldBehind(viewReplicaSet(spec, nodes, memory), caughtUpSinceMs, memory, nowMs),
      addressHomes: foldHomes(nodes, cloud.addresses, memory),
      memberIds: Object.fromEntries(Object.entries(memory.memberIds).filter(([host]) => hosts.has(host))),
    },
  };
}
