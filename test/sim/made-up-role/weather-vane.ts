/** The entry of a role that nobody has heard of: what a person adds to the catalogue. Runs nothing. */
import type { RoleEntry } from '../../../lambdas/core/catalogue/role-entry';

export const weatherVane: RoleEntry<'weather-vane'> = {
  name: 'weather-vane',
  title: 'Weather Vane',
  slotPrefix: 'vane',
  ports: { north: 9099, admin: 9100 },
  frontends: ['north'],
  backend: 'round-robin',
  count: { min: 1, max: 5, usual: 3, why: 'the wind comes from three sides' },
  needs: { replicaSet: true, brokers: true },
  health: {
    process: { port: 'admin', path: '/alive', status: 200 },
    truth: { port: 'north', path: '/wind?probe=1', headers: { 'Fiware-Service': 'fiwareha' }, status: 200 },
    overload: 'it turns slowly',
  },
  versions: [{ from: '1.0.0', below: '2.0.0', source: 'made up by a test' }],
  usualVersion: '1.2.0',
  image: (version) => `example/weather-vane:${version}`,
  client: 'curl',
  environment: (version, { seeds, broker }) => ({
    VANE_VERSION: version,
    VANE_SEEDS: seeds.join(','),
    VANE_BROKER: `${broker.host}:${broker.port}`,
  }),
  file: () => ({ path: '/etc/vane.conf', content: 'points = north\n' }),
  options: [],
  keeps: ['/var/lib/vane'],
  sizing: { instanceType: 't3.nano', why: 'wind is light' },
  drain: { waitS: 5, until: 'connections', rule: 'it stops turning' },
  restart: { on: 'truth', afterS: 30, rule: 'rust' },
  remarks: [],
};
