/** Checks data: no living majority of voters lost by our own act, no acknowledged write lost. */
import type { Client } from '../client';
import { compareConfigs, type ReplicaSetConfig, votersOf } from '../replica-set/replica-config';
import type { SimNode } from '../sim-node';
import type { SimWorld } from '../sim-world';
import type { MakeChecker } from './checker';
import { holdsData, ServingLog } from './serving';

/** A member that fell silent so short a time ago counts as there: its peers miss it after the election timeout and a heartbeat, ms. */
const UNNOTICED_MS = 15_000;

/** The newest configuration any living member of a cluster has. */
function newestConfig(world: SimWorld, cluster: string): ReplicaSetConfig | undefined {
  let newest: ReplicaSetConfig | undefined;
  for (const node of world.cloud.nodes.values()) {
    const config = node.fact.cluster === cluster && world.cloud.isServing(node) ? node.member?.config : undefined;
    if (config && (!newest || compareConfigs(config, newest) > 0)) newest = config;
  }
  return newest;
}

interface Quorum {
  living: number;
  voters: number;
}

function hasMajority({ living, voters }: Quorum): boolean {
  return living * 2 > voters;
}

/** Counts from outside: the true configuration, and who holds data and is in touch. */
class Voters {
  private readonly log: ServingLog;

  constructor(private readonly world: SimWorld) {
    this.log = new ServingLog(world, (node) => holdsData(world, node));
  }

  look(): void {
    this.log.look();
  }

  count(config: ReplicaSetConfig | undefined, without?: SimNode): Quorum {
    const voters = config ? votersOf(config) : [];
    const living = voters.filter(({ host }) => {
      const node = this.world.cloud.byIp(host.split(':')[0] ?? '');
      return node !== undefined && node !== without && this.log.servedWithin(node, UNNOTICED_MS);
    });
    return { living: living.length, voters: voters.length };
  }
}

/** A termination, a restart or a new configuration of ours that took the last majority. */
export const majorityKept: MakeChecker = (world, report) => {
  const voters = new Voters(world);
  const judge = (before: Quorum, after: Quorum, act: string): void => {
    if (hasMajority(before) && !hasMajority(after))
      report('majority-lost-by-us', `${act} leaves ${after.living} of ${after.voters} voters`);
  };
  const without = (node: SimNode, verb: string): void => {
    const { cluster, role, slot, instanceId } = node.fact;
    if (role !== 'mongo' || world.deleted.has(cluster)) return;
    const config = newestConfig(world, cluster);
    judge(voters.count(config), voters.count(config, node), `${verb} ${slot} (${instanceId})`);
  };
  world.cloud.listeners.push({
    terminating(node, byUs) {
      if (byUs) without(node, 'terminating');
    },
    restarting(node) {
      // The only voter has nobody to hand over to: its restart is felt either way.
      if (voters.count(newestConfig(world, node.fact.cluster)).voters > 1) without(node, 'restarting');
    },
    reconfigured(node, before, after) {
      const act = `the configuration of version ${after.version} on ${node.fact.slot}`;
      judge(voters.count(before), voters.count(after), act);
      const [old, now] = [votersOf(before), votersOf(after)].map((members) => new Set(members.map(({ host }) => host)));
      const changed = [...(old ?? [])].filter((host) => !now?.has(host)).length + [...(now ?? [])].filter((host) => !old?.has(host)).length;
      if (changed > 1) report('majority-lost-by-us', `${act} changes ${changed} voters at once`);
    },
  });
  return { name: 'majority-lost-by-us', look: () => voters.look() };
};

/**
 * A replica set that began anew under the same name: whatever the first one held is out of its reach. One whose only node others than us
 * have terminated, before another knew of the set, is gone in any case.
 */
export const initiatedOnce: MakeChecker = (world, report) => {
  const initiated = new Map<string, SimNode>();
  const takenByOthers = new Set<SimNode>();
  const knowsOther = (first: SimNode, cluster: string, now: SimNode) =>
    [...world.cloud.nodes.values()].some((node) => node !== first && node !== now && node.fact.cluster === cluster && node.member?.config);
  world.cloud.listeners.push({
    terminating: (node, byUs) => void (byUs || takenByOthers.add(node)),
    initiated(node) {
      const { cluster, slot, instanceId } = node.fact;
      const first = initiated.get(cluster);
      initiated.set(cluster, node);
      if (first && !(takenByOthers.has(first) && !knowsOther(first, cluster, node)))
        report(
          'initiated-twice',
          `the replica set of ${cluster} was initiated on ${first.fact.slot} (${first.fact.instanceId}), and again on ${slot} (${instanceId})`,
        );
    },
  });
  return { name: 'initiated-twice' };
};

/** Writes acknowledged by a majority that the present primary does not have. */
export function acknowledgedWrites(client: Client): MakeChecker {
  return (world, report, bounds) => {
    const look = () => {
      if (bounds.isDataForfeit) return;
      const lost = client.lost();
      if (lost.length > 0) report('lost-writes', `${lost.length} acknowledged writes are gone, the first is ${lost[0]}`);
    };
    const others = world.onDeletion;
    world.onDeletion = (cluster) => {
      others?.(cluster);
      // In the midst of an election there is nobody to ask, and behind a cut the one who leads may be one who led.
      if (world.replicaSets.primaryOf(cluster) && world.faults.cuts.size === 0) look();
    };
    return { name: 'lost-writes', end: () => (world.deleted.size === 0 ? look() : undefined) };
  };
}
