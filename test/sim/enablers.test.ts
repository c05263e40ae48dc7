/** The other roles of the catalogue on the simulated cloud: launched, offered, scaled, healed, rolled out and removed as the brokers are. */
import { describe, expect, it } from '@jest/globals';
import type { EnablerRole } from '../../lambdas/core/names';
import { watch } from '../../sim/checkers/watch';
import { makeRandom } from '../../sim/random';
import { World } from '../../sim/world';
import { changeSpec, journalOf, nodeIn, nodesOf, rowOf, settle, slotsOf } from './a-city';

const SEEDS = [1, 2, 3];
const luck = makeRandom(0xe4ab1e);

const ENABLERS = {
  'sth-comet': {},
  'iotagent-json': { options: { mqtt: { host: 'mqtt.city' } } },
  'iotagent-ul': { ports: { south: 7897 } },
  cygnus: { options: { channel: 'file' } },
};

async function aCity(seed: number) {
  const world = new World({ seed });
  const watching = watch(world, []);
  world.send('provision', { kind: 'createCluster', cluster: 'city', spec: { enablers: ENABLERS } });
  await settle(world);
  const violations = () => {
    watching.end();
    return watching.violations.map(({ checker, text }) => `${checker}: ${text}`);
  };
  return { world, violations };
}

const servedBy = (world: World, role: EnablerRole) => world.dataPath.serviceFor('city', role, luck)?.fact.slot;

describe.each(SEEDS)('with seed %i', (seed) => {
  it('every role is launched, configured and offered by both balancers', async () => {
    const { world, violations } = await aCity(seed);
    for (const role of Object.keys(ENABLERS) as EnablerRole[]) {
      const nodes = nodesOf(world, role);
      expect(nodes).toHaveLength(2);
      expect(nodes.every(({ config, process }) => config?.role === role && process === 'running')).toBe(true);
      expect(new Set(nodes.map(({ fact }) => fact.zone)).size).toBe(2);
      expect(servedBy(world, role)).toBeDefined();
    }
    const address = rowOf(world)?.status?.addresses[0]?.publicIp;
    expect(nodeIn(world, 'iotagent-ul', 'iotu2').config).toMatchObject({
      broker: { host: address, port: 1026 },
      offered: { host: address, port: 4061 },
      index: 2,
    });
    for (const balancer of nodesOf(world, 'lb'))
      expect(balancer.config).toMatchObject({
        services: [
          { role: 'sth-comet', servers: [{ slot: 'sth1' }, { slot: 'sth2' }] },
          { role: 'iotagent-json' },
          { role: 'iotagent-ul', ports: { north: 4061, south: 7897 } },
          { role: 'cygnus' },
        ],
      });
    expect(violations()).toEqual([]);
  });

  it('a dead active Cygnus is stood in for at once, then replaced', async () => {
    const { world, violations } = await aCity(seed);
    expect(servedBy(world, 'cygnus')).toBe('cyg1');
    world.cloud.terminate(nodeIn(world, 'cygnus', 'cyg1').fact.instanceId, false);
    expect(servedBy(world, 'cygnus')).toBe('cyg2');
    await settle(world);
    expect(nodeIn(world, 'cygnus', 'cyg1').fact.incarnation).toBe(2);
    expect(servedBy(world, 'cygnus')).toBe('cyg1');
    expect(violations()).toEqual([]);
  });

  it('a dead process is restarted before anything is replaced', async () => {
    const { world, violations } = await aCity(seed);
    nodeIn(world, 'iotagent-json', 'iotj1').process = 'dead';
    await settle(world);
    expect(nodeIn(world, 'iotagent-json', 'iotj1')).toMatchObject({ process: 'running', fact: { incarnation: 1 } });
    expect(
      journalOf(world).some(({ event, text }) => event === 'planned' && text.includes('iotj1') && text.includes('restarted first')),
    ).toBe(true);
    expect(violations()).toEqual([]);
  });

  it('the same job scales them, within the bounds of their entry', async () => {
    const { world, violations } = await aCity(seed);
    world.send('provision', { kind: 'scale', cluster: 'city', role: 'sth-comet', count: 4 });
    await settle(world);
    expect(slotsOf(world, 'sth-comet')).toEqual(['sth1', 'sth2', 'sth3', 'sth4']);
    world.send('provision', { kind: 'scale', cluster: 'city', role: 'cygnus', count: 1 });
    world.send('provision', { kind: 'scale', cluster: 'city', role: 'sth-comet', count: 1 });
    await settle(world);
    expect(slotsOf(world, 'sth-comet')).toEqual(['sth1']);
    expect(slotsOf(world, 'cygnus')).toHaveLength(2);
    const refused = journalOf(world).find(({ event }) => event === 'refused');
    expect(refused?.text).toContain('enablers.cygnus.count: expected 2 to 4');
    expect(violations()).toEqual([]);
  });

  it('a new version comes to the standby of a pair first, and to one node at a time', async () => {
    const { world, violations } = await aCity(seed);
    const restarted: string[] = [];
    world.cloud.listeners.push({ restarting: ({ fact }) => void restarted.push(fact.slot) });
    changeSpec(world, (spec) => ({
      ...spec,
      enablers: { ...ENABLERS, cygnus: { version: '3.16.0' }, 'sth-comet': { version: '2.12.0' } },
    }));
    await settle(world);
    expect(restarted.filter((slot) => slot.startsWith('cyg'))).toEqual(['cyg2', 'cyg1']);
    expect(restarted.filter((slot) => slot.startsWith('sth'))).toEqual(['sth1', 'sth2']);
    expect(nodeIn(world, 'cygnus', 'cyg1').config).toMatchObject({ version: '3.16.0' });
    expect(violations()).toEqual([]);
  });

  it('a driver that gave its database up for good is restarted, once the set is well', async () => {
    const { world, violations } = await aCity(seed);
    const sth = nodeIn(world, 'sth-comet', 'sth2');
    const { starts } = sth;
    sth.lostDatabase = true;
    await world.pass(200);
    await settle(world);
    expect(sth).toMatchObject({ starts: starts + 1, fact: { incarnation: 1, state: 'running' } });
    const planned = journalOf(world).find(({ event, text }) => event === 'planned' && text.includes('without its database'));
    expect(planned?.text).toContain('sth2');
    expect(violations()).toEqual([]);
  });

  it('a role that the spec gives up is drained and removed', async () => {
    const { world, violations } = await aCity(seed);
    changeSpec(world, (spec) => ({ ...spec, enablers: { cygnus: ENABLERS.cygnus } }));
    await settle(world);
    expect(nodesOf(world, 'sth-comet')).toEqual([]);
    expect(nodesOf(world, 'iotagent-json')).toEqual([]);
    expect(slotsOf(world, 'cygnus')).toHaveLength(2);
    expect(nodesOf(world, 'lb').every(({ config }) => config?.role === 'lb' && config.services?.length === 1)).toBe(true);
    expect(violations()).toEqual([]);
  });
});
