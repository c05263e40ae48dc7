/** Cygnus: writes what the brokers notify to MongoDB and to STH's collections. Says what it is and needs; runs nothing. Sources: fiware-cygnus, reliability.md, install_with_docker.md, docker/cygnus-ngsi/. */
import type { RoleEntry, Surroundings } from './role-entry';

const AGENT = 'cygnus-ngsi';
const CONF_FILE = '/opt/apache-flume/conf/agent-fiware-ha.conf';
const CHANNEL_FOLDER = '/var/lib/cygnus';
const [NORTH_PORT, ADMIN_PORT] = [5051, 5080];
/** Tries five seconds apart before a batch is given up: longer than an election takes, two minutes. */
const BATCH_TTL = 24;

function sink(kind: 'mongo' | 'sth', type: string, { seeds, replicaSet }: Surroundings): string {
  const line = (key: string, value: string | number) => `${AGENT}.sinks.${kind}-sink.${key} = ${value}`;
  return [
    line('type', `com.telefonica.iot.cygnus.sinks.${type}`),
    line('channel', `${kind}-channel`),
    line('mongo_hosts', seeds.join(',')),
    line('mongo_replica_set', replicaSet),
    line('mongo_username', ''),
    line('mongo_password', ''),
    line('batch_ttl', BATCH_TTL),
  ].join('\n');
}

/** Checkpoint and data on disk, so that events wait there over a restart of the process. */
function fileChannel(kind: 'mongo' | 'sth'): string {
  const line = (key: string, value: string | number) => `${AGENT}.channels.${kind}-channel.${key} = ${value}`;
  return [
    line('type', 'com.telefonica.iot.cygnus.channels.CygnusFileChannel'),
    line('checkpointDir', `${CHANNEL_FOLDER}/${kind}/checkpoint`),
    line('dataDirs', `${CHANNEL_FOLDER}/${kind}/data`),
    line('capacity', 100_000),
    line('transactionCapacity', 10_000),
  ].join('\n');
}

/** An agent whose channels are files; with memory channels the image writes its own from the environment. */
function agentConfiguration(around: Surroundings): string {
  const source = `${AGENT}.sources.http-source`;
  return `# Cygnus with file channels; the folder ${CHANNEL_FOLDER} must outlive the process and belong to it alone
${AGENT}.sources = http-source
${AGENT}.sinks = mongo-sink sth-sink
${AGENT}.channels = mongo-channel sth-channel

${source}.type = org.apache.flume.source.http.HTTPSource
${source}.channels = mongo-channel sth-channel
${source}.port = ${NORTH_PORT}
${source}.handler = com.telefonica.iot.cygnus.handlers.NGSIRestHandler
${source}.handler.notification_target = /notify
${source}.handler.default_service = default
${source}.handler.default_service_path = /
${source}.interceptors = ts
${source}.interceptors.ts.type = timestamp

${sink('mongo', 'NGSIMongoSink', around)}

${sink('sth', 'NGSISTHSink', around)}

${fileChannel('mongo')}

${fileChannel('sth')}
`;
}

function fromEnvironment({ seeds, replicaSet }: Surroundings): Record<string, string> {
  return {
    CYGNUS_MONGO_HOSTS: seeds.join(','),
    CYGNUS_MONGO_REPLICA_SET: replicaSet,
    CYGNUS_MONGO_SERVICE_PORT: String(NORTH_PORT),
    CYGNUS_MONGO_BATCH_TTL: String(BATCH_TTL),
    CYGNUS_STH_BATCH_TTL: String(BATCH_TTL),
  };
}

export const cygnus: RoleEntry<'cygnus'> = {
  name: 'cygnus',
  title: 'Cygnus',
  slotPrefix: 'cyg',
  ports: { north: NORTH_PORT, admin: ADMIN_PORT },
  frontends: ['north'],
  backend: 'active-passive',
  count: { min: 2, max: 4, usual: 2, why: 'one is active, the others wait: with one alone nobody takes over' },
  needs: { replicaSet: true, brokers: true },
  health: {
    process: { port: 'admin', path: '/v1/version', status: 200 },
    // It takes notifications into its channel whether MongoDB is there or not.
    truth: null,
    overload: 'the channels fill in GET /v1/stats while /v1/version is quick',
  },
  versions: [
    { from: '2.0.0', below: '4.0.0', source: 'fiware-cygnus, install_with_docker.md and docker/cygnus-ngsi/cygnus-entrypoint.sh' },
  ],
  usualVersion: '3.17.0',
  image: (version) => `fiware/cygnus-ngsi:${version}`,
  client: 'curl',
  environment: (_version, around) => ({
    CYGNUS_API_PORT: String(ADMIN_PORT),
    CYGNUS_LOG_LEVEL: 'INFO',
    ...(around.options.channel === 'file' ? { CYGNUS_CONF_FILE: CONF_FILE } : fromEnvironment(around)),
  }),
  file: (_version, around) => (around.options.channel === 'file' ? { path: CONF_FILE, content: agentConfiguration(around) } : undefined),
  options: ['channel'],
  keeps: [CHANNEL_FOLDER],
  sizing: { instanceType: 't3.large', why: 'its Java asks for 2 to 4 GiB of heap (CYGNUS_JAVA_OPTS in its Dockerfile)' },
  drain: { waitS: 60, until: 'time', rule: 'what is in its channel is stored first: GET /v1/stats shows when it is empty' },
  restart: {
    on: 'process',
    afterS: 15,
    rule: 'a stored event is not stored again; the one that waits takes over within the checks of the balancers',
  },
  remarks: [
    'Active/passive: cyg1 gets every notification, cyg2 only while cyg1 does not answer its check; two active ones would not lose anything, but mix the order of values.',
    'A crash loses what waits in a memory channel, and the batches that are being retried with any channel, because those are kept in memory.',
    'With a file channel (options.channel file) events wait on the disk and are stored after a restart on the same disk; each agent needs a folder of its own, because a running Flume locks it.',
    'Orion does not repeat a notification: between the crash of the active one and the check that notices it notifications fail.',
  ],
};
