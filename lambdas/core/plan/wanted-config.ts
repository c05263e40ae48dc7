/** Wanted configurations: what each node should run, worked out once a plan. Sends nothing. */
import { configVersion } from '../config/version';
import type { NodeConfig } from '../jobs';
import type { Memory, Rollout } from '../memory';
import { PORT, ROLES } from '../names';
import type { Node, Observation } from '../observation';
import { withSettings } from '../rollout-settings';
import type { Slots } from '../slots';
import type { ClusterSpec } from '../spec';
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

function lbConfigs(spec: ClusterSpec, slots: Slots, claimQueueUrl: string | undefined): Map<string, WantedConfig> {
  const brokers = slots.wanted.orion.flatMap(({ slot, current }) =>
    current?.fact.privateIp && current.fact.state === 'running' ? [{ slot, ip: current.fact.privateIp }] : [],
  );
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

/** Of one spec. */
function configsOf(
  spec: ClusterSpec,
  { claimQueueUrl }: Pick<Observation, 'claimQueueUrl'>,
  slots: Slots,
  mongo: MongoView,
  memory: Memory,
): WantedConfigs {
  const { replicaSet, writeConcern, readPreference } = spec.mongo;
  const seeds = chooseSeeds(spec, mongo, memory);
  return {
    mongo: withVersion({ role: 'mongo', replicaSet }),
    ...(seeds.length > 0
      ? { orion: withVersion({ role: 'orion', version: spec.orion.version, replicaSet, seeds, writeConcern, readPreference }) }
      : {}),
    lb: lbConfigs(spec, slots, claimQueueUrl),
  };
}

/** The spec as it is rendered: with the last good settings of roles whose own turned out bad, or did not prove themselves yet. */
function specToRender(spec: ClusterSpec, { rollouts }: Memory, isBackAt: (rollout: Rollout) => boolean): ClusterSpec {
  return ROLES.reduce((rendered, role) => {
    const rollout = rollouts[role];
    return rollout?.good && isBackAt(rollout) ? (withSettings(rendered, rollout.good.settings) ?? rendered) : rendered;
  }, spec);
}

/** All configurations of a cluster. */
export function workOutConfigs(
  spec: ClusterSpec,
  observation: Pick<Observation, 'claimQueueUrl'>,
  slots: Slots,
  mongo: MongoView,
  memory: Memory,
): WantedConfigs {
  const work = (of: ClusterSpec) => configsOf(of, observation, slots, mongo, memory);
  const present = specToRender(spec, memory, ({ state }) => state === 'bad');
  const proven = specToRender(spec, memory, ({ state, took }) => state === 'bad' || (state === 'rolling' && took.length === 0));
  const configs = work(present);
  return proven === present ? configs : { ...configs, forNew: work(proven) };
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
