/** A spec as files for machines with given addresses: one folder a machine, laid out as it is on that machine, and the steps beside them. */
import { LAST_RPM, sysconfigOf } from '../lambdas/core/catalogue/orion';
import { compareVersions, type MongoSeries } from '../lambdas/core/catalogue/versions';
import type { ClusterSpec } from '../lambdas/core/spec';
import type { Addresses } from './addresses';
import { baremetalReadme } from './baremetal-readme';
import { balancersOf, membersOf, type Part, partsOf, type Site, seedsOf, settingsOf, slotsOfPart } from './cluster';
import { renderHaproxy, renderHaproxyOfTheSlides } from './haproxy';
import { CHECK_HAPROXY, NONLOCAL_BIND, renderKeepalived, renderKeepalivedOfTheSlides } from './keepalived';
import { renderInitiate, renderMongodConf } from './mongo';
import { renderPacemaker } from './pacemaker';
import type { RecipeFile } from './recipe';

export interface BaremetalChoices {
  mongoSeries: MongoSeries;
  manager: 'keepalived' | 'pacemaker';
  /** The slides' own files, as they are: TCP, VRRP version 2 by multicast, a preferred holder, the RPM's settings of the broker. */
  asInTheSlides: boolean;
  replicaSetScript: string;
}

/** Debian's place for mongod's data. */
const DB_PATH = '/var/lib/mongodb';

/** Why the choices don't go together; empty where they do. */
export function problemsOfChoices(
  spec: ClusterSpec,
  { manager, asInTheSlides }: Pick<BaremetalChoices, 'manager' | 'asInTheSlides'>,
): string[] {
  const problems: string[] = [];
  if (asInTheSlides && manager === 'pacemaker')
    problems.push(
      '--manager: expected keepalived with --as-in-the-slides; got "pacemaker": the slides have none; leave one of the two out',
    );
  if (asInTheSlides && compareVersions(spec.orion.version, LAST_RPM) > 0)
    problems.push(
      `orion.version: expected ${LAST_RPM} or older with --as-in-the-slides; got "${spec.orion.version}": later ones have no service that reads /etc/sysconfig/contextBroker; set orion.version to ${LAST_RPM}, or leave --as-in-the-slides out`,
    );
  if (manager === 'pacemaker' && spec.lb.count !== 2)
    problems.push(
      `lb.count: expected 2 with --manager pacemaker; got ${spec.lb.count}: there is nobody to fence the only one; set lb.count to 2, or take keepalived`,
    );
  return problems;
}

function balancer(
  spec: ClusterSpec,
  slot: string,
  index: number,
  site: Site,
  addresses: Addresses,
  choices: BaremetalChoices,
): RecipeFile[] {
  const { virtual, prefix, interface: name, nodes } = addresses;
  const address = { cidr: `${virtual}/${prefix}`, interface: name };
  const own = {
    ip: nodes[slot] ?? '',
    peers: balancersOf(spec).flatMap((other) => (other === slot ? [] : [nodes[other] ?? ''])),
    index,
  };
  const { asInTheSlides, manager } = choices;
  const haproxy = asInTheSlides ? renderHaproxyOfTheSlides(spec, site) : renderHaproxy(spec, site, { log: 'syslog' });
  const files: RecipeFile[] = [
    { path: `${slot}/etc/haproxy/haproxy.cfg`, content: haproxy },
    { path: `${slot}/etc/sysctl.d/60-fiware-ha.conf`, content: NONLOCAL_BIND },
  ];
  if (manager === 'pacemaker') return files;
  if (asInTheSlides)
    return [...files, { path: `${slot}/etc/keepalived/keepalived.conf`, content: renderKeepalivedOfTheSlides(own, address) }];
  return [
    ...files,
    { path: `${slot}/etc/keepalived/keepalived.conf`, content: renderKeepalived(own, [address], spec.entry.advertIntervalS) },
    { path: `${slot}/usr/local/bin/check-haproxy`, content: CHECK_HAPROXY, executable: true },
  ];
}

/** The image with the machine's own network, so that its ports and addresses are the machine's. */
function unit({ entry, version }: Part, files: readonly { path: string }[]): string {
  const container = `fiware-${entry.name}`;
  const mounts = [...files.map(({ path }) => `-v ${path}:${path}:ro`), ...entry.keeps.map((folder) => `-v ${folder}:${folder}`)];
  const options = ['--network host', '--ulimit nofile=65536:65536', `--env-file /etc/fiware-ha/${entry.name}.env`, ...mounts];
  return `[Unit]
Description=${entry.title}
After=network-online.target docker.service
Wants=network-online.target
Requires=docker.service
StartLimitIntervalSec=0

[Service]
ExecStartPre=-/usr/bin/docker rm -f ${container}
ExecStart=/usr/bin/docker run --rm --name ${container} ${options.join(' ')} ${entry.image(version)}
ExecStop=/usr/bin/docker stop --time ${entry.drain.waitS} ${container}
Restart=always
RestartSec=5
TimeoutStopSec=${entry.drain.waitS + 10}

[Install]
WantedBy=multi-user.target
`;
}

function machine(spec: ClusterSpec, part: Part, slot: string, index: number, site: Site, asInTheSlides: boolean): RecipeFile[] {
  const { environment, files, around } = settingsOf(spec, part, index, site);
  const { entry, version } = part;
  const sysconfig = asInTheSlides && entry.name === 'orion' ? sysconfigOf(version, around) : undefined;
  if (sysconfig !== undefined) return [{ path: `${slot}/etc/sysconfig/contextBroker`, content: sysconfig }];
  const lines = Object.entries(environment).map(([key, value]) => `${key}=${value}\n`);
  return [
    { path: `${slot}/etc/fiware-ha/${entry.name}.env`, content: lines.join('') },
    { path: `${slot}/etc/systemd/system/fiware-${entry.name}.service`, content: unit(part, files) },
    ...files.map(({ path, content }) => ({ path: `${slot}${path}`, content })),
  ];
}

/** The files for all machines. */
export function renderBaremetal(spec: ClusterSpec, addresses: Addresses, choices: BaremetalChoices): RecipeFile[] {
  const site: Site = {
    hostOf: (slot) => addresses.nodes[slot] ?? slot,
    entryHost: addresses.virtual,
    bindAddress: addresses.virtual,
  };
  const seeds = seedsOf(spec, site);
  return [
    { path: 'README.md', content: baremetalReadme(spec, addresses, choices, seeds) },
    ...balancersOf(spec).flatMap((slot, i) => balancer(spec, slot, i + 1, site, addresses, choices)),
    ...(choices.manager === 'pacemaker' ? renderPacemaker(spec, addresses) : []),
    ...partsOf(spec).flatMap((part) =>
      slotsOfPart(part).flatMap((slot, i) => machine(spec, part, slot, i + 1, site, choices.asInTheSlides)),
    ),
    ...membersOf(spec).map((slot) => ({ path: `${slot}/etc/mongod.conf`, content: renderMongodConf(spec, DB_PATH) })),
    { path: 'mongo/initiate-replica-set', content: renderInitiate(spec, seeds), executable: true },
    { path: 'mongo/replica-set.js', content: choices.replicaSetScript },
  ];
}
