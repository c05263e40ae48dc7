/** A spec as a stack for Docker Swarm: brokers and other roles go where there is room, members of the replica set stay with their data. */
import type { MongoSeries } from '../lambdas/core/catalogue/versions';
import { shortHash } from '../lambdas/core/hash';
import { PORT } from '../lambdas/core/names';
import type { ClusterSpec } from '../lambdas/core/spec';
import { membersOf, offersOf, type Part, partsOf, type Site, seedsOf, settingsOf, slotsOfPart } from './cluster';
import { BALANCER_CHECK, balancerImage, checkFromInside, NAMES, settingsFile, volumeName } from './containers';
import { renderHaproxy } from './haproxy';
import { CHECK_HAPROXY, renderKeepalived } from './keepalived';
import { mongoImage, renderInitiate, SHELL_SERIES } from './mongo';
import type { RecipeFile } from './recipe';
import { swarmReadme } from './swarm-readme';
import { toYaml, type Yaml } from './yaml';

export interface SwarmChoices {
  mongoSeries: MongoSeries;
  /** The address that the balancers' machines share, with its prefix length; without it something else must lead clients to them. */
  virtual: string | undefined;
  replicaSetScript: string;
}

const CONFIG_FOLDER = 'config';
const LABEL = { balancer: 'fiware-ha.lb', place: 'fiware-ha.place' };
/** Swarm kills what its check calls unhealthy: it may ask for the process alone, or it would kill brokers for their database. */
const CHECK_TIMES = { interval: '10s', timeout: '5s' };

/** Swarm never changes a config: its name says what is in it, so that a new content is a new one. */
class Configs {
  readonly files: RecipeFile[] = [];
  private readonly byName = new Map<string, Yaml>();

  constructor(private readonly cluster: string) {}

  /** Adds a file; answers how a service refers to it. */
  add(path: string, content: string, target: string, mode = 0o444): Yaml {
    const key = path.replace(/[^A-Za-z0-9]+/g, '_');
    const file = `${CONFIG_FOLDER}/${path}`;
    if (!this.byName.has(key)) {
      this.files.push({ path: file, content, ...(mode & 0o111 ? { executable: true } : {}) });
      this.byName.set(key, { name: `${this.cluster}_${key}_${shortHash(content).slice(0, 8)}`, file: `./${file}` });
    }
    return { source: key, target, mode };
  }

  all(): Yaml {
    return Object.fromEntries(this.byName);
  }
}

const restarts = { condition: 'any', delay: '5s' };
const oneAtATime = { parallelism: 1, delay: '20s', order: 'stop-first', failure_action: 'pause' };

function image(spec: ClusterSpec): string {
  return `\${BALANCER_IMAGE:-${spec.name}-lb:1}`;
}

function balancer(spec: ClusterSpec, site: Site, configs: Configs): Yaml {
  const content = renderHaproxy(spec, site, { log: 'stdout', discovery: { resolvers: 'docker', templates: true } });
  const ports = [...offersOf(spec, site).map(({ port }) => port), PORT.admin];
  return {
    image: image(spec),
    command: ['haproxy', '-W', '-db', '-f', '/etc/haproxy/haproxy.cfg'],
    networks: ['services'],
    ports: ports.map((port) => ({ target: port, published: port, protocol: 'tcp', mode: 'host' })),
    configs: [configs.add('haproxy.cfg', content, '/etc/haproxy/haproxy.cfg')],
    healthcheck: { test: BALANCER_CHECK, ...CHECK_TIMES, retries: 2 },
    deploy: {
      mode: 'global',
      endpoint_mode: 'dnsrr',
      placement: { constraints: [`node.labels.${LABEL.balancer} == true`] },
      restart_policy: restarts,
      update_config: oneAtATime,
    },
  };
}

/** keepalived on the machines' own network; the same everywhere: all begin as BACKUP, the highest address wins a tie. */
function vrrp(spec: ClusterSpec, virtual: string, configs: Configs): Yaml {
  const content = renderKeepalived({ ip: '', peers: [], index: 1 }, [{ cidr: virtual, interface: '@ENTRY@' }], spec.entry.advertIntervalS);
  const run =
    'sed "s/@ENTRY@/$$(ip -o -4 route show default | cut -d\' \' -f5 | head -n 1)/" /etc/fiware-ha/keepalived.conf >/run/keepalived.conf; exec keepalived --dont-fork --log-console --use-file /run/keepalived.conf';
  return {
    image: image(spec),
    command: ['bash', '-c', run],
    cap_add: ['NET_ADMIN', 'NET_RAW'],
    networks: ['host'],
    configs: [configs.add('keepalived.conf', content, '/etc/fiware-ha/keepalived.conf')],
    deploy: {
      mode: 'global',
      placement: { constraints: [`node.labels.${LABEL.balancer} == true`] },
      restart_policy: restarts,
      update_config: oneAtATime,
    },
  };
}

/** The probe that may get a process killed, and how long it must have failed. */
function checkOf({ entry }: Part): Yaml {
  const { on, afterS } = entry.restart;
  const probe = on === 'truth' && entry.health.truth ? entry.health.truth : entry.health.process;
  return { test: checkFromInside(entry, probe), ...CHECK_TIMES, retries: Math.max(3, Math.ceil(afterS / 10)), start_period: '120s' };
}

