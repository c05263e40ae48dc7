/** What can be seen of a cluster from outside: whether all its spec asks for is there and serves, whether its data is gone. Reads no plan. */

import { ROLES, type Role } from '../../lambdas/core/names';
import { type LbConfig, rolesOffered } from '../../lambdas/core/node-config';
import { addressCount, type ClusterSpec, countOf, parseSpec } from '../../lambdas/core/spec';
import { compareConfigs, type ReplicaSetConfig, votersOf } from '../replica-set/replica-config';
import type { SimNode } from '../sim-node';
import type { World } from '../world';

/** What the stored spec says; undefined where there is none, or no valid one. */
export function specOf(world: World, cluster: string): ClusterSpec | undefined {
  const stored = world.state.specs.get(cluster);
  if (!stored) return undefined;
  try {
    const parsed = parseSpec(JSON.parse(stored.text));
    return parsed.ok ? parsed.value : undefined;
  } catch {
    return undefined;
  }
}

function livingNodes(world: World, cluster: string): SimNode[] {
  return [...world.cloud.nodes.values()].filter(({ fact }) => fact.cluster === cluster && fact.state !== 'terminated');
}

function nodeProblem(world: World, spec: ClusterSpec, nodes: readonly SimNode[]): string | undefined {
  for (const role of ROLES) {
    const those = nodes.filter(({ fact }) => fact.role === role);
    const count = countOf(spec, role);
    if (those.length !== count) return `${those.length} ${role} nodes, ${count} wanted`;
    if (new Set(those.map(({ fact }) => fact.slot)).size !== count) return `two ${role} nodes share a slot`;
    const silent = those.find((node) => !world.cloud.isServing(node));
    if (silent) return `${silent.fact.slot} (${silent.fact.instanceId}) does not serve`;
  }
  return undefined;
}

/** A role that a balancer sends to others than those that are there. */
function wronglyOffered(config: LbConfig, nodes: readonly SimNode[]): Role | undefined {
  const together = (ips: (string | undefined)[]) => ips.sort().join();
  return rolesOffered(config).find(({ role, servers }) => {
    const there = nodes.flatMap(({ fact }) => (fact.role === role ? [fact.privateIp] : []));
    return together(servers.map(({ ip }) => ip)) !== together(there);
  })?.role;
}

function entryProblem(world: World, spec: ClusterSpec, nodes: readonly SimNode[]): string | undefined {
  const addresses = [...world.cloud.addresses.values()].filter(({ cluster }) => cluster === spec.name);
  if (addresses.length !== addressCount(spec)) return `${addresses.length} addresses, ${addressCount(spec)} wanted`;
  const lost = addresses.find(({ holder }) => !nodes.some(({ fact }) => fact.role === 'lb' && fact.instanceId === holder));
  if (lost) return `${lost.publicIp} is on no balancer`;
  const behind = nodes.flatMap(({ fact, config }) => {
    const role = config?.role === 'lb' ? wronglyOffered(config, nodes) : undefined;
    return role ? [`${fact.slot} does not balance over the ${role} nodes that are there`] : [];
  });
  if (behind[0]) return behind[0];
  if (new Set(addresses.map(({ holder }) => holder)).size !== addresses.length)
    return 'one balancer holds several addresses, another one none';
  const dead = addresses.find(({ name }) => !world.dataPath.primaryThrough(spec.name, name));
  return dead && `no way leads from ${dead.name} to a primary`;
}

function setProblem(world: World, spec: ClusterSpec, nodes: readonly SimNode[]): string | undefined {
  const primary = world.replicaSets.primaryOf(spec.name);
  const config = primary?.member?.config;
  if (!config) return 'the replica set has no primary';
  const hosts = nodes.flatMap(({ fact }) => (fact.role === 'mongo' ? [`${fact.privateIp}:27017`] : []));
  if (votersOf(config).length !== spec.mongo.count) return `${votersOf(config).length} voters, ${spec.mongo.count} wanted`;
  if (
    config.members
      .map(({ host }) => host)
      .sort()
      .join() !== hosts.sort().join()
  )
    return 'its members are not the nodes that are there';
  const idle = nodes.find(({ member }) => member && member.state !== 'PRIMARY' && member.state !== 'SECONDARY');
  return idle ? `${idle.fact.slot} is ${idle.member?.state}` : undefined;
}

/** Why a cluster is not as its spec says; undefined when it is, also for one that is to be gone and is. */
export function problemOf(world: World, cluster: string): string | undefined {
  const nodes = livingNodes(world, cluster);
  if (world.deleted.has(cluster)) {
    if (nodes.length > 0) return `${nodes.length} nodes are left`;
    return world.state.rows.has(cluster) ? 'its row is left' : undefined;
  }
  const spec = specOf(world, cluster);
  if (!spec) return 'it has no valid spec';
  return nodeProblem(world, spec, nodes) ?? setProblem(world, spec, nodes) ?? entryProblem(world, spec, nodes);
}

/** The newest configuration that anybody has who may run again; what a full disk alone knows, nobody will ever hear of. */
function lastConfig(world: World, cluster: string): ReplicaSetConfig | undefined {
  let last: ReplicaSetConfig | undefined;
  for (const { fact, member, diskFull } of world.cloud.nodes.values()) {
    if (fact.cluster !== cluster || fact.state === 'terminated' || diskFull || !member?.config) continue;
    if (!last || compareConfigs(member.config, last) > 0) last = member.config;
  }
  return last;
}

/** Voters of the newest configuration whose data nobody will ever see again are so many that no majority is left. */
export function isMajorityGone(world: World, cluster: string): boolean {
  const config = lastConfig(world, cluster);
  if (!config) {
    const members = [...world.cloud.nodes.values()].filter(({ fact, member }) => fact.cluster === cluster && member?.config);
    return members.length > 0;
  }
  const voters = votersOf(config);
  const left = voters.filter(({ host }) => {
    const node = world.cloud.byIp(host.split(':')[0] ?? '');
    return node?.member !== undefined && !node.diskFull;
  });
  return left.length * 2 <= voters.length;
}

/** A voter that holds the data answers: from it a set without a majority can go on. A member without a vote may lack data. */
export function hasSurvivor(world: World, cluster: string): boolean {
  for (const node of world.cloud.nodes.values()) {
    const { fact, member } = node;
    if (fact.cluster !== cluster || member?.state !== 'SECONDARY' || !world.cloud.isServing(node)) continue;
    if (member.config && votersOf(member.config).some(({ host }) => host === member.host)) return true;
  }
  return false;
}
