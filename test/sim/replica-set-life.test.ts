/** The whole life of replica-set members under the whole control plane, on the simulated cloud, with a client that writes. */
import { describe, expect, it } from '@jest/globals';
import { watch } from '../../sim/checkers/watch';
import { Client } from '../../sim/client';
import type { SimNode } from '../../sim/sim-node';
import { World, type WorldOptions } from '../../sim/world';
import { isSettled, journalOf, rowOf } from './a-city';

const WITHIN_S = 3_600;

interface City {
  world: World;
  /** Lets time pass until the cluster is as it should be. */
  settle(): Promise<void>;
  scaleTo(count: number): Promise<void>;
  nodeOf(slot: string): SimNode;
  /** `_id` by host, of every member that ever was in a configuration. */
  ids: Map<string, Set<number>>;
  end(): string[];
}

function mongoNodes(world: World): SimNode[] {
  return [...world.cloud.nodes.values()].filter(({ fact }) => fact.role === 'mongo' && fact.state !== 'terminated');
}

function voters(world: World): number {
  return (
    mongoNodes(world)
      .find(({ member }) => member?.state === 'PRIMARY')
      ?.member?.config?.members.filter((m) => m.votes === 1).length ?? 0
  );
}

async function aCityOf(count: number, options: WorldOptions, policy = {}): Promise<City> {
  const world = new World(options);
  const client = new Client(world, 'city');
  const watching = watch(world, [client]);
  const ids = new Map<string, Set<number>>();
  const noteIds = () => {
    for (const { member } of mongoNodes(world))
      for (const { _id, host } of member?.config?.members ?? []) ids.set(host, (ids.get(host) ?? new Set()).add(_id));
    world.scheduler.after(500, noteIds);
  };
  noteIds();
  const settle = async (): Promise<void> => {
    await world.pass(20);
    if (!(await world.pass(WITHIN_S, () => isSettled(world))))
      throw new Error(`seed ${options.seed}: not settled within ${WITHIN_S} s: ${rowOf(world)?.status?.sentence}`);
  };
  world.send('provision', { kind: 'createCluster', cluster: 'city', spec: { mongo: { count }, policy } });
  await settle();
  client.start();
  return {
    world,
    settle,
    ids,
    scaleTo: async (to) => {
      world.send('provision', { kind: 'scale', cluster: 'city', role: 'mongo', count: to });
      await world.pass(30);
      await settle();
    },
    nodeOf: (slot) => {
      const found = mongoNodes(world).filter(({ fact }) => fact.slot === slot);
      const newest = found.sort((a, b) => b.fact.incarnation - a.fact.incarnation)[0];
      if (!newest) throw new Error(`${slot} has no node`);
      return newest;
    },
    end: () => {
      client.stop();
      watching.end();
      return watching.violations.map(({ text }) => text);
    },
  };
}

describe('a replica set', () => {
  it('grows from 1 to 3, 5 and 7 voters and shrinks back to 3, and loses no write on the way', async () => {
    const city = await aCityOf(1, { seed: 41 });
    for (const count of [3, 5, 7, 5, 3]) {
      await city.scaleTo(count);
      expect(voters(city.world)).toBe(count);
      expect(mongoNodes(city.world)).toHaveLength(count);
    }
    expect(city.end()).toEqual([]);
  });

  it('gives each member an id of its own, also years of replacements later', async () => {
    const city = await aCityOf(3, { seed: 42 });
    for (const slot of ['mdb3', 'mdb3', 'mdb2', 'mdb3']) {
      city.world.cloud.terminate(city.nodeOf(slot).fact.instanceId, false);
      await city.settle();
    }
    const given = [...city.ids.values()];
    expect(given.length).toBe(7);
    expect(given.map((set) => set.size)).toEqual(given.map(() => 1));
    expect(new Set(given.flatMap((set) => [...set])).size).toBe(7);
    expect(city.end()).toEqual([]);
  });

  it('retires a member that thaws after its removal', async () => {
    const city = await aCityOf(3, { seed: 43 });
    const frozen = city.nodeOf('mdb2');
    frozen.hung = true;
    const isOut = () => {
      const config = mongoNodes(city.world).find(({ member, hung }) => !hung && member?.state === 'PRIMARY')?.member?.config;
      return config !== undefined && config !== null && !config.members.some(({ host }) => host.startsWith(`${frozen.fact.privateIp}:`));
    };
    expect(await city.world.pass(WITHIN_S, isOut)).toBe(true);
    frozen.hung = false;
    await city.settle();
    expect(frozen.fact.state).toBe('terminated');
    expect(voters(city.world)).toBe(3);
    expect(city.end()).toEqual([]);
  });

  it('replaces a member that never finishes its sync, and touches no voter for it', async () => {
    const city = await aCityOf(3, { seed: 44 }, { mongoSyncMaxS: 60 });
    const { world } = city;
    let stuck: SimNode | undefined;
    world.cloud.listeners.push({
      launched: (node) => {
        if (stuck) return;
        stuck = node;
        node.neverSyncs = true;
      },
    });
    world.cloud.terminate(city.nodeOf('mdb3').fact.instanceId, false);
    expect(await world.pass(WITHIN_S, () => stuck !== undefined && city.nodeOf('mdb3').fact.incarnation === 3)).toBe(true);
    // The dead one still counts as a voter: nobody else may take its place before a successor has caught up.
    expect(voters(world)).toBe(3);
    expect(journalOf(world).map(({ text }) => text)).toContainEqual(
      expect.stringContaining('did not catch up with the replica set within 60 s'),
    );
    await city.settle();
    expect(stuck?.fact.state).toBe('terminated');
    expect(voters(world)).toBe(3);
    expect(city.end()).toEqual([]);
  });
});
