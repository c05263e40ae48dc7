/** No request fails when brokers leave, restart or are replaced as planned, with requests that take seconds on the simulated cloud. */
import { describe, expect, it } from '@jest/globals';
import { watch } from '../../sim/checkers/watch';
import { LongRequests } from '../../sim/long-requests';
import { makeRandom } from '../../sim/random';
import { World } from '../../sim/world';
import { changeSpec, journalOf, nodeIn, nodesOf, settle } from './a-city';

const SEEDS = [1, 2, 3];
const LUCK = 0xd7a1;

interface City {
  world: World;
  requests: LongRequests;
  settle(): Promise<void>;
  /** Lets the last requests come to their ends. */
  end(): Promise<string[]>;
}

const brokersOf = (world: World) => nodesOf(world, 'orion');
const brokerIn = (world: World, slot: string) => nodeIn(world, 'orion', slot);

/** A settled city of so many brokers, with requests under way. */
async function aCityOf(count: number, seed: number, policy = {}): Promise<City> {
  const world = new World({ seed });
  const requests = new LongRequests(world, 'city', makeRandom(seed ^ LUCK));
  const watching = watch(world, []);
  world.send('provision', { kind: 'createCluster', cluster: 'city', spec: { orion: { count }, policy } });
  await settle(world);
  requests.start();
  await world.pass(15);
  return {
    world,
    requests,
    settle: () => settle(world),
    end: async () => {
      requests.stop();
      await world.pass(15);
      watching.end();
      return watching.violations.map(({ checker, text }) => `${checker}: ${text}`);
    },
  };
}

const scale = (count: number) => (world: World) => void world.send('provision', { kind: 'scale', cluster: 'city', role: 'orion', count });
const restartAll = (world: World) => changeSpec(world, (spec) => ({ ...spec, orion: { ...(spec.orion as object), version: '4.2.0' } }));

describe.each(SEEDS)('with seed %i no request fails', (seed) => {
  it('when brokers leave and come', async () => {
    const { world, requests, settle, end } = await aCityOf(4, seed);
    scale(2)(world);
    await settle();
    expect(brokersOf(world)).toHaveLength(2);
    scale(3)(world);
    await settle();
    expect(await end()).toEqual([]);
    expect(requests.unanswered).toEqual([]);
    expect(requests.answered).toBeGreaterThan(100);
  });

  it('when all of them restart with a new version, one after the other', async () => {
    const { world, requests, settle, end } = await aCityOf(3, seed);
    const starts = () => brokersOf(world).map((broker) => broker.starts);
    expect(starts()).toEqual([1, 1, 1]);
    restartAll(world);
    await settle();
    expect(starts()).toEqual([2, 2, 2]);
    expect(await end()).toEqual([]);
    expect(requests.unanswered).toEqual([]);
    const said = journalOf(world).filter(({ topic, event }) => topic === 'applyConfig' && event === 'planned');
    expect(said.map(({ text }) => text).join()).toContain('drained: no connection is left');
  });

  it('when a broker that was replaced comes back and goes again', async () => {
    const { world, requests, settle, end } = await aCityOf(2, seed, { restartsBeforeReplace: 0 });
    const broker = brokerIn(world, 'ctx2');
    broker.hung = true;
    expect(await world.pass(300, () => brokersOf(world).length === 3)).toBe(true);
    broker.hung = false;
    await world.pass(5);
    const lost = requests.unanswered.length;
    await settle();
    expect(
      brokersOf(world)
        .map(({ fact }) => fact.slot)
        .sort(),
    ).toEqual(['ctx1', 'ctx2']);
    expect(await end()).toEqual([]);
    expect(requests.unanswered.slice(lost)).toEqual([]);
  });
});

describe('a stop without a drain', () => {
  it.each([
    ['a scale-in', scale(1)],
    ['a restart', restartAll],
  ])('is caught by the same client: %s', async (_, act) => {
    const { world, requests, settle, end } = await aCityOf(3, 6, { drainMaxS: 0 });
    act(world);
    await settle();
    await end();
    expect(requests.unanswered.map(({ why }) => why).join()).toMatch(/ctx\d \(i-[0-9a-f]+\) stopped under it/);
  });
});
