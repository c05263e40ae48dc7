/** Checks jobs and leftovers: every job ends done, refused or as a dead letter; a deleted cluster leaves nothing behind. */
import type { Message } from '../message-queues';
import type { SimWorld } from '../sim-world';
import type { MakeChecker } from './checker';

/** A key that a dead letter carries, as its own or, for a person's message without one, by the message's id. */
function isDeadLetter({ queues }: SimWorld, jobKey: string): boolean {
  return queues.deadLetters.some(
    ({ id, body }) =>
      jobKey.endsWith(`/${id}`) ||
      body.includes(JSON.stringify(jobKey.replace(/^request\/[^/]*\//, ''))) ||
      body.includes(JSON.stringify(jobKey)),
  );
}

/** Messages not acknowledged yet that carry a job: checks go on for ever, what a person asks for may travel on their queue. */
export function openJobs({ queues }: SimWorld): Message[] {
  return [...queues.open.values()].filter(({ queue, body }) => queue !== 'health-check' || body.includes('"jobKey"'));
}

/** A job on a queue that has neither ended nor become a dead letter, once all is quiet. */
export const noJobLost: MakeChecker = (world, report) => ({
  name: 'lost-job',
  end() {
    for (const message of openJobs(world))
      report('lost-job', `message ${message.id} on ${message.queue} has not ended: ${message.body.slice(0, 120)}`);
    for (const [jobKey, claim] of world.state.claims)
      if (claim.is === 'running' && !claim.commandId && !isDeadLetter(world, jobKey))
        report('lost-job', `${jobKey} was taken and has not ended`);
  },
});

/** What a deleted cluster left. */
function leftovers({ cloud, state }: SimWorld, cluster: string): string[] {
  const nodes = [...cloud.nodes.values()]
    .filter(({ fact }) => fact.cluster === cluster && fact.state !== 'terminated')
    .map(({ fact }) => fact.instanceId);
  const addresses = [...cloud.addresses.values()].filter((address) => address.cluster === cluster).map((address) => address.publicIp);
  const groups = [...cloud.placementGroups].filter((name) => name.startsWith(`fiware-ha-${cluster}-`));
  return [
    ...nodes,
    ...addresses,
    ...groups,
    ...(state.specs.has(cluster) ? ['its spec'] : []),
    ...(state.rows.has(cluster) ? ['its row'] : []),
  ];
}

/** Instances, addresses, placement groups, spec or row of a deleted cluster. */
export const nothingLeaks: MakeChecker = (world, report) => ({
  name: 'leak',
  end() {
    for (const cluster of world.deleted) {
      const left = leftovers(world, cluster);
      if (left.length > 0) report('leak', `${cluster} was deleted and left ${left.join(', ')}`);
    }
  },
});
