import { describe, expect, it } from '@jest/globals';
import { watch } from '../../sim/checkers/watch';
import { Client } from '../../sim/client';
import { calm } from '../../sim/faults';
import { makeRandom } from '../../sim/random';
import type { SimNode } from '../../sim/sim-node';
import { World } from '../../sim/world';
import { CREATE_WITHIN_S, changeSpec, isSettled, journalOf } from './a-city';

const SEEDS = [41, 42, 43];
const NAMES = ['entry1', 'entry2'];
/** Until both addresses serve again after a death that claims tell of, seconds. */
const SERVED_WITHIN_S = 8;
const WHOLE_WITHIN_S = 600;
/** policy.slotCooldownS: a replacement must have been well for so long. */
const REST_S = 60;

function balancers(world: World): SimNode[] {
  return [...world.cloud.nodes.values()].filter(({ fact }) => fact.role === 'lb' && fact.state === 'running');
}

function holderOf(world: World, name: string): SimNode | undefined {
  const address = [...world.cloud.addresses.values()].find((a) => a.name === name);
  return world.cloud.nodes.get(address?.holder ?? '');
}

const serves = (world: World, name: string) => world.dataPath.primaryThrough('city', name) !== undefined;
const bothServe = (world: World) => NAMES.every((name) => serves(world, name));

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected it to be there');
  return value;
}

interface Move {
  name: string;
  from: string | undefined;
  to: string;
  node: string;
  atMs: number;
  offServing: boolean;
}

/** A settled active/active city with a client on each address, all moves of addresses noted. */
async function aPair(seed: number, spec: Record<string, unknown> = { entry: { mode: 'active-active' } }) {
  const world = new World({ seed });
  world.faults.falseAlarmShare = 0;
  const clients = NAMES.map((name) => new Client(world, 'city', name));
  const watching = watch(world, clients);
  world.send('provision', { kind: 'createCluster', cluster: 'city', spec });
  const moves: Move[] = [];
  world.cloud.listeners.push({
    associating: ({ name, holder }, to) => {
      const from = world.cloud.nodes.get(holder ?? '');
      const offServing = from !== undefined && world.cloud.isServing(from);
      moves.push({ name, from: from?.fact.slot, to: to.fact.slot, node: to.fact.instanceId, atMs: world.scheduler.nowMs, offServing });
    },
  });
  if (!(await world.pass(CREATE_WITHIN_S, () => isSettled(world)))) throw new Error('the city did not settle');
  for (const client of clients) client.start();
  await world.pass(30);
  moves.length = 0;
  return { world, clients, watching, moves };
}

function setMode(world: World, mode: string): void {
  changeSpec(world, (spec) => ({ ...spec, entry: { ...(spec.entry as object), mode } }));
}

const DEATHS: [string, (world: World, node: SimNode) => void][] = [
  ['its instance is gone', (world, node) => world.cloud.terminate(node.fact.instanceId, false)],
  ['its instance hangs', (_world, node) => (node.hung = true)],
  ['its HAProxy is dead', (_world, node) => (node.process = 'dead')],
];

