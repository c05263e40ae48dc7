/** What the IoT agents on iotagent-node-lib share. Builds an entry; runs nothing. Sources: iotagent-node-lib, doc/admin.md, lib/commonConfig.js, Changelog. */
import type { RoleEntry, Surroundings, VersionSeries } from './role-entry';
import { compareVersions } from './versions';

export interface IotAgent<Protocol extends 'json' | 'ul'> {
  /** `json` of `iotagent-json`. */
  protocol: Protocol;
  title: string;
  slotPrefix: string;
  northPort: number;
  versions: readonly VersionSeries[];
  usualVersion: string;
  /** The agent's first version on iotagent-node-lib 4.11, which knows IOTA_MONGO_URI. */
  uriSince: string;
  /** The agent's first version on iotagent-node-lib 4.14, which knows /ready and IOTA_HEALTH_CHECK and no other IOTA_MONGO_ than the URI. */
  readySince: string;
}

/** The measures' port is the same for both, so that one of them must be offered elsewhere where a cluster has both. */
const SOUTH_PORT = 7896;

function mongoSettings(agent: IotAgent<'json' | 'ul'>, version: string, around: Surroundings): Record<string, string> {
  const { seeds, replicaSet, writeConcern, readPreference } = around;
  const database = `iotagent${agent.protocol}`;
  if (compareVersions(version, agent.uriSince) >= 0)
    return {
      IOTA_MONGO_URI: `mongodb://${seeds.join(',')}/${database}?replicaSet=${replicaSet}&w=${writeConcern}&readPreference=${readPreference}`,
    };
  return { IOTA_MONGO_HOST: seeds.join(','), IOTA_MONGO_DB: database, IOTA_MONGO_REPLICASET: replicaSet };
}

/**
 * With shared subscriptions each measure goes to one of the agents (MQTT 5, `$share/…` in lib/constants.js). Without them each agent
 * would get each measure, and HAProxy can't prevent it, because the agents go to the MQTT broker: so only the first one listens.
 */
function mqttSettings({ index, options: { mqtt } }: Surroundings): Record<string, string> {
  if (!mqtt || (!mqtt.shared && index > 1)) return { IOTA_MQTT_DISABLED: 'true' };
  return { IOTA_MQTT_HOST: mqtt.host, IOTA_MQTT_PORT: String(mqtt.port) };
}

/** The entry of an agent. */
export function iotAgent<Protocol extends 'json' | 'ul'>(agent: IotAgent<Protocol>): RoleEntry<`iotagent-${Protocol}`> {
  const hasReady = (version: string) => compareVersions(version, agent.readySince) >= 0;
  return {
    name: `iotagent-${agent.protocol}`,
    title: agent.title,
    slotPrefix: agent.slotPrefix,
    ports: { north: agent.northPort, south: SOUTH_PORT },
    frontends: ['north', 'south'],
    backend: 'round-robin',
    count: { min: 1, max: 10, usual: 2, why: 'two, so that one may die' },
    needs: { replicaSet: true, brokers: true },
    health: {
      process: { port: 'north', path: '/iot/about', status: 200 },
      // A list of devices is read from the registry; /iot/about is green without one (northboundServer.js, deviceProvisioningServer.js).
      truth: {
        port: 'north',
        path: '/iot/devices?limit=1',
        headers: { 'Fiware-Service': 'fiwareha', 'Fiware-ServicePath': '/' },
        status: 200,
      },
      overload: 'X-Processing-Time of measures grows while /iot/about is quick',
    },
    versions: agent.versions,
    usualVersion: agent.usualVersion,
    image: (version) => `fiware/iotagent-${agent.protocol}:${version}`,
    client: 'node',
    environment: (version, around) => ({
      IOTA_NORTH_PORT: String(agent.northPort),
      IOTA_HTTP_PORT: String(SOUTH_PORT),
      IOTA_CB_HOST: around.broker.host,
      IOTA_CB_PORT: String(around.broker.port),
      IOTA_CB_NGSI_VERSION: 'v2',
      IOTA_PROVIDER_URL: `http://${around.offered.host}:${around.offered.port}`,
      IOTA_REGISTRY_TYPE: 'mongodb',
      ...mongoSettings(agent, version, around),
      ...mqttSettings(around),
      IOTA_AMQP_DISABLED: 'true',
      ...(hasReady(version) ? { IOTA_HEALTH_CHECK: 'true' } : {}),
    }),
    file: () => undefined,
    options: ['mqtt'],
    keeps: [],
    sizing: { instanceType: 't3.small', why: 'one Node.js process; devices and groups are in MongoDB' },
    drain: {
      waitS: 10,
      until: 'connections',
      rule: 'a measure under way is answered or lost with its process; devices repeat what was not answered',
    },
    restart: {
      on: 'process',
      afterS: 15,
      rule: 'its driver finds the primary again by itself; an agent that never found MongoDB ends by itself and is started again',
    },
    remarks: [
      `MQTT: with a broker that knows shared subscriptions (mosquitto 1.6 or later) all agents listen, and each measure reaches one of them. Without them (options.mqtt.shared false) only ${agent.slotPrefix}1 listens: measures by MQTT wait for its restart or replacement.`,
      `From ${agent.readySince} on GET /ready answers 503 until the agent has started, and /iot/about lists the state of what it is connected to.`,
      `Commands reach the agents at IOTA_PROVIDER_URL, which is the balancers' address: any of them carries out a command for any device.`,
    ],
  };
}
