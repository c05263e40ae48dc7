/** A spec as a Docker Compose project on one machine: the whole cluster with its failovers, to try out and to test against. */
import type { MongoSeries } from '../lambdas/core/catalogue/versions';
import type { ClusterSpec } from '../lambdas/core/spec';
import { balancersOf, membersOf, type Part, partsOf, type Site, seedsOf, settingsOf, slotsOfPart } from './cluster';
import { composeReadme } from './compose-readme';
import { BALANCER_CHECK, balancerImage, checkFromInside, NAMES, settingsFile, volumeName } from './containers';
import { renderHaproxy } from './haproxy';
import { CHECK_HAPROXY, renderKeepalived } from './keepalived';
import { memberCheck, mongoImage, renderInitiate, SHELL_SERIES } from './mongo';
import type { RecipeFile } from './recipe';
import { toYaml, type Yaml } from './yaml';

export interface ComposeChoices {
  mongoSeries: MongoSeries;
  /** The first two numbers of the addresses: 172.30. */
  network: string;
  /** nodes/mongo/replica-set.js as it stands. */
  replicaSetScript: string;
}

/** One network a tier: clients and balancers; balancers and processes; processes and data. */
const TIERS = ['entry', 'services', 'data'] as const;

function subnet(network: string, tier: (typeof TIERS)[number]): string {
  return `${network}.${TIERS.indexOf(tier) + 1}`;
}

/** Addresses given out by Docker stay in the upper half, those that are written down in the lower one. */
function networks(network: string): Yaml {
  return Object.fromEntries(
    TIERS.map((tier) => [
      tier,
      {
        internal: tier === 'data' ? true : undefined,
        ipam: { config: [{ subnet: `${subnet(network, tier)}.0/24`, ip_range: `${subnet(network, tier)}.128/25` }] },
      },
    ]),
  );
}

/** The virtual addresses: for clients, and for the processes that must reach the brokers or be notified by them. */
function virtualAddresses(network: string) {
  return { clients: `${subnet(network, 'entry')}.99`, members: `${subnet(network, 'services')}.99` };
}

function balancers(spec: ClusterSpec, network: string): [string, Yaml][] {
  return balancersOf(spec).map((slot, i) => {
    const address = (tier: 'entry' | 'services') => `${subnet(network, tier)}.${11 + i}`;
    return [
      slot,
      {
        build: './lb',
        hostname: slot,
        restart: 'unless-stopped',
        cap_add: ['NET_ADMIN', 'NET_RAW'],
        environment: { ENTRY_ADDRESS: address('entry'), SERVICES_ADDRESS: address('services') },
        volumes: ['./lb/haproxy.cfg:/etc/haproxy/haproxy.cfg:ro', `./lb/${slot}/keepalived.conf:/etc/fiware-ha/keepalived.conf:ro`],
        networks: { entry: { ipv4_address: address('entry') }, services: { ipv4_address: address('services') } },
        healthcheck: { test: BALANCER_CHECK, interval: '5s', timeout: '3s', retries: 2 },
      },
    ];
  });
}

function members(spec: ClusterSpec, series: MongoSeries): [string, Yaml][] {
  return membersOf(spec).map((slot) => [
    slot,
    {
      image: mongoImage(series),
      hostname: slot,
      command: ['mongod', '--replSet', spec.mongo.replicaSet, '--bind_ip_all'],
      restart: 'unless-stopped',
      stop_grace_period: '30s',
      volumes: [`${slot}-data:/data/db`],
      networks: ['data'],
      healthcheck: { test: ['CMD', ...memberCheck(series)], interval: '10s', timeout: '10s', retries: 3, start_period: '30s' },
    },
  ]);
}

/** Begins the set once all members answer; a refusal is for a person to read, so it is not tried for ever. */
function initiation(spec: ClusterSpec): [string, Yaml] {
  return [
    'mongo-init',
    {
      image: mongoImage(SHELL_SERIES),
      entrypoint: ['bash', '/fiware-ha/initiate-replica-set'],
      restart: 'on-failure:5',
      volumes: ['./mongo:/fiware-ha:ro'],
      networks: ['data'],
      depends_on: Object.fromEntries(membersOf(spec).map((slot) => [slot, { condition: 'service_started' }])),
    },
  ];
}

