/** Wanted configurations: what each node should run, worked out once a plan. Sends nothing. */
import { orionSettings } from '../config/orion-sizing';
import { configVersion } from '../config/version';
import type { Memory, Rollout } from '../memory';
import { PORT, ROLES } from '../names';
import type { NodeConfig } from '../node-config';
import type { Node } from '../observation';
import { withSettings } from '../rollout-settings';
import type { Slots } from '../slots';
import type { ClusterSpec } from '../spec';
import type { PoolMember } from './drain';
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

function lbConfigs(spec: ClusterSpec, slots: Slots, brokers: PoolMember[], claimQueueUrl: string | undefined): Map<string, WantedConfig> {
  const nodes = slots.wanted.lb.flatMap(({ current }) => current ?? []);
  const configs = new Map<string, WantedConfig>();
  for (const { fact } of nodes) {
    if (!fact.privateIp || brokers.length === 0) continue;
    const peers = nodes.flatMap((peer) => (peer.fact !== fact && peer.fact.privateIp ? [peer.fact.privateIp] : []));
    const config = {
      role: 'lb',
      port: PORT.orion,
      brokers,
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

/** What all brokers should run; absent until there are members to name. */
function orionConfig(spec: ClusterSpec, mongo: MongoView, memory: Memory): WantedConfig | undefined {
  const { replicaSet, writeConcern, readPreference } = spec.mongo;
  const seeds = chooseSeeds(spec, mongo, memory);
  if (seeds.length === 0) return undefined;
  const { version, instanceType, settings } = spec.orion;
  return withVersion({
    role: 'orion',
    version,
    replicaSet,
    seeds,
    writeConcern,
    readPreference,
    settings: orionSettings(instanceType, settings),
  });
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

/** Configurations of all roles but the balancers, whose own name the brokers that serve: see `withBalancers`. */
export function workOutConfigs({ present, proven }: SpecsToRender, mongo: MongoView, memory: Memory): WantedConfigs {
  const work = (of: ClusterSpec): WantedConfigs => {
    const orion = orionConfig(of, mongo, memory);
    return { mongo: withVersion({ role: 'mongo', replicaSet: of.mongo.replicaSet }), ...(orion ? { orion } : {}), lb: new Map() };
  };
  return proven === present ? work(present) : { ...work(present), forNew: work(proven) };
}

/** All configurations of a cluster; `brokers`: whom the balancers send to. */
export function withBalancers(
  configs: WantedConfigs,
  { present, proven }: SpecsToRender,
  slots: Slots,
  brokers: PoolMember[],
  claimQueueUrl: string | undefined,
): WantedConfigs {
  const lb = lbConfigs(present, slots, brokers, claimQueueUrl);
  const { forNew } = configs;
  return forNew ? { ...configs, lb, forNew: { ...forNew, lb: lbConfigs(proven, slots, brokers, claimQueueUrl) } } : { ...configs, lb };
}

/** What one node should run; undefined while something it needs is not there yet. */
export function wantedConfigOf(configs: WantedConfigs, node: Node): WantedConfig | undefined {
  const { role, instanceId } = node.fact;
  const { lb, ...others } = node.configVersion === undefined ? (configs.forNew ?? configs) : configs;
  return role === 'lb' ? lb.get(instanceId) : others[role];
}

/** Whether a node runs the configuration it should. */
export function isInStep(configs: WantedConfigs, node: Node): boolean {
  const wanted = wantedConfigOf(configs, node);
  return wanted !== undefined && node.configVersion === wanted.version && node.drifted === undefined;
}
