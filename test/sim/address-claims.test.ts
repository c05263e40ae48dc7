import { describe, expect, it } from '@jest/globals';
import { watch } from '../../sim/checkers/watch';
import type { SimNode } from '../../sim/sim-node';
import type { World } from '../../sim/world';
import { aWorldWith, isSettled, journalOf } from './a-city';

const SEEDS = [31, 32, 33, 34, 35];

function pairOf(world: World): { holder: SimNode; other: SimNode } {
  const [address] = world.cloud.addresses.values();
  const balancers = [...world.cloud.nodes.values()].filter(({ fact }) => fact.role === 'lb' && fact.state === 'running');
  const holder = balancers.find(({ fact }) => fact.instanceId === address?.holder);
  const other = balancers.find((node) => node !== holder);
  if (!holder || !other) throw new Error('expected a pair of balancers, one with the address');
  return { holder, other };
}

const holderIs = (world: World, node: SimNode) =>
  [...world.cloud.addresses.values()].every(({ holder }) => holder === node.fact.instanceId);

function claimsOf(world: World, since: number) {
  return journalOf(world)
    .slice(since)
    .filter(({ topic }) => topic === 'claimAddress');
}

/** A city that is settled, without chance alarms, and what its journal held by then. */
async function aQuietCity(seed: number) {
  const world = await aWorldWith(['city'], { seed });
  world.faults.falseAlarmShare = 0;
  await world.pass(60);
  return { world, watching: watch(world), since: journalOf(world).length, ...pairOf(world) };
}

describe('a balancer that falls silent', () => {
  const deaths: [string, number, (world: World, node: SimNode) => void][] = [
    ['its instance is gone', 3, (world, node) => world.cloud.terminate(node.fact.instanceId, false)],
    ['its instance hangs', 4, (_world, node) => (node.hung = true)],
    ['its HAProxy is dead', 5, (_world, node) => (node.process = 'dead')],
  ];

  describe.each(deaths)('because %s', (_how, withinS, die) => {
    it.each(SEEDS)(`loses the address to its peer within ${withinS} s, before any check (seed %i)`, async (seed) => {
      const { world, watching, since, holder, other } = await aQuietCity(seed);
      die(world, holder);
      const isGone = holder.fact.state === 'terminated';
      expect(await world.pass(withinS, () => holderIs(world, other))).toBe(true);
      await world.pass(1);
      // EC2's own word of an instance that is gone may be as fast; the claim then finds the address with its claimant.
      const ended = claimsOf(world, since).filter(({ event }) => event === 'done');
      expect(ended.map(({ text }) => text)).toContainEqual(
        expect.stringMatching(
          `^${other.fact.instanceId} took the lead of its pair: the address moved to it${isGone ? '|holds the address' : ''}`,
        ),
      );
      expect(await world.pass(1_200, () => isSettled(world))).toBe(true);
      expect(holderIs(world, other)).toBe(true);
      expect(watching.violations).toEqual([]);
    });
  });

  it('loses it all the same, later, when claims do not get through: the checks see to it', async () => {
    const { world, watching, holder, other } = await aQuietCity(36);
    // A deaf balancer took the lead long ago and has nothing new to say.
    world.faults.deaf.add(other.fact.instanceId);
    await world.pass(30);
    holder.hung = true;
    expect(await world.pass(5, () => holderIs(world, other))).toBe(false);
    expect(await world.pass(60, () => holderIs(world, other))).toBe(true);
    expect(watching.violations).toEqual([]);
  });
});

describe('two balancers that do not hear each other, both healthy', () => {
  it.each(SEEDS)('keep the address where it is, and each claim is refused with its reason (seed %i)', async (seed) => {
    const { world, watching, since, holder, other } = await aQuietCity(seed);
    let moves = 0;
    world.cloud.listeners.push({ associating: () => void moves++ });
    for (let round = 0; round < 10; round++) {
      world.faults.deaf.add(holder.fact.instanceId).add(other.fact.instanceId);
      await world.pass(5);
      world.faults.deaf.clear();
      await world.pass(5);
    }
    expect(moves).toBe(0);
    const refused = claimsOf(world, since).filter(({ event }) => event === 'refused');
    expect(refused.length).toBeGreaterThanOrEqual(10);
    for (const { text } of refused) expect(text).toMatch(new RegExp(`stays: its holder ${holder.fact.slot} .* answers`));
    expect(isSettled(world)).toBe(true);
    expect(watching.violations).toEqual([]);
  });
});

describe('claims that were not made by a balancer of the cluster, now', () => {
  it('are refused with their reason, also while the holder is dead, and the data path is as it was', async () => {
    const { world, since, holder, other } = await aQuietCity(37);
    const former = other.fact.instanceId;
    const claim = { kind: 'claimAddress', cluster: 'city', claimant: former, atMs: Math.round(world.scheduler.nowMs), state: 'MASTER' };
    const broker = [...world.cloud.nodes.values()].find(({ fact }) => fact.role === 'orion');
    world.faults.deaf.add(former);
    await world.pass(40);
    holder.hung = true;
    world.send('failover', claim);
    world.send('failover', { ...claim, atMs: Math.round(world.scheduler.nowMs) + 3_600_000 });
    world.send('failover', { ...claim, atMs: Math.round(world.scheduler.nowMs), claimant: 'i-f00d' });
    world.send('failover', { ...claim, atMs: Math.round(world.scheduler.nowMs), claimant: broker?.fact.instanceId });
    await world.pass(3);
    expect(holderIs(world, holder)).toBe(true);
    const texts = claimsOf(world, since)
      .filter(({ event }) => event === 'refused')
      .map(({ text }) => text);
    for (const reason of [
      /this one is 4\d s old/,
      /3600 s ahead/,
      /i-f00d is not one of its nodes/,
      /expected a load balancer; i-\w+ is ctx/,
    ])
      expect(texts).toContainEqual(expect.stringMatching(reason));
  });

  it('and a true one that comes again changes nothing', async () => {
    const { world, watching, holder, other } = await aQuietCity(38);
    world.cloud.terminate(holder.fact.instanceId, false);
    expect(await world.pass(5, () => holderIs(world, other))).toBe(true);
    let moves = 0;
    world.cloud.listeners.push({ associating: () => void moves++ });
    for (let i = 0; i < 5; i++)
      world.send('failover', {
        kind: 'claimAddress',
        cluster: 'city',
        claimant: other.fact.instanceId,
        atMs: Math.round(world.scheduler.nowMs),
        state: 'MASTER',
      });
    await world.pass(10);
    expect(moves).toBe(0);
    expect(watching.violations).toEqual([]);
  });

  it('that can not be decoded are kept as dead letters', async () => {
    const { world } = await aQuietCity(39);
    const { other } = pairOf(world);
    const claim = { kind: 'claimAddress', cluster: 'city', claimant: other.fact.instanceId, atMs: world.scheduler.nowMs, state: 'MASTER' };
    const bad = [
      world.send('failover', { ...claim, state: 'BACKUP' }),
      world.send('failover', { ...claim, cluster: 'city"; id' }),
      world.send('failover', { ...claim, allocationId: 'eipalloc-1' }),
    ];
    await world.pass(3 * 180 + 60);
    expect(world.queues.deadLetters.map(({ id }) => id).sort()).toEqual(bad.sort());
  });
});
