/** The README of a Compose project. Text out; does nothing. */
import type { MongoSeries } from '../lambdas/core/catalogue/versions';
import { PORT } from '../lambdas/core/names';
import type { ClusterSpec } from '../lambdas/core/spec';
import { balancersOf, membersOf } from './cluster';
import { healthNotes, limits, roleNotes, roleTable } from './notes';

export function composeReadme(spec: ClusterSpec, series: MongoSeries, address: string): string {
  const [first = 'lb1'] = balancersOf(spec);
  return `# ${spec.name}: a FIWARE cluster in containers

\`\`\`sh
docker compose up -d --build
docker compose logs -f mongo-init        # the replica set begins once; running it again changes nothing
curl -fsS http://${address}:${PORT.orion}/version
\`\`\`

${address} is the virtual address: the balancer that leads holds it, on the network \`entry\`. On Linux the machine itself reaches it; from
elsewhere join that network, or publish a port of each balancer.

${roleTable(spec)}
## Let it fail

\`\`\`sh
docker compose kill ${first}                  # the other balancer holds ${address} about a second later
docker compose kill ctx1                 # no request fails
docker compose kill ${membersOf(spec)[0]}                 # writes wait for the election, about ten seconds
docker compose up -d                     # and all of it is back
\`\`\`

## Read this before you rely on it

All of it is on **one machine**, which may die as a whole: this is for trying out and for tests. On several machines use the stack for
Swarm (\`fiware-ha recipe swarm\`), which keeps brokers of one cluster apart, members with their data, and balancers on machines of their
own; or the files for given machines (\`fiware-ha recipe baremetal\`); or EC2 (\`fiware-ha create\`), where the control plane replaces what dies.
Here nobody replaces a member whose volume is gone: it copies from the others when it comes back under its name.

\`docker compose down\` keeps the volumes; \`down --volumes\` throws the data away.

## Who is asked what

${healthNotes(spec)}
The containers' own checks ask for the database as well where a probe can: \`docker compose ps\` tells the truth, and Compose restarts
nothing because of it.

## The roles

${roleNotes(spec)}
## Not in here

${limits(series)}`;
}
