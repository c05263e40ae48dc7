import { describe, expect, it } from '@jest/globals';
import type { Role } from '../../lambdas/core/names';
import type { NodeConfig } from '../../lambdas/core/node-config';
import type { SpecInput } from '../../lambdas/core/spec';
import { watch } from '../../sim/checkers/watch';
import { Client } from '../../sim/client';
import { calm } from '../../sim/faults';
import type { World } from '../../sim/world';
import { aWorldWith, changeSpec, isSettled, journalOf, rowOf } from './a-city';

const SEEDS = [71, 72, 73, 74];
const WITHIN_S = 1_200;

/** A person edits the stored spec. */
const setSpec = (world: World, change: Partial<SpecInput>) => changeSpec(world, (spec) => ({ ...spec, ...change }));

async function aCity(seed: number, options: { brokers?: number } = {}): Promise<World> {
  const world = await aWorldWith(['city'], { seed, faults: calm() });
  setSpec(world, { orion: { count: options.brokers ?? 3 } });
  if (!(await world.pass(WITHIN_S, () => isSettled(world) && running(world, 'orion').length === (options.brokers ?? 3))))
    throw new Error('not settled');
  return world;
}

const running = (world: World, role: Role) =>
  [...world.cloud.nodes.values()].filter(({ fact }) => fact.role === role && fact.state === 'running');
const versions = (world: World) => running(world, 'orion').map(({ config }) => (config?.role === 'orion' ? `${config.version}` : 'none'));
const rolloutOf = (world: World, role: Role) => rowOf(world)?.memory.rollouts[role];
const lineOf = (world: World, role: Role) => rowOf(world)?.status?.rollouts?.find((rollout) => rollout.role === role)?.text;
const isVersion = (version: string) => (config: NodeConfig) => config.role === 'orion' && config.version === version;

/** Instance ids of brokers that ever ran, and died of, a configuration. */
function countDeaths(world: World): Set<string> {
  const died = new Set<string>();
  const look = () => {
    for (const node of running(world, 'orion')) if (node.process === 'dead') died.add(node.fact.instanceId);
    world.scheduler.after(200, look);
  };
  look();
  return died;
}

describe('new settings', () => {
  it.each(SEEDS)('go through all brokers, one after the other, each well again before the next (seed %d)', async (seed) => {
    const world = await aCity(seed);
    const client = new Client(world, 'city');
    const watching = watch(world, [client]);
    client.start();
    setSpec(world, { orion: { count: 3, version: '4.2.0' } });
    let most = 0;
    const isOver = () => {
      most = Math.max(most, running(world, 'orion').filter((node) => !world.cloud.isServing(node)).length);
      return versions(world).every((version) => version === '4.2.0') && isSettled(world);
    };
    expect(await world.pass(WITHIN_S, isOver)).toBe(true);
    client.stop();
    expect(most).toBe(1);
    expect(rolloutOf(world, 'orion')).toMatchObject({ state: 'good', settling: {} });
    expect(lineOf(world, 'orion')).toMatch(/^3 of 3 run [0-9a-f]{7}$/);
    expect(watching.violations).toEqual([]);
  });
});

