/** The steps of a bare-metal recipe, for people to follow. Text out; does nothing. */
import { orion } from '../lambdas/core/catalogue/orion';
import type { MongoSeries } from '../lambdas/core/catalogue/versions';
import { PORT } from '../lambdas/core/names';
import { type ClusterSpec, defaultWriteConcernOf } from '../lambdas/core/spec';
import { type Addresses, slotsOf } from './addresses';
import { balancersOf, membersOf, type Part, partsOf, slotsOfPart } from './cluster';
import { healthNotes, limits, roleNotes, roleTable } from './notes';
import { WORTH_IT } from './pacemaker';

interface Choices {
  mongoSeries: MongoSeries;
  manager: 'keepalived' | 'pacemaker';
  asInTheSlides: boolean;
}

function addressTable(spec: ClusterSpec, { virtual, nodes }: Addresses): string {
  const rows = slotsOf(spec).map((slot) => `| ${slot} | ${nodes[slot]} |`);
  return `| machine | address |\n| --- | --- |\n| (held by a balancer) | ${virtual} |\n${rows.join('\n')}\n`;
}

function copy(slots: readonly string[], { nodes }: Addresses): string {
  return slots.map((slot) => `scp -r ${slot}/* root@${nodes[slot]}:/`).join('\n');
}

const fence = (text: string) => `\`\`\`sh\n${text}\n\`\`\`\n`;

function beginning(spec: ClusterSpec, seeds: readonly string[], asInTheSlides: boolean): string {
  const [first = '', ...others] = seeds;
  const concern = JSON.stringify(defaultWriteConcernOf(spec));
  if (asInTheSlides)
    return `On ${membersOf(spec)[0]}, and there alone, in mongosh (\`mongo\` with 4.4), one line after the other; wait for each answer \`ok: 1\`:

\`\`\`js
rs.initiate({ _id: "${spec.mongo.replicaSet}", members: [{ _id: 0, host: "${first}" }] })
${others.map((seed) => `rs.add("${seed}")`).join('\n')}
rs.status()
\`\`\`

\`rs.add\` gives a vote at once: between the first and the last of these lines a member that dies can stop the set. The script
\`mongo/initiate-replica-set\` begins with all of them instead, and stops where one has data or belongs to another set.
`;
  return `From a machine with \`mongosh\` that reaches all members, once; it waits for all of them, never begins a second set, and running it again
changes nothing:

${fence('./mongo/initiate-replica-set')}
The same by hand, in mongosh on ${membersOf(spec)[0]} alone: first \`rs.status()\` on **each** member, which must say \`NotYetInitialized\`. Then

\`\`\`js
rs.initiate({ _id: "${spec.mongo.replicaSet}", members: [
${seeds.map((seed, i) => `  { _id: ${i}, host: "${seed}" },`).join('\n')}
] })
rs.status()   // until one is PRIMARY and the others SECONDARY
db.adminCommand({ setDefaultRWConcern: 1, defaultWriteConcern: { w: ${concern} } })
\`\`\`
`;
}

/** The order that keeps a majority at every moment: one vote a step. */
function laterSteps(): string {
  return `### Later: another member, or one less

One change at a time, on the primary; after each wait until \`rs.status()\` shows everybody well.

\`\`\`js
// In: without a vote, so that it can't be missed while it copies; with one when it is SECONDARY and up to date
rs.add({ host: "ADDRESS:${PORT.mongo}", votes: 0, priority: 0 })
const c = rs.conf(); const m = c.members.find((x) => x.host === "ADDRESS:${PORT.mongo}"); m.votes = 1; m.priority = 1; rs.reconfig(c)
// Out: never the primary itself (rs.stepDown() first), never where the rest would be no majority
rs.remove("ADDRESS:${PORT.mongo}")
\`\`\`

A dead member is replaced in that order: the new one in, copied, the dead one out, then the vote. \`force: true\` can lose acknowledged
writes: it is for a lost majority alone, by a person who knows which copy is the newest.
`;
}

function processSteps(part: Part, addresses: Addresses, asInTheSlides: boolean): string {
  const { entry, version } = part;
  const slots = slotsOfPart(part);
  const probe = entry.health.truth ?? entry.health.process;
  const headers = Object.entries(probe.headers ?? {}).map(([key, value]) => ` -H '${key}: ${value}'`);
  const check = slots
    .map(
      (slot) =>
        `curl -fsS${headers.join('')} 'http://${addresses.nodes[slot]}:${entry.ports[probe.port] ?? entry.ports.north}${probe.path}'`,
    )
    .join('\n');
  const start =
    asInTheSlides && entry.name === orion.name
      ? `# as root on each; contextBroker ${version} from its RPM\nservice contextBroker restart && chkconfig contextBroker on`
      : `# as root on each; needs docker.io\n${entry.keeps.map((folder) => `mkdir -p ${folder}\n`).join('')}docker pull ${entry.image(version)}\nsystemctl daemon-reload && systemctl enable --now fiware-${entry.name}`;
  return `### ${entry.title} (${slots.join(', ')})

${fence(copy(slots, addresses))}
${fence(start)}
Each must answer by itself, with its database, before it is offered:

${fence(check)}`;
}

