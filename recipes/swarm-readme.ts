/** The README of a stack for Swarm. Text out; does nothing. */
import type { MongoSeries } from '../lambdas/core/catalogue/versions';
import { PORT } from '../lambdas/core/names';
import type { ClusterSpec } from '../lambdas/core/spec';
import { membersOf } from './cluster';
import { healthNotes, limits, roleNotes, roleTable } from './notes';

function wayIn(virtual: string | undefined): string {
  if (!virtual)
    return `No virtual address was given (\`--virtual 192.168.0.99/24\`): clients must know the machines of the balancers, by DNS or a balancer in
front of them.`;
  return `${virtual.replace(/\/.*/, '')} is held by one of the balancers' machines (service \`vrrp\`: keepalived on the machines' own network, by multicast; where the
network carries none, give each machine a keepalived of its own from \`fiware-ha recipe baremetal\`). It moves when the balancer there stops
answering.`;
}

export function swarmReadme(spec: ClusterSpec, series: MongoSeries, virtual: string | undefined): string {
  const places = membersOf(spec);
  return `# ${spec.name}: a FIWARE cluster as a Swarm stack

Label the machines once. A place is a machine that may die by itself; members of the replica set stay at theirs, with their data.

\`\`\`sh
${places.map((slot, i) => `docker node update --label-add fiware-ha.place=${i + 1} MACHINE${i + 1}      # ${slot}`).join('\n')}
docker node update --label-add fiware-ha.lb=true MACHINE1           # two machines, clients reach them
docker node update --label-add fiware-ha.lb=true MACHINE2
\`\`\`

Every machine must be able to pull the balancers' image; the stack can't build it:

\`\`\`sh
docker build -t REGISTRY/${spec.name}-lb:1 lb && docker push REGISTRY/${spec.name}-lb:1
BALANCER_IMAGE=REGISTRY/${spec.name}-lb:1 docker stack deploy -c stack.yaml ${spec.name}
docker service logs -f ${spec.name}_mongo-init     # the replica set begins once; running it again changes nothing
curl -fsS http://MACHINE1:${PORT.orion}/version
\`\`\`

${wayIn(virtual)}

${roleTable(spec)}
## What Swarm is told

- Brokers and other equal processes: spread over the places, at most one on a machine (\`max_replicas_per_node\`): with fewer machines than
  processes some stay pending, rather than share a fate. Scale with \`docker service scale ${spec.name}_ctx=4\` after rendering anew with that count:
  HAProxy has as many places for them as the spec says.
- Members of the replica set and processes with an order (active and waiting) are a service each, tied to a place. A member whose machine
  is gone for good is not moved by Swarm, because its data would not move: label another machine with its place, and it copies from the others.
- One at a time: an update stops one, waits, and pauses when it fails.
- **Swarm kills what its health check calls unhealthy.** So it asks for the process alone; a broker that lost its database goes on, and
  HAProxy, which asks for the database, sends to another one. STH-Comet is the exception: it never finds its database again after a long
  outage, and is restarted when it has not answered from it for two minutes.
- Configurations are Swarm configs, named by their content: render anew and deploy again, and what changed is rolled out.
- There are no passwords in this stack; where you add some, make them secrets, never environment.

## Who is asked what

${healthNotes(spec)}
## The roles

${roleNotes(spec)}
## Not in here

${limits(series)}`;
}