/** The check tells the truth, database included: Compose starts nothing anew for it, and people see it in `docker compose ps`. */
function processes(spec: ClusterSpec, part: Part, site: Site): [string, Yaml][] {
  const { entry, version } = part;
  const { truth, process } = entry.health;
  return slotsOfPart(part).map((slot, i) => {
    const { environment, files } = settingsOf(spec, part, i + 1, site);
    const volumes = [
      ...files.map(({ path }) => `./${settingsFile(part, slot, path)}:${path}:ro`),
      ...entry.keeps.map((folder) => `${volumeName(slot, folder)}:${folder}`),
    ];
    return [
      slot,
      {
        image: entry.image(version),
        hostname: slot,
        restart: 'unless-stopped',
        stop_grace_period: `${entry.drain.waitS}s`,
        ulimits: { nofile: 65536 },
        environment,
        volumes: volumes.length > 0 ? volumes : undefined,
        networks: ['services', 'data'],
        depends_on: { 'mongo-init': { condition: 'service_completed_successfully' } },
        healthcheck: { test: checkFromInside(entry, truth ?? process), interval: '10s', timeout: '5s', retries: 3, start_period: '60s' },
      },
    ];
  });
}

function volumes(spec: ClusterSpec): Yaml {
  const kept = partsOf(spec).flatMap((part) =>
    slotsOfPart(part).flatMap((slot) => part.entry.keeps.map((folder) => volumeName(slot, folder))),
  );
  return Object.fromEntries([...membersOf(spec).map((slot) => `${slot}-data`), ...kept].map((name) => [name, {}]));
}

/** The files of the project. */
export function renderCompose(spec: ClusterSpec, { mongoSeries, network, replicaSetScript }: ComposeChoices): RecipeFile[] {
  const virtual = virtualAddresses(network);
  const site: Site = { ...NAMES, entryHost: virtual.members, bindAddress: '' };
  const parts = partsOf(spec);
  const project = {
    services: Object.fromEntries([
      ...balancers(spec, network),
      ...parts.flatMap((part) => processes(spec, part, site)),
      ...members(spec, mongoSeries),
      initiation(spec),
    ]),
    networks: networks(network),
    volumes: volumes(spec),
  };
  const keepalived = balancersOf(spec).map((slot, i, all) => {
    const ips = all.map((_, at) => `${subnet(network, 'entry')}.${11 + at}`);
    const own = { ip: ips[i] ?? '', peers: ips.filter((_, at) => at !== i), index: i + 1 };
    const addresses = [
      { cidr: `${virtual.clients}/24`, interface: '@ENTRY@' },
      { cidr: `${virtual.members}/24`, interface: '@SERVICES@' },
    ] as const;
    return { path: `lb/${slot}/keepalived.conf`, content: renderKeepalived(own, addresses, spec.entry.advertIntervalS) };
  });
  return [
    { path: 'README.md', content: composeReadme(spec, mongoSeries, virtual.clients) },
    { path: '.env', content: `COMPOSE_PROJECT_NAME=${spec.name}\n` },
    { path: 'compose.yaml', content: toYaml(project) },
    ...balancerImage(CHECK_HAPROXY),
    { path: 'lb/haproxy.cfg', content: renderHaproxy(spec, site, { log: 'stdout', discovery: { resolvers: 'docker', templates: false } }) },
    ...keepalived,
    { path: 'mongo/initiate-replica-set', content: renderInitiate(spec, seedsOf(spec, NAMES)), executable: true },
    { path: 'mongo/replica-set.js', content: replicaSetScript },
    ...parts.flatMap((part) => settingsFiles(spec, part, site)),
  ];
}

/** Files that processes read beside their environment. */
function settingsFiles(spec: ClusterSpec, part: Part, site: Site): RecipeFile[] {
  return slotsOfPart(part).flatMap((slot, i) =>
    settingsOf(spec, part, i + 1, site).files.map(({ path, content }) => ({ path: settingsFile(part, slot, path), content })),
  );
}
