/** Builders for the values that tests decide on: a healthy cluster of the slides, changed a little. Builds values, asserts nothing. */
import type { HelloFact, InstanceFact, NodeProbe } from '../lambdas/core/facts';
import { EMPTY_MEMORY, type Health, type Memory, type NodeHealth, type Sickness } from '../lambdas/core/memory';
import { ROLES, type Role, slotName, slotNames } from '../lambdas/core/names';
import type { Node, Observation } from '../lambdas/core/observation';
import { type Plan, plan } from '../lambdas/core/plan/plan';
import { lookAt, type Situation } from '../lambdas/core/plan/situation';
import { wantedConfigOf } from '../lambdas/core/plan/wanted-config';
import { type ClusterSpec, countOf, parseSpec, type SpecInput } from '../lambdas/core/spec';

export const NOW_MS = 1_800_000_000_000;
export const ZONES = ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'];

export function aSpec(input: Partial<SpecInput> = {}): ClusterSpec {
  const parsed = parseSpec({ name: 'city', ...input });
  if (!parsed.ok) throw new Error(parsed.problems.join('; '));
  return parsed.value;
}

export function aHealth(health: Health = 'healthy', sickness?: Sickness): NodeHealth {
  return {
    health,
    sinceMs: NOW_MS - 60_000,
    good: health === 'healthy' ? 2 : 0,
    bad: health === 'dead' ? 3 : 0,
    everHealthy: sickness !== 'boot',
    ...(sickness ? { sickness } : {}),
    ...(health === 'dead' ? { detail: 'connection refused' } : {}),
  };
}

const netOf = (role: Role): number => ROLES.indexOf(role) + 1;

/** `anInstance('ctx2')` is the first incarnation of ctx2; id and address follow from slot and incarnation. */
export function anInstance(slot: string, change: Partial<InstanceFact> = {}): InstanceFact {
  const role = ROLES.find((each) => slotName(each, 1) === slot.replace(/\d+$/, '1')) ?? 'orion';
  const index = Number(/\d+$/.exec(slot)?.[0]);
  const incarnation = change.incarnation ?? 1;
  return {
    instanceId: `i-${netOf(role)}${String(index).padStart(2, '0')}${incarnation}`,
    cluster: 'city',
    role,
    slot,
    incarnation,
    zone: ZONES[(index - 1) % 3] ?? '',
    state: 'running',
    privateIp: `10.0.${netOf(role)}.${index * 10 + incarnation}`,
    launchedAtMs: NOW_MS - 3_600_000,
    status: 'ok',
    ...change,
  };
}

export function aNode(slot: string, change: Partial<Omit<Node, 'fact'>> & { fact?: Partial<InstanceFact> } = {}): Node {
  return { health: aHealth(), ...change, fact: anInstance(slot, change.fact) };
}

/** A replica set over the hosts given: the first voter is the primary. */
export interface SetOf {
  voters: string[];
  nonVoters?: string[];
  primary?: string | null;
  setVersion?: number;
}

function helloFor(host: string, set: SetOf): HelloFact {
  const primary = set.primary === undefined ? set.voters[0] : (set.primary ?? undefined);
  const isMember = set.voters.includes(host) || (set.nonVoters ?? []).includes(host);
  if (!isMember) return { isWritablePrimary: false, secondary: false, hosts: [], passives: [] };
  return {
    setName: 'orion_rs',
    setVersion: set.setVersion ?? 3,
    isWritablePrimary: host === primary,
    secondary: host !== primary,
    me: host,
    ...(primary ? { primary } : {}),
    hosts: set.voters,
    passives: set.nonVoters ?? [],
    lastWriteS: NOW_MS / 1000,
  };
}

export function hostOfNode(node: Node): string {
  return `${node.fact.privateIp}:27017`;
}

/** Gives each living mongo node its answer to `hello`. */
export function withReplicaSet(nodes: Node[], set: SetOf): Node[] {
  return nodes.map((node) => {
    if (node.fact.role !== 'mongo' || node.health.health === 'dead') return node;
    const probe: NodeProbe = { role: 'mongo', atMs: NOW_MS, process: { is: 'ok', latencyMs: 1 }, hello: helloFor(hostOfNode(node), set) };
    return { ...node, probe };
  });
}

export interface World {
  spec: ClusterSpec;
  nodes: Node[];
  observation: Observation;
  memory: Memory;
}

