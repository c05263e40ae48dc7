/** Wanted configurations: what each node should run, worked out once a plan. Sends nothing. */
import { enablersOf } from '../catalogue/enablers-spec';
import { orionSettings } from '../config/orion-sizing';
import { configVersion } from '../config/version';
import type { Memory, Rollout } from '../memory';
import { PORT, ROLES, slotNames } from '../names';
import type { LbConfig, NodeConfig } from '../node-config';
import type { Node } from '../observation';
import { withSettings } from '../rollout-settings';
import type { Slots } from '../slots';
import type { ClusterSpec } from '../spec';
import type { Pools } from './drain';
import { type MongoView, majorityOf } from './mongo-view';

/** First of the two VRRP router ids: the balancers of a cluster speak unicast to each other alone, so the same will do for all (slides: 51). */
const VIRTUAL_ROUTER_ID = 51;

export interface WantedConfig {
  config: NodeConfig;
  version: string;
}

/** Absent where something the configuration needs is not there yet. */
export interface WantedConfigs {
  mongo: WantedConfig;
  orion?: WantedConfig;
  /** By instance id: the two balancers name each other, so theirs differ. */
  lb: ReadonlyMap<string, WantedConfig>;
  /** Of the catalogue's roles, by slot: the first of some does what the others must not. */
  services: ReadonlyMap<string, WantedConfig>;
  /** What a node without any gets while a rollout has not proved itself on one that runs; absent where that is the same. */
  forNew?: WantedConfigs;
}

function withVersion(config: NodeConfig): WantedConfig {
  return { config, version: configVersion(config) };
}

/**
 * Seeds for the brokers: today's voters, or those told before as long as most of them still vote.
 * A driver finds all members from any living seed, so brokers need no restart for each change of the set.
 */
export function chooseSeeds(spec: ClusterSpec, mongo: MongoView, memory: Memory): string[] {
  const voters = mongo.members.filter((m) => m.votes).map((m) => m.host);
  const told = memory.brokerSeeds;
  const stillVoting = told.filter((host) => voters.includes(host)).length;
  if (told.length > 0 && (voters.length === 0 || stillVoting >= majorityOf(told.length))) return told;
  const settled = mongo.primary !== undefined && (told.length > 0 || voters.length >= Math.min(spec.mongo.count, 3));
  return settled ? [...voters].sort() : told;
}

/** What else the balancers offer; a role nobody serves for is offered as well: its clients are told so at once. */
function servicesOf({ enablers }: ClusterSpec, pools: Pools): Pick<LbConfig, 'services'> {
  const services = enablersOf(enablers).map(({ entry: { name }, spec: { ports } }) => ({ role: name, ports, servers: pools[name] }));
  return services.length === 0 ? {} : { services };
}

function lbConfigs(spec: ClusterSpec, slots: Slots, pools: Pools, claimQueueUrl: string | undefined): Map<string, WantedConfig> {
  const brokers = pools.orion;
  const nodes = slots.wanted.lb.flatMap(({ current }) => current ?? []);
  const configs = new Map<string, WantedConfig>();
  for (const { fact } of nodes) {
    if (!fact.privateIp || brokers.length === 0) continue;
    const peers = nodes.flatMap((peer) => (peer.fact !== fact && peer.fact.privateIp ? [peer.fact.privateIp] : []));
    const config = {
      role: 'lb',
      port: PORT.orion,
      brokers,
      ...servicesOf(spec, pools),
      ip: fact.privateIp,
      peers: peers.slice(0, 1),
      ...(fact.secondaryIps && fact.secondaryIps.length > 0 ? { secondaryIps: fact.secondaryIps } : {}),
      virtualRouterId: VIRTUAL_ROUTER_ID,
      advertIntervalS: spec.entry.advertIntervalS,
      protocol: spec.entry.protocol,
      ...(claimQueueUrl ? { claims: { cluster: spec.name, queueUrl: claimQueueUrl } } : {}),
    } as const;
    configs.set(fact.instanceId, withVersion(config));
  }
  return configs;
}

/** What everybody with a driver is told of the replica set; absent until there are members to name. */
function databaseOf({ mongo }: ClusterSpec, seeds: string[]) {
  const { replicaSet, writeConcern, readPreference } = mongo;
  return seeds.length === 0 ? undefined : { replicaSet, seeds, writeConcern, readPreference };
}

