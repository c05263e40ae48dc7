/** STH-Comet: short-time history of attributes in MongoDB. Says what it is and needs; runs nothing. Sources: fiware-sth-comet, running.md, lib/. */
import type { RoleEntry } from './role-entry';

/**
 * `/version` is green without a database (sthServer.js). A read of an entity nobody has is answered 200 and empty while MongoDB is
 * connected, and 500 while it is not (sthDatabase.js, isConnectionAlive; since 2.9.0).
 */
const TRUTH = '/STH/v2/entities/fiware-ha-probe/attrs/probe?type=Probe&lastN=1';

/** Its driver gives up after so many tries, a second apart, and never again tries (sthDatabase.js): a day outlives any election. */
const RECONNECT_TRIES = '86400';

export const sthComet: RoleEntry<'sth-comet'> = {
  name: 'sth-comet',
  title: 'STH-Comet',
  slotPrefix: 'sth',
  ports: { north: 8666 },
  frontends: ['north'],
  backend: 'round-robin',
  count: { min: 1, max: 10, usual: 2, why: 'two, so that one may die' },
  needs: { replicaSet: true, brokers: false },
  health: {
    process: { port: 'north', path: '/version', status: 200 },
    truth: { port: 'north', path: TRUTH, headers: { 'Fiware-Service': 'fiwareha', 'Fiware-ServicePath': '/' }, status: 200 },
    overload: 'reads of aggregates take seconds while /version is quick',
  },
  versions: [
    { from: '2.9.0', below: '3.0.0', source: 'fiware-sth-comet, running.md; DB_RECONNECT_TRIES and the truthful 500 came with 2.9.0' },
  ],
  usualVersion: '2.11.0',
  image: (version) => `telefonicaiot/fiware-sth-comet:${version}`,
  client: 'curl',
  environment: (_version, { seeds, replicaSet, writeConcern }) => ({
    STH_HOST: '0.0.0.0',
    STH_PORT: '8666',
    DB_URI: seeds.join(','),
    REPLICA_SET: replicaSet,
    WRITE_CONCERN: String(writeConcern),
    DB_RECONNECT_TRIES: RECONNECT_TRIES,
    DB_RECONNECT_INTERVAL: '1000',
  }),
  file: () => undefined,
  options: [],
  keeps: [],
  sizing: { instanceType: 't3.small', why: 'one Node.js process; the work of aggregates is done by MongoDB' },
  drain: { waitS: 10, until: 'connections', rule: 'it ends its requests on SIGTERM by itself (sth.js)' },
  restart: {
    on: 'truth',
    afterS: 120,
    rule: 'a connection it lost for good comes back with a restart only; restarted once the database is well and it still says 500',
  },
  remarks: [
    'Fed by subscriptions of the brokers to /notify at the balancers, or by Cygnus (sth sink); a notification that reaches nobody is not repeated by Orion.',
  ],
};