/** The slides' cluster, up and well: every node healthy and in step, lb1 holds the address, mdb1 leads. */
export function aHealthyWorld(specInput: Partial<SpecInput> = {}): World {
  const spec = aSpec(specInput);
  const slots = ROLES.flatMap((role) => slotNames(role, countOf(spec, role)));
  const bare = slots.map((slot) => aNode(slot));
  const voters = bare.filter((node) => node.fact.role === 'mongo').map(hostOfNode);
  const nodes = withReplicaSet(bare, { voters });
  const address = { allocationId: 'eipalloc-1', cluster: 'city', name: 'entry1', publicIp: '203.0.113.1', holder: 'i-1011' };
  const observation: Observation = { cluster: 'city', atMs: NOW_MS, cloudKnown: true, zones: ZONES, nodes, addresses: [address] };
  const memory: Memory = {
    ...EMPTY_MEMORY,
    bornAtMs: NOW_MS - 3_600_000,
    replicaSetInitiated: true,
    writeConcernSet: 'majority',
    nextMemberId: spec.mongo.count,
    brokerSeeds: [...voters].sort(),
    incarnations: Object.fromEntries(slots.map((slot) => [slot, 1])),
  };
  return inStep({ spec, nodes, observation, memory });
}

/** Marks every node as running the configuration it should. */
export function inStep(world: World): World {
  const situation = look(world);
  const nodes = world.nodes.map((node) => {
    const version = wantedConfigOf(situation.configs, node)?.version;
    return version ? { ...node, configVersion: version } : node;
  });
  return { ...world, nodes, observation: { ...world.observation, nodes } };
}

export function look(world: World, nowMs = NOW_MS): Situation {
  return lookAt(world.spec, 'active', world.observation, world.memory, nowMs);
}

/** The world with some nodes changed, by slot. */
export function change(world: World, slot: string, edit: (node: Node) => Node | undefined): World {
  const nodes = world.nodes.flatMap((node) => (node.fact.slot === slot ? (edit(node) ?? []) : [node]));
  return { ...world, nodes, observation: { ...world.observation, nodes } };
}

export function withNodes(world: World, nodes: Node[]): World {
  return { ...world, nodes, observation: { ...world.observation, nodes } };
}

/** A node that is dead by probe. */
export function dead(node: Node, sickness: Sickness = 'process'): Node {
  const { probe: _, ...rest } = node;
  return { ...rest, health: aHealth('dead', sickness) };
}

/** What the planner says about a world, now. */
export function planOf(world: World): Plan {
  return plan(world.spec, 'active', world.observation, world.memory, NOW_MS);
}

/** The world with other answers to `hello`. */
export function setOf(world: World, set: SetOf): World {
  return withNodes(world, withReplicaSet(world.nodes, set));
}

/** Hosts of the mongo nodes, in the order of their slots. */
export function memberHosts(world: World): string[] {
  return world.nodes.filter((node) => node.fact.role === 'mongo').map(hostOfNode);
}

/** A mongo node that answers `hello` a little differently. */
export function withHello(node: Node, more: Partial<HelloFact>): Node {
  if (node.probe?.role !== 'mongo' || !node.probe.hello) return node;
  return { ...node, probe: { ...node.probe, hello: { ...node.probe.hello, ...more } } };
}

/** The world in which some hosts have kept up for a minute. */
export function caughtUp(world: World, ...hosts: string[]): World {
  return { ...world, memory: { ...world.memory, caughtUpSinceMs: Object.fromEntries(hosts.map((host) => [host, NOW_MS - 60_000])) } };
}

/** The world in which the balancers let a broker go some seconds ago, and its node counts connections, or can't. */
export function letGo(
  world: World,
  slot: string,
  { agoS = 5, connections = 0 }: { agoS?: number; connections?: number | 'uncounted' } = {},
): World {
  const node = world.nodes.find(({ fact }) => fact.slot === slot);
  if (!node) throw new Error(`no node fills ${slot}`);
  const draining = { instanceId: node.fact.instanceId, sinceMs: NOW_MS - agoS * 1000 - 3_000, letGoAtMs: NOW_MS - agoS * 1000 };
  const process = { is: 'ok', latencyMs: 2 } as const;
  const counted = typeof connections === 'number' ? { connections } : {};
  const probe: NodeProbe = { role: 'orion', atMs: NOW_MS, process, database: process, ...counted };
  return lbsInStep({ ...change(world, slot, (it) => ({ ...it, probe })), memory: { ...world.memory, draining } });
}

/** Marks the balancers alone as running the configuration they should. */
export function lbsInStep(world: World): World {
  const { configs } = look(world);
  return ['lb1', 'lb2'].reduce(
    (w, slot) =>
      change(w, slot, (node) => {
        const version = wantedConfigOf(configs, node)?.version;
        return version ? { ...node, configVersion: version } : node;
      }),
    world,
  );
}
