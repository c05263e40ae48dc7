/** Orion: the context broker. Says what it is and needs; its settings are those that the nodes get. Sources: fiware-orion, deprecated.md, running.md, docker/Dockerfile. */
import { orionEnvironment } from '../config/orion';
import { orionSettings } from '../config/orion-sizing';
import { PORT } from '../names';
import type { RoleEntry, Surroundings } from './role-entry';
import { compareVersions } from './versions';

/** A recipe does not know its machines: sized as the usual instance of the spec. */
const USUAL_INSTANCE = 't3.medium';

function environment(version: string, { replicaSet, seeds, writeConcern, readPreference }: Surroundings): Record<string, string> {
  return orionEnvironment({ version, replicaSet, seeds, writeConcern, readPreference, settings: orionSettings(USUAL_INSTANCE) });
}

/** The last version with a package for yum (RPM) whose service reads /etc/sysconfig/contextBroker (running.md, until 3.6). */
export const LAST_RPM = '3.6.0';

/** `/etc/sysconfig/contextBroker`, as in the slides. Undefined for versions without that service. */
export function sysconfigOf(version: string, { seeds, replicaSet }: Pick<Surroundings, 'seeds' | 'replicaSet'>): string | undefined {
  if (compareVersions(version, LAST_RPM) > 0) return undefined;
  return `BROKER_USER=orion
BROKER_PORT=${PORT.orion}
BROKER_LOG_DIR=/var/log/contextBroker
BROKER_LOG_LEVEL=WARN
BROKER_PID_FILE=/var/run/contextBroker/contextBroker.pid
BROKER_DATABASE_HOST=${seeds.join(',')}
BROKER_DATABASE_NAME=orion
BROKER_DATABASE_RPLSET=${replicaSet}
BROKER_EXTRA_OPS="-multiservice -reqMutexPolicy none -subCacheIval 10"
`;
}

export const orion: RoleEntry<'orion'> = {
  name: 'orion',
  title: 'Orion',
  slotPrefix: 'ctx',
  ports: { north: PORT.orion },
  frontends: ['north'],
  backend: 'round-robin',
  count: { min: 1, max: 20, usual: 2, why: 'two, so that one may die' },
  needs: { replicaSet: true, brokers: false },
  health: {
    process: { port: 'north', path: '/version', status: 200 },
    truth: { port: 'north', path: '/v2/entities?limit=1', status: 200 },
    overload: 'slow answers while /version is quick; /statistics shows the queue of notifications',
  },
  versions: [
    { from: '2.5.0', below: '4.0.0', source: 'fiware-orion, cli.md of 2.5.0 on: ORION_MONGO_HOST, ORION_MONGO_REPLICA_SET' },
    { from: '4.0.0', below: '5.0.0', source: 'fiware-orion, deprecated.md: ORION_MONGO_URI alone from 4.0.0 on' },
  ],
  usualVersion: '4.1.0',
  image: (version) => `telefonicaiot/fiware-orion:${version}`,
  client: 'curl',
  environment,
  file: () => undefined,
  options: [],
  keeps: [],
  sizing: { instanceType: 't3.medium', why: 'request, notification and database pools of about the cores (perf_tuning.md)' },
  drain: {
    waitS: 10,
    until: 'connections',
    rule: 'requests under way are answered; notifications that wait in its queue are lost with the process',
  },
  restart: { on: 'process', afterS: 15, rule: 'process dead: restarted, then replaced; database out of reach or overloaded: left alone' },
  remarks: ['At start it tries MongoDB for 100 s with its port closed, then ends; whoever runs it starts it again.'],
};