function process(spec: ClusterSpec, part: Part, index: number, site: Site, configs: Configs): { [key: string]: Yaml } {
  const { entry, version } = part;
  const slot = `${entry.slotPrefix}${index}`;
  const { environment, files } = settingsOf(spec, part, index, site);
  const mounted = files.map(({ path, content }) => configs.add(settingsFile(part, slot, path), content, path));
  return {
    image: entry.image(version),
    stop_grace_period: `${entry.drain.waitS}s`,
    environment,
    networks: ['services', 'data'],
    ...(mounted.length > 0 ? { configs: mounted } : {}),
    ...(entry.keeps.length > 0 ? { volumes: entry.keeps.map((folder) => `${volumeName(slot, folder)}:${folder}`) } : {}),
    healthcheck: checkOf(part),
  };
}

/** Equal processes are one service; those with a first and a second, or with a place of their own in the settings, are one each. */
function services(spec: ClusterSpec, part: Part, site: Site, configs: Configs): [string, Yaml][] {
  const { entry, count } = part;
  const spread = { restart_policy: restarts, update_config: oneAtATime, endpoint_mode: 'dnsrr' };
  if (entry.backend === 'round-robin' && part.options.mqtt?.shared !== false)
    return [
      [
        entry.slotPrefix,
        {
          ...process(spec, part, 1, site, configs),
          deploy: {
            ...spread,
            replicas: count,
            placement: { max_replicas_per_node: 1, preferences: [{ spread: `node.labels.${LABEL.place}` }] },
          },
        },
      ],
    ];
  return slotsOfPart(part).map((slot, i) => [
    slot,
    {
      ...process(spec, part, i + 1, site, configs),
      hostname: slot,
      deploy: { ...spread, replicas: 1, placement: { constraints: [`node.labels.${LABEL.place} == ${i + 1}`] } },
    },
  ]);
}

/** Each member is a service of its own, tied to the machine that has its data; asked for life alone, because a member that copies is slow, not dead. */
function members(spec: ClusterSpec, series: MongoSeries): [string, Yaml][] {
  const shell = series === '4.4' ? 'mongo' : 'mongosh';
  return membersOf(spec).map((slot, i) => [
    slot,
    {
      image: mongoImage(series),
      hostname: slot,
      command: ['mongod', '--replSet', spec.mongo.replicaSet, '--bind_ip_all'],
      stop_grace_period: '30s',
      networks: ['data'],
      volumes: [`${slot}-data:/data/db`],
      healthcheck: {
        test: ['CMD', shell, '--quiet', '--norc', '--eval', 'quit(db.adminCommand({ ping: 1 }).ok ? 0 : 1)'],
        interval: '10s',
        timeout: '10s',
        retries: 12,
        start_period: '60s',
      },
      deploy: {
        replicas: 1,
        endpoint_mode: 'dnsrr',
        placement: { constraints: [`node.labels.${LABEL.place} == ${i + 1}`] },
        restart_policy: restarts,
        update_config: oneAtATime,
      },
    },
  ]);
}

function initiation(spec: ClusterSpec, replicaSetScript: string, configs: Configs): Yaml {
  return {
    image: mongoImage(SHELL_SERIES),
    entrypoint: ['bash', '/fiware-ha/initiate-replica-set'],
    networks: ['data'],
    configs: [
      configs.add('initiate-replica-set', renderInitiate(spec, seedsOf(spec, NAMES)), '/fiware-ha/initiate-replica-set', 0o555),
      configs.add('replica-set.js', replicaSetScript, '/fiware-ha/replica-set.js'),
    ],
    deploy: { replicas: 1, restart_policy: { condition: 'on-failure', delay: '10s', max_attempts: 30 } },
  };
}

function volumes(spec: ClusterSpec, all: readonly [string, Yaml][]): Yaml {
  const kept = all.flatMap(([, service]) =>
    ((service as { volumes?: string[] }).volumes ?? []).map((volume) => volume.split(':')[0] ?? ''),
  );
  return Object.fromEntries([...membersOf(spec).map((slot) => `${slot}-data`), ...kept].map((name) => [name, {}]));
}

/** The files of the stack. */
export function renderSwarm(spec: ClusterSpec, { mongoSeries, virtual, replicaSetScript }: SwarmChoices): RecipeFile[] {
  const configs = new Configs(spec.name);
  const site: Site = { ...NAMES, entryHost: 'lb', bindAddress: '' };
  const all: [string, Yaml][] = [
    ['lb', balancer(spec, site, configs)],
    ...(virtual ? ([['vrrp', vrrp(spec, virtual, configs)]] as [string, Yaml][]) : []),
    ...partsOf(spec).flatMap((part) => services(spec, part, site, configs)),
    ...members(spec, mongoSeries),
    ['mongo-init', initiation(spec, replicaSetScript, configs)],
  ];
  const stack = {
    version: '3.8',
    services: Object.fromEntries(all),
    networks: {
      services: { driver: 'overlay' },
      data: { driver: 'overlay', internal: true },
      host: virtual ? { external: true, name: 'host' } : undefined,
    },
    volumes: volumes(spec, all),
    configs: configs.all(),
  };
  return [
    { path: 'README.md', content: swarmReadme(spec, mongoSeries, virtual) },
    { path: 'stack.yaml', content: toYaml(stack) },
    ...balancerImage(CHECK_HAPROXY),
    ...configs.files,
  ];
}
