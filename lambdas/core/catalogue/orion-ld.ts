/** Orion-LD: a context broker for NGSI-LD, beside or instead of Orion. Says what it is and needs; runs nothing. Sources: context.Orion-LD, docker/README.md, orionld.cpp. */
import type { RoleEntry } from './role-entry';

export const orionLd: RoleEntry<'orion-ld'> = {
  name: 'orion-ld',
  title: 'Orion-LD',
  slotPrefix: 'ld',
  ports: { north: 1026 },
  frontends: ['north'],
  backend: 'round-robin',
  count: { min: 1, max: 20, usual: 2, why: 'two, so that one may die' },
  needs: { replicaSet: true, brokers: false },
  health: {
    // Answered without the database (orionldRestServices.cpp).
    process: { port: 'north', path: '/ngsi-ld/ex/v1/version', status: 200 },
    truth: { port: 'north', path: '/ngsi-ld/v1/entities?type=FiwareHaProbe&limit=1', status: 200 },
    overload: 'slow answers while /ngsi-ld/ex/v1/version is quick',
  },
  versions: [{ from: '1.0.0', below: '2.0.0', source: 'context.Orion-LD, docker/README.md' }],
  usualVersion: '1.7.0',
  image: (version) => `fiware/orion-ld:${version}`,
  client: 'curl',
  environment: (_version, { seeds, replicaSet, writeConcern }) => ({
    ORIONLD_MONGO_HOST: seeds.join(','),
    ORIONLD_MONGO_REPLICA_SET: replicaSet,
    ORIONLD_MONGO_DB: 'orionld',
    ORIONLD_MONGO_WRITE_CONCERN: writeConcern === 0 ? '0' : '1',
    ORIONLD_MULTI_SERVICE: 'TRUE',
    // By default its subscriptions are never read again (0), and other brokers' would stay unknown.
    ORIONLD_SUBCACHE_IVAL: '10',
    ORIONLD_MUTEX_POLICY: 'none',
  }),
  file: () => undefined,
  options: [],
  keeps: [],
  sizing: { instanceType: 't3.medium', why: 'as Orion' },
  drain: { waitS: 10, until: 'connections', rule: 'requests under way are answered' },
  restart: { on: 'process', afterS: 15, rule: 'process dead: restarted, then replaced; database out of reach or overloaded: left alone' },
  remarks: ['It offers the same port as Orion: where a cluster has both, set ports.north of orion-ld to another one.'],
};
