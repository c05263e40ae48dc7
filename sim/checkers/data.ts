/** Checks data: no living majority of voters lost by our own act, no acknowledged write lost. */
import type { Client } from '../client';
import type { SimWorld } from '../sim-world';
import type { MakeChecker } from './checker';

/** Living voters and voters of the newest configuration any living member of a cluster has. */
function countVoters(world: SimWorld, cluster: string, without?: string): { living: number; voters: number } {
  const nodes = [...world.cloud.nodes.values()].filter((node) => node.fact.cluster === cluster && node.member?.config);
  const configs = nodes.flatMap((node) => (world.cloud.isServing(node) && node.member?.config ? [node.member.config] : []));
  const newest = configs.sort((a, b) => b.version - a.version)[0];
  const voters = (newest?.members ?? []).filter((member) => member.votes !== 0);
  const living = voters.filter(({ host }) => {
    const node = world.cloud.byIp(host.split(':')[0] ?? '');
    return node !== undefined && node.fact.instanceId !== without && world.cloud.isServing(node);
  }).length;
  return { living, voters: voters.length };
}

/** A termination of ours that took the last majority. */
export const majorityKept: MakeChecker = (world, report) => {
  world.cloud.listeners.push({
    terminating(node, byUs) {
      const { cluster, role, slot, instanceId } = node.fact;
      if (!byUs || role !== 'mongo' || world.deleted.has(cluster)) return;
      const before = countVoters(world, cluster);
      const after = countVoters(world, cluster, instanceId);
      if (before.living * 2 > before.voters && after.living * 2 <= after.voters)
        report('majority-lost-by-us', `terminating ${slot} (${instanceId}) leaves ${after.living} of ${after.voters} voters`);
    },
  });
  return { name: 'majority-lost-by-us' };
};

/** Writes acknowledged by a majority that the present primary does not have. */
export function acknowledgedWrites(client: Client): MakeChecker {
  return (world, report) => {
    const look = () => {
      const lost = client.lost();
      if (lost.length > 0) report('lost-writes', `${lost.length} acknowledged writes are gone, the first is ${lost[0]}`);
    };
    world.onDeletion = look;
    return { name: 'lost-writes', end: () => (world.deleted.size === 0 ? look() : undefined) };
  };
}
