/** Sicknesses that are not the brokers' own fault, for minutes, on the simulated cloud: none is restarted, none replaced. */
import { describe, expect, it } from '@jest/globals';
import type { World } from '../../sim/world';
import { aWorldWith, isSettled, journalOf, nodesOf, rowOf } from './a-city';

const sicknessesOf = (world: World) =>
  new Set(nodesOf(world, 'orion').map(({ fact }) => rowOf(world)?.memory.health[fact.instanceId]?.sickness));

/** What was planned for brokers since then. */
function plannedFor(world: World, since: number): string[] {
  const ids = nodesOf(world, 'orion').flatMap(({ fact }) => [fact.instanceId, fact.slot]);
  return journalOf(world)
    .slice(since)
    .filter(({ event, jobKey }) => event === 'planned' && ids.some((id) => jobKey?.includes(`/${id}#`)))
    .map(({ topic, text }) => `${topic}: ${text}`);
}

describe.each([1, 2, 3])('with seed %i no broker is restarted or replaced', (seed) => {
  it('for a MongoDB that is away for minutes', async () => {
    const world = await aWorldWith(['city'], { seed });
    const brokers = nodesOf(world, 'orion').map(({ fact }) => fact.instanceId);
    const since = journalOf(world).length;
    for (const member of nodesOf(world, 'mongo')) member.hung = true;
    await world.pass(300);
    expect(sicknessesOf(world)).toEqual(new Set(['database']));
    expect(world.counters.get('AllBrokersSick')).toBeGreaterThan(5);
    for (const member of nodesOf(world, 'mongo')) member.hung = false;
    expect(await world.pass(1_800, () => isSettled(world))).toBe(true);
    expect(plannedFor(world, since)).toEqual([]);
    expect(nodesOf(world, 'orion').map(({ fact }) => fact.instanceId)).toEqual(brokers);
  });

  it.each([
    ['slow', 1_500],
    ['too slow to be heard', 10_000],
  ])('for load that makes all of them %s', async (_, slowMs) => {
    const world = await aWorldWith(['city'], { seed });
    const since = journalOf(world).length;
    for (const broker of nodesOf(world, 'orion')) broker.slowMs = slowMs;
    await world.pass(100);
    expect(sicknessesOf(world)).toEqual(new Set(['overload']));
    await world.pass(300);
    expect(world.counters.get('AllBrokersSick')).toBeGreaterThan(5);
    for (const broker of nodesOf(world, 'orion')) delete broker.slowMs;
    expect(await world.pass(600, () => isSettled(world))).toBe(true);
    expect(plannedFor(world, since)).toEqual([]);
  });
});

describe('a broker that hangs while the other is well', () => {
  it('is restarted after its time', async () => {
    const world = await aWorldWith(['city'], { seed: 4 });
    const since = journalOf(world).length;
    const [broker] = nodesOf(world, 'orion');
    if (!broker) throw new Error('no broker runs');
    broker.slowMs = 60_000;
    await world.pass(100);
    expect(plannedFor(world, since)).toEqual([]);
    expect(await world.pass(120, () => plannedFor(world, since).length > 0)).toBe(true);
    expect(plannedFor(world, since)).toEqual([
      expect.stringMatching(/^restartRole: ctx\d .* is dead: no answer in time; its process is restarted first$/),
    ]);
  });
});