describe('settings with which brokers die', () => {
  it.each(SEEDS)('cost one broker, are rolled back, and a good spec then goes through (seed %d)', async (seed) => {
    const world = await aCity(seed);
    const died = countDeaths(world);
    world.faults.isDeadly = isVersion('4.9.9');
    setSpec(world, { orion: { count: 3, version: '4.9.9' } });
    expect(await world.pass(WITHIN_S, () => rolloutOf(world, 'orion')?.rolledBack === true)).toBe(true);
    await world.pass(300);
    expect(died.size).toBe(1);
    expect(versions(world)).toEqual(['4.1.0', '4.1.0', '4.1.0']);
    expect(running(world, 'orion').every((node) => world.cloud.isServing(node))).toBe(true);
    const status = rowOf(world)?.status;
    expect(status?.blocked).toEqual([expect.stringMatching(/the rollout of orion .* stopped at ctx\d .*\(orion.version 4.1.0 → 4.9.9\)/)]);
    expect(lineOf(world, 'orion')).toMatch(/^3 of 3 run .*; rolled back, because ctx\d did not take .*connection refused/);
    expect(world.counters.get('RolloutStopped')).toBeGreaterThan(0);
    const told = journalOf(world).filter(({ event, text }) => event === 'blocked' && text.includes('stopped at'));
    expect(told).toHaveLength(1);

    setSpec(world, { orion: { count: 3, version: '4.3.0' } });
    expect(await world.pass(WITHIN_S, () => versions(world).every((version) => version === '4.3.0') && isSettled(world))).toBe(true);
    expect(died.size).toBe(1);
  });

  it('leave a broker that joins meanwhile alone, and one that replaces another', async () => {
    const world = await aCity(75);
    const died = countDeaths(world);
    world.faults.isDeadly = isVersion('4.9.9');
    setSpec(world, { orion: { count: 5, version: '4.9.9' } });
    expect(await world.pass(WITHIN_S, () => rolloutOf(world, 'orion')?.rolledBack === true)).toBe(true);
    world.cloud.terminate(running(world, 'orion')[0]?.fact.instanceId ?? '', false);
    const isWell = () => running(world, 'orion').filter((node) => world.cloud.isServing(node)).length === 5;
    expect(await world.pass(WITHIN_S, isWell)).toBe(true);
    await world.pass(120);
    expect(versions(world)).toEqual(Array(5).fill('4.1.0'));
    expect(died.size).toBe(1);
  });

  it('are not blamed while the database is away', async () => {
    const world = await aCity(76);
    setSpec(world, { orion: { count: 3, version: '4.2.0' } });
    await world.pass(20, () => Object.keys(rolloutOf(world, 'orion')?.settling ?? {}).length > 0);
    const members = running(world, 'mongo');
    for (const node of members) node.hung = true;
    await world.pass(120);
    expect(rolloutOf(world, 'orion')?.state).toBe('rolling');
    for (const node of members) node.hung = false;
    expect(await world.pass(WITHIN_S, () => versions(world).every((version) => version === '4.2.0') && isSettled(world))).toBe(true);
  });
});

describe('settings that a node refuses', () => {
  it.each(SEEDS)('touch nothing that serves, and are rolled back with the words of the check (seed %d)', async (seed) => {
    const world = await aCity(seed, { brokers: 2 });
    const client = new Client(world, 'city');
    client.start();
    const fromMs = world.scheduler.nowMs;
    const before = running(world, 'lb').map(({ configVersion }) => configVersion);
    world.faults.refuses = (config) =>
      config.role === 'lb' && config.protocol === 'tcp' ? "haproxy.cfg:3: unknown keyword 'tcq'" : undefined;
    setSpec(world, { orion: { count: 2 }, entry: { protocol: 'tcp' } });
    expect(await world.pass(300, () => rolloutOf(world, 'lb')?.rolledBack === true)).toBe(true);
    await world.pass(120);
    client.stop();
    expect(running(world, 'lb').map(({ configVersion }) => configVersion)).toEqual(before);
    expect(client.failedSeconds(fromMs, world.scheduler.nowMs)).toBe(0);
    const refused = journalOf(world).filter(({ topic, event }) => topic === 'applyConfig' && event === 'refused');
    expect(refused.map(({ text }) => text)).toEqual([expect.stringContaining("unknown keyword 'tcq'")]);
    expect(lineOf(world, 'lb')).toMatch(/rolled back, because lb1 did not take .*: it refused it: haproxy.cfg:3/);
    setSpec(world, { entry: { protocol: 'http' } });
    expect(await world.pass(300, () => isSettled(world))).toBe(true);
  });
});