/** What all brokers should run. */
function orionConfig(spec: ClusterSpec, seeds: string[]): WantedConfig | undefined {
  const database = databaseOf(spec, seeds);
  const { version, instanceType, settings } = spec.orion;
  return database && withVersion({ role: 'orion', version, ...database, settings: orionSettings(instanceType, settings) });
}

/** What each slot of the catalogue's roles should run; none until the address is there by which they reach the brokers. */
function enablerConfigs(spec: ClusterSpec, seeds: string[], address: string | undefined): Map<string, WantedConfig> {
  const database = databaseOf(spec, seeds);
  if (!database || !address) return new Map();
  const broker = { host: address, port: PORT.orion };
  const configs = enablersOf(spec.enablers).flatMap(({ entry: { name }, spec: { count, version, ports, options } }) =>
    slotNames(name, count).map((slot, i): [string, WantedConfig] => {
      const offered = { host: address, port: ports.north };
      return [slot, withVersion({ role: name, version, index: i + 1, ...database, broker, offered, options })];
    }),
  );
  return new Map(configs);
}

/** The spec as it is rendered: with the last good settings of roles whose own turned out bad, or did not prove themselves yet. */
function specToRender(spec: ClusterSpec, { rollouts }: Memory, isBackAt: (rollout: Rollout) => boolean): ClusterSpec {
  return ROLES.reduce((rendered, role) => {
    const rollout = rollouts[role];
    return rollout?.good && isBackAt(rollout) ? (withSettings(rendered, rollout.good.settings) ?? rendered) : rendered;
  }, spec);
}

/** What is rendered for nodes that run, and for new ones. */
export interface SpecsToRender {
  present: ClusterSpec;
  /** The same object as `present` where no rollout tells them apart. */
  proven: ClusterSpec;
}

/** The specs to render, by what the rollouts remember. */
export function specsToRender(spec: ClusterSpec, memory: Memory): SpecsToRender {
  const present = specToRender(spec, memory, ({ state }) => state === 'bad');
  const isUnproven = Object.values(memory.rollouts).some(({ state, took, good }) => good && state === 'rolling' && took.length === 0);
  if (!isUnproven) return { present, proven: present };
  const proven = specToRender(spec, memory, ({ state, took }) => state === 'bad' || (state === 'rolling' && took.length === 0));
  return { present, proven };
}

/**
 * Configurations of all roles but the balancers, whose own name those that serve: see `withBalancers`. `address`: the public one by which
 * the balancers are reached, absent until there is one.
 */
export function workOutConfigs(
  { present, proven }: SpecsToRender,
  mongo: MongoView,
  memory: Memory,
  address: string | undefined,
): WantedConfigs {
  const work = (of: ClusterSpec): WantedConfigs => {
    const seeds = chooseSeeds(of, mongo, memory);
    const orion = orionConfig(of, seeds);
    return {
      mongo: withVersion({ role: 'mongo', replicaSet: of.mongo.replicaSet }),
      ...(orion ? { orion } : {}),
      lb: new Map(),
      services: enablerConfigs(of, seeds, address),
    };
  };
  return proven === present ? work(present) : { ...work(present), forNew: work(proven) };
}

/** All configurations of a cluster; `pools`: whom the balancers send to. */
export function withBalancers(
  configs: WantedConfigs,
  { present, proven }: SpecsToRender,
  slots: Slots,
  pools: Pools,
  claimQueueUrl: string | undefined,
): WantedConfigs {
  const lb = lbConfigs(present, slots, pools, claimQueueUrl);
  const { forNew } = configs;
  return forNew ? { ...configs, lb, forNew: { ...forNew, lb: lbConfigs(proven, slots, pools, claimQueueUrl) } } : { ...configs, lb };
}

/** What one node should run; undefined while something it needs is not there yet. */
export function wantedConfigOf(configs: WantedConfigs, node: Node): WantedConfig | undefined {
  const { role, slot, instanceId } = node.fact;
  const { lb, services, mongo, orion } = node.configVersion === undefined ? (configs.forNew ?? configs) : configs;
  if (role === 'lb') return lb.get(instanceId);
  if (role === 'mongo') return mongo;
  return role === 'orion' ? orion : services.get(slot);
}

/** Whether a node runs the configuration it should. */
export function isInStep(configs: WantedConfigs, node: Node): boolean {
  const wanted = wantedConfigOf(configs, node);
  return wanted !== undefined && node.configVersion === wanted.version && node.drifted === undefined;
}