describe('an active/active cluster', () => {
  it.each(SEEDS)('comes up with an address a balancer, both serving (seed %i)', async (seed) => {
    const { world, clients, watching } = await aPair(seed);
    expect(new Set(NAMES.map((name) => holderOf(world, name)?.fact.slot))).toEqual(new Set(['lb1', 'lb2']));
    for (const { fact } of balancers(world)) expect(fact.secondaryIps).toHaveLength(1);
    expect(bothServe(world)).toBe(true);
    for (const client of clients) expect(client.acknowledged.size).toBeGreaterThan(20);
    expect(watching.violations).toEqual([]);
  });

  describe.each(DEATHS)('whose balancer dies because %s', (how, die) => {
    it.each(SEEDS)('serves both addresses again in seconds, and returns one to the replacement (seed %i)', async (seed) => {
      const { world, clients, watching, moves } = await aPair(seed);
      const victim = need(holderOf(world, NAMES[seed % 2] ?? ''));
      const survivor = need(balancers(world).find((node) => node !== victim));
      const lost = need(NAMES.find((name) => holderOf(world, name) === victim));
      const kept = need(NAMES.find((name) => name !== lost));
      die(world, victim);
      expect(serves(world, kept)).toBe(true);
      expect(await world.pass(SERVED_WITHIN_S, () => bothServe(world))).toBe(true);
      expect(holderOf(world, lost)).toBe(survivor);
      // The checks, which come later than the claim, must have seen it as well.
      await world.pass(30);
      expect(await world.pass(WHOLE_WITHIN_S, () => isSettled(world))).toBe(true);

      expect(holderOf(world, kept)).toBe(survivor);
      const returned = need(holderOf(world, lost));
      expect(returned.fact.slot).toBe(victim.fact.slot);
      // A process that was restarted is the same node; all others have a successor.
      expect(returned === victim).toBe(how === 'its HAProxy is dead');
      expect(moves.map(({ name, to }) => [name, to])).toEqual([
        [lost, survivor.fact.slot],
        [lost, victim.fact.slot],
      ]);
      expect(moves.map(({ offServing }) => offServing)).toEqual([false, true]);
      expect(need(moves[1]).atMs - need(moves[0]).atMs).toBeGreaterThan(REST_S * 1000);
      const [ofKept, ofLost] = [need(clients[NAMES.indexOf(kept)]), need(clients[NAMES.indexOf(lost)])];
      expect(ofKept.failures).toEqual([]);
      expect(ofLost.failures.length).toBeLessThanOrEqual(SERVED_WITHIN_S);
      expect(watching.violations).toEqual([]);
    });
  });

  it.each(SEEDS)('moves nothing while both are well, whatever balancers claim of each other (seed %i)', async (seed) => {
    const { world, watching, moves } = await aPair(seed);
    for (let round = 0; round < 10; round++) {
      for (const { fact } of balancers(world)) world.faults.deaf.add(fact.instanceId);
      await world.pass(5);
      world.faults.deaf.clear();
      await world.pass(5);
    }
    expect(moves).toEqual([]);
    const claims = journalOf(world).filter(({ topic, event }) => topic === 'claimAddress' && event === 'refused');
    expect(claims.length).toBeGreaterThanOrEqual(10);
    expect(watching.violations).toEqual([]);
  });

  it.each(SEEDS)('lives through the loss of both balancers, one after the other (seed %i)', async (seed) => {
    const { world, clients, watching } = await aPair(seed);
    for (let round = 0; round < 2; round++) {
      world.cloud.terminate(need(balancers(world)[0]).fact.instanceId, false);
      await world.pass(round === 0 ? 15 : 1);
    }
    expect(await world.pass(WHOLE_WITHIN_S, () => isSettled(world))).toBe(true);
    expect(bothServe(world)).toBe(true);
    for (const client of clients) client.stop();
    await world.pass(10);
    for (const client of clients) expect(client.lost()).toEqual([]);
    expect(watching.violations).toEqual([]);
  });

  it.each([51, 52, 53])(
    'keeps its rules through any deaths, hangs that end, doubles, throttling and false alarms (seed %i)',
    async (seed) => {
      const { world, clients, watching } = await aPair(seed);
      const random = makeRandom(seed);
      Object.assign(world.faults, { duplicateShare: 0.2, throttleShare: 0.03, falseAlarmShare: 0.001 });
      for (let round = 0; round < 5; round++) {
        const node = need(balancers(world)[Math.floor(random() * balancers(world).length)]);
        const how = Math.floor(random() * 4);
        if (how < DEATHS.length) DEATHS[how]?.[1](world, node);
        else {
          node.hung = true;
          world.scheduler.after(10_000 + random() * 120_000, () => {
            node.hung = false;
          });
        }
        await world.pass(random() < 0.4 ? random() * 60 : 200 + random() * 200);
      }
      Object.assign(world.faults, calm());
      await world.pass(60);
      expect(await world.pass(WHOLE_WITHIN_S, () => isSettled(world))).toBe(true);
      expect(bothServe(world)).toBe(true);
      for (const client of clients) client.stop();
      await world.pass(10);
      for (const client of clients) expect(client.lost()).toEqual([]);
      expect(watching.violations).toEqual([]);
    },
  );

  it('does not pull an address back and forth for a balancer that flaps', async () => {
    const { world, watching, moves } = await aPair(46);
    const victim = need(holderOf(world, 'entry1'));
    const peer = need(balancers(world).find((node) => node !== victim));
    for (let round = 0; round < 8; round++) {
      victim.process = 'dead';
      await world.pass(25);
      victim.process = 'running';
      await world.pass(25);
    }
    expect(await world.pass(WHOLE_WITHIN_S, () => isSettled(world))).toBe(true);
    // Replaced in the end; until then its address stays where it went first.
    expect(need(holderOf(world, 'entry1'))).not.toBe(victim);
    expect(moves.filter(({ node }) => node === victim.fact.instanceId)).toEqual([]);
    expect(moves.map(({ name, to, offServing }) => [name, to, offServing])).toEqual([
      ['entry1', peer.fact.slot, false],
      ['entry1', victim.fact.slot, true],
    ]);
    expect(watching.violations).toEqual([]);
  });
});