function balancerSteps(spec: ClusterSpec, addresses: Addresses, { manager, asInTheSlides }: Choices): string {
  const slots = balancersOf(spec);
  const packages =
    manager === 'pacemaker'
      ? 'haproxy curl pacemaker corosync pcs fence-agents'
      : `haproxy keepalived${asInTheSlides ? ' psmisc' : ' curl'}`;
  const checks =
    manager === 'pacemaker'
      ? 'corosync -t && haproxy -c -f /etc/haproxy/haproxy.cfg'
      : `haproxy -c -f /etc/haproxy/haproxy.cfg && keepalived -t -f /etc/keepalived/keepalived.conf`;
  const keepalived = `systemctl restart haproxy && systemctl restart keepalived && systemctl enable haproxy keepalived`;
  const pacemaker = `corosync-keygen                      # on ${slots[0]}; copy /etc/corosync/authkey to the other one, mode 0400
systemctl disable --now haproxy      # Pacemaker starts it
systemctl enable --now corosync pacemaker`;
  const tellPacemaker =
    manager === 'pacemaker'
      ? `
Then tell Pacemaker, once, on ${slots[0]}: first into a file, to be looked at, then for good. How each is fenced you must say; the script
refuses to go on without.

${fence(`export ${slots.map((slot) => `FENCE_${slot.toUpperCase()}='...'`).join(' ')}
CIB=/root/fiware-ha.cib ./pacemaker/configure && crm_verify -V --xml-file /root/fiware-ha.cib
./pacemaker/configure && pcs status`)}`
      : '';
  return `${fence(`# as root on each\napt-get install -y --no-install-recommends ${packages}`)}
${fence(copy(slots, addresses))}
${fence(`# as root on each
${asInTheSlides || manager === 'pacemaker' ? '' : 'chown root: /usr/local/bin/check-haproxy && chmod 0755 /usr/local/bin/check-haproxy\n'}sysctl -p /etc/sysctl.d/60-fiware-ha.conf
${checks}
${manager === 'pacemaker' ? pacemaker : keepalived}`)}${tellPacemaker}
`;
}

function managerChoice(manager: Choices['manager']): string {
  const other =
    manager === 'pacemaker'
      ? 'This recipe has Corosync and Pacemaker in the place of keepalived.'
      : 'With `--manager pacemaker` this recipe has Corosync and Pacemaker in the place of keepalived.';
  return `${other} When that is worth it:\n\n${WORTH_IT}`;
}

/** README.md of a bare-metal recipe. */
export function baremetalReadme(spec: ClusterSpec, addresses: Addresses, choices: Choices, seeds: readonly string[]): string {
  const { mongoSeries, manager, asInTheSlides } = choices;
  const lbs = balancersOf(spec);
  const parts = partsOf(spec);
  const tcp = asInTheSlides || spec.entry.protocol === 'tcp';
  return `# ${spec.name}: a FIWARE cluster on these machines

One folder a machine, laid out as on the machine itself: its files go to \`/\`. Follow the steps in their order: each stands on the one
before.

${addressTable(spec, addresses)}
${roleTable(spec)}
The balancers run Debian 12; members and brokers what MongoDB ${mongoSeries} and ${asInTheSlides ? "Orion's RPM" : 'Docker'} are packaged for. Clocks in step (chrony).
Between the machines must be open: ${lbs.length > 1 ? `${manager === 'pacemaker' ? 'UDP 5404 and 5405, TCP 2224' : 'IP protocol 112 (VRRP)'} between ${lbs.join(' and ')}, ` : ''}the ports above from
balancers to the other machines, ${PORT.mongo} among ${membersOf(spec).join(', ')} and from the other roles to them. ${PORT.admin} of the balancers is for
those who look after them.

## 1. The replica set

Install MongoDB ${mongoSeries} (mongodb-org) on ${membersOf(spec).join(', ')}, then copy. The folder of data must be empty: nothing here wipes one.

${fence(copy(membersOf(spec), addresses))}
${fence('# as root on each\nsystemctl enable --now mongod')}
${beginning(spec, seeds, asInTheSlides)}
${laterSteps()}
## 2. Brokers${parts.length > 1 ? ' and the other roles' : ''}

${parts.map((part) => processSteps(part, addresses, asInTheSlides)).join('\n')}
## 3. Balancers

${balancerSteps(spec, addresses, choices)}
## 4. Look at it, and let it fail

${fence(`curl -fsS http://${addresses.virtual}:${PORT.orion}/version
ip -br address show dev ${addresses.interface}      # on each balancer: one of them has ${addresses.virtual}`)}
Stop HAProxy on that one: the other holds ${addresses.virtual} ${asInTheSlides ? 'after a few seconds, and gives it back when lb1 is well again' : 'about a second later, and keeps it'}. ${tcp ? 'Stop a broker: its\nconnections break, new ones go to another.' : 'Stop a broker: no request\nfails.'} Kill the primary: writes wait for the election, about ten seconds.

## Who is asked what

${healthNotes(spec, tcp ? 'tcp' : 'http')}
## The roles

${roleNotes(spec)}
## keepalived or Pacemaker

${managerChoice(manager)}
## Not in here

${limits(mongoSeries)}`;
}
