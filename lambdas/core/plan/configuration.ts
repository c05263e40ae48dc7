/** Plans configuration: what each node should run, who gets it next. New nodes at once, running ones one at a time a role. */
import { configVersion } from '../config/version';
import type { NodeConfig } from '../jobs';
import type { Role } from '../names';
import type { Node } from '../observation';
import { majorityOf } from './mongo-view';
import { common, emptyStep, mayTry, type Situation, type Step } from './situation';

/** VRRP router id: the two balancers of a cluster speak unicast to each other alone, so one id will do for all (slides: 51). */
const VIRTUAL_ROUTER_ID = 51;

function lbConfig(s: Situation, node: Node): NodeConfig | undefined {
  const brokers = s.slots.wanted.orion.flatMap(({ slot, current }) =>
    current?.fact.privateIp && current.fact.state === 'running' ? [{ slot, ip: current.fact.privateIp }] : [],
  );
  const ip = node.fact.privateIp;
  if (!ip || brokers.length === 0) return undefined;
  const peers = s.slots.wanted.lb.flatMap(({ current }) =>
    current && current !== node && current.fact.privateIp ? [current.fact.privateIp] : [],
  );
  return { role: 'lb', port: 1026, brokers, ip, peers: peers.slice(0, 1), virtualRouterId: VIRTUAL_ROUTER_ID };
}

/**
 * Seeds for the brokers: today's voters, or those told before as long as most of them still vote.
 * A driver finds all members from any living seed, so brokers need no restart for each change of the set.
 */
export function chooseSeeds(s: Situation): string[] {
  const voters = s.mongo.members.filter((m) => m.votes).map((m) => m.host);
  const told = s.memory.brokerSeeds;
  const stillVoting = told.filter((host) => voters.includes(host)).length;
  if (told.length > 0 && stillVoting >= majorityOf(told.length)) return told;
  const settled = s.mongo.primary !== undefined && (told.length > 0 || voters.length >= Math.min(s.spec.mongo.count, 3));
  return settled ? [...voters].sort() : told;
}

function orionConfig(s: Situation): NodeConfig | undefined {
  const seeds = chooseSeeds(s);
  if (seeds.length === 0) return undefined;
  return { role: 'orion', version: s.spec.orion.version, replicaSet: s.spec.mongo.replicaSet, seeds };
}

/** What a node should run, and its version; undefined while something it needs is not there yet. */
export function desiredConfig(s: Situation, node: Node): { config: NodeConfig; version: string } | undefined {
  const { role } = node.fact;
  const config =
    role === 'lb'
      ? lbConfig(s, node)
      : role === 'orion'
        ? orionConfig(s)
        : ({ role: 'mongo', replicaSet: s.spec.mongo.replicaSet } satisfies NodeConfig);
  return config && { config, version: configVersion(config) };
}

/** Whether a node runs the configuration it should. */
export function isInStep(s: Situation, node: Node): boolean {
  const desired = desiredConfig(s, node);
  return desired !== undefined && node.configVersion === desired.version;
}

/** Takes what must be true before a running node is touched: its like must be well, so that a bad rollout stops at one. */
function othersAreWell(s: Situation, node: Node): boolean {
  return s.slots.wanted[node.fact.role].every(
    ({ current }) =>
      !current ||
      current === node ||
      current.configVersion === undefined ||
      current.health.health === 'healthy' ||
      current.health.health === 'dead',
  );
}

function planRole(s: Situation, role: Role, step: Step): void {
  const underWay = s.inFlight.filter((job) => job.kind === 'applyConfig' && job.role === role);
  let rolling = underWay.length > 0;
  for (const { slot, current } of s.slots.wanted[role]) {
    if (current?.fact.state !== 'running' || !current.fact.privateIp || current.health.health === 'dead') continue;
    const desired = desiredConfig(s, current);
    if (!desired || current.configVersion === desired.version) continue;
    const { instanceId } = current.fact;
    const isNew = current.configVersion === undefined;
    const base = `config/${instanceId}`;
    if (!mayTry(s, base) || (!isNew && (rolling || !othersAreWell(s, current)))) continue;
    rolling ||= !isNew;
    const reason = isNew
      ? `${slot} (${instanceId}) has no configuration yet`
      : `${slot} (${instanceId}) runs ${current.configVersion}, wanted ${desired.version}`;
    step.jobs.push({ kind: 'applyConfig', ...common(s, base, reason), role, slot, instanceId, ...desired });
  }
}

/** Sends configurations: mongo before brokers before balancers, because each needs the one before. */
export function planConfiguration(s: Situation): Step {
  const step = emptyStep();
  for (const role of ['mongo', 'orion', 'lb'] as const) planRole(s, role, step);
  return step;
}