describe('claims on an active/active cluster that were not made by a balancer of it, now', () => {
  it('are refused and journaled, also while a holder is dead, and the data path is as it was', async () => {
    const { world, moves } = await aPair(47);
    const victim = need(holderOf(world, 'entry2'));
    const former = need(balancers(world).find((node) => node !== victim)).fact.instanceId;
    const claim = { kind: 'claimAddress', cluster: 'city', claimant: former, atMs: Math.round(world.scheduler.nowMs), state: 'MASTER' };
    world.faults.deaf.add(former);
    await world.pass(40);
    const since = journalOf(world).length;
    victim.hung = true;
    world.send('failover', claim);
    world.send('failover', { ...claim, atMs: Math.round(world.scheduler.nowMs), claimant: 'i-f00d' });
    await world.pass(3);
    expect(moves).toEqual([]);
    expect(holderOf(world, 'entry2')).toBe(victim);
    expect(serves(world, 'entry1')).toBe(true);
    const refused = journalOf(world)
      .slice(since)
      .filter(({ topic, event }) => topic === 'claimAddress' && event === 'refused')
      .map(({ text }) => text);
    expect(refused).toContainEqual(expect.stringMatching(/this one is 4\d s old/));
    expect(refused).toContainEqual(expect.stringMatching(/i-f00d is not one of its nodes/));
  });
});

describe('a running cluster', () => {
  it.each(SEEDS)('takes up active/active and gives it up again, and the first address never moves (seed %i)', async (seed) => {
    const { world, clients, watching, moves } = await aPair(seed, {});
    const first = need(holderOf(world, 'entry1'));
    setMode(world, 'active-active');
    await world.pass(15);
    expect(await world.pass(WHOLE_WITHIN_S, () => isSettled(world))).toBe(true);
    expect(holderOf(world, 'entry1')).toBe(first);
    expect(need(holderOf(world, 'entry2'))).not.toBe(first);
    expect(bothServe(world)).toBe(true);

    setMode(world, 'active-passive');
    await world.pass(15);
    expect(await world.pass(WHOLE_WITHIN_S, () => isSettled(world))).toBe(true);
    expect([...world.cloud.addresses.values()].map(({ name }) => name)).toEqual(['entry1']);
    expect(holderOf(world, 'entry1')).toBe(first);
    expect(moves.filter(({ name }) => name === 'entry1')).toEqual([]);
    expect(need(clients[0]).failures).toEqual([]);
    expect(journalOf(world).map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^entry2 \(.*\) is not wanted any more, its clients lose it: entry\.mode is active-passive$/),
    );
    expect(watching.violations).toEqual([]);
  });

  it.each(SEEDS)('scaled to one balancer gives up the second address first, and keeps the holder of the first (seed %i)', async (seed) => {
    const { world, clients, watching } = await aPair(seed);
    const stays = need(holderOf(world, 'entry1'));
    world.send('provision', { kind: 'scale', cluster: 'city', role: 'lb', count: 1 });
    await world.pass(15);
    expect(await world.pass(WHOLE_WITHIN_S, () => isSettled(world))).toBe(true);
    expect(balancers(world)).toEqual([stays]);
    expect([...world.cloud.addresses.values()].map(({ name, holder }) => [name, holder])).toEqual([['entry1', stays.fact.instanceId]]);
    expect(need(clients[0]).failures).toEqual([]);
    const texts = journalOf(world).map(({ text }) => text);
    expect(texts).toContainEqual(expect.stringMatching(/^entry2 .* its clients lose it: lb\.count is 1$/));
    expect(watching.violations).toEqual([]);
  });
});
