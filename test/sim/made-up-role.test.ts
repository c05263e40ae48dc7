/** A role that nobody has heard of runs once its entry is in the list: nothing else knows roles by name. */
import { describe, expect, it, jest } from '@jest/globals';
import type { RoleEntry } from '../../lambdas/core/catalogue/role-entry';
import type { Role } from '../../lambdas/core/names';
import { makeRandom } from '../../sim/random';
import { nodesOf, rowOf, settle } from './a-city';

const weatherVane: RoleEntry<'weather-vane'> = {
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

/** The list of the catalogue with one more in it; whatever is loaded after this sees it. */
function addToCatalogue(): void {
  jest.resetModules();
  const path = '../../lambdas/core/catalogue/enablers';
  const actual = jest.requireActual<typeof import('../../lambdas/core/catalogue/enablers')>(path);
  const ENABLERS = [...actual.ENABLERS, weatherVane];
  jest.doMock(path, () => ({ ENABLERS, enablerEntry: (name: string) => ENABLERS.find((entry) => entry.name === name) }));
}

const VANE = 'weather-vane' as Role & 'sth-comet';

describe('a made-up role', () => {
  it('is launched, offered, scaled and healed like any other', async () => {
    addToCatalogue();
    const { World } = await import('../../sim/world');
    const { watch } = await import('../../sim/checkers/watch');
    const { renderConfig } = await import('../../lambdas/core/config/render');
    const world = new World({ seed: 7 });
    const watching = watch(world, []);
    world.send('provision', { kind: 'createCluster', cluster: 'city', spec: { enablers: { [VANE]: {} } } });
    await settle(world);
    expect(Object.keys(nodesOf(world, VANE)).sort()).toEqual(['vane1', 'vane2', 'vane3']);
    const { vane1, vane2 } = nodesOf(world, VANE);
    const { lb1 } = nodesOf(world, 'lb');
    if (!vane1?.config || !vane2 || !lb1?.config) throw new Error('a slot is empty');

    const address = rowOf(world)?.status?.addresses[0]?.publicIp;
    const files = Object.fromEntries(renderConfig(vane1.config, 'abcd').map(({ name, content }) => [name, content]));
    expect(files['service.conf']).toBe('points = north\n');
    expect(files['service.env']?.split('\n')).toEqual(
      expect.arrayContaining([
        'VANE_VERSION=1.2.0',
        `VANE_BROKER=${address}:1026`,
        'FIWARE_HA_IMAGE=example/weather-vane:1.2.0',
        'FIWARE_HA_PORTS=9099',
        'FIWARE_HA_CONF_PATH=/etc/vane.conf',
        'FIWARE_HA_KEEPS=/var/lib/vane',
        'FIWARE_HA_CONFIG_VERSION=abcd',
      ]),
    );
    const haproxy = renderConfig(lb1.config, 'abcd').find(({ name }) => name === 'haproxy.cfg')?.content;
    expect(haproxy).toContain('frontend vane\n  bind :9099\n');
    expect(haproxy).toContain(`  server vane1 ${vane1.fact.privateIp}:9099`);
    expect(haproxy).toContain('http-check send meth GET uri /wind?probe=1 hdr Fiware-Service fiwareha');

    world.cloud.terminate(vane1.fact.instanceId, false);
    expect(world.dataPath.serviceFor('city', VANE, makeRandom(1))?.fact.slot).toMatch(/^vane[23]$/);
    vane2.lostDatabase = true;
    await world.pass(90);
    await settle(world);
    expect(nodesOf(world, VANE).vane1?.fact.incarnation).toBe(2);
    expect(nodesOf(world, VANE).vane2?.fact.incarnation).toBe(1);
    expect(vane2.lostDatabase).toBeUndefined();

    world.send('provision', { kind: 'scale', cluster: 'city', role: VANE, count: 1 });
    await settle(world);
    expect(Object.keys(nodesOf(world, VANE))).toEqual(['vane1']);
    watching.end();
    expect(watching.violations).toEqual([]);
  });
});
