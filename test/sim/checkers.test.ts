import { describe, expect, it } from '@jest/globals';
import { CALM_BOUNDS } from '../../sim/checkers/checker';
import { CHECKERS, type Watch, watch } from '../../sim/checkers/watch';
import { Client } from '../../sim/client';
import type { SimNode } from '../../sim/sim-node';
import { World } from '../../sim/world';
import { aWorldWith, isSettled } from './a-city';

function nodesOf(world: World, role: string): SimNode[] {
  return [...world.cloud.nodes.values()].filter(({ fact }) => fact.role === role && fact.state === 'running');
}

function firstOf(world: World, role: string): SimNode {
  const [node] = nodesOf(world, role);
  if (!node) throw new Error(`no ${role} runs`);
  return node;
}

function onlyAddress(world: World) {
  const [address] = world.cloud.addresses.values();
  if (!address?.holder) throw new Error('nobody holds the address');
  return { ...address, holder: address.holder };
}

/** Takes the control plane's hands away, so that it can not put right what a test plants. */
function stopRepairs(world: World): void {
  world.faults.apisDown.add('compute').add('addresses').add('commands');
}

interface Planted {
  world: World;
  client: Client;
}

/** By checker: something it must catch. */
const PLANTED: Record<string, (planted: Planted) => Promise<unknown> | unknown> = {
  'address-on-dead-node': ({ world }) => {
    stopRepairs(world);
    const holder = world.cloud.nodes.get(onlyAddress(world).holder);
    if (holder) holder.hung = true;
    return world.pass(180);
  },
  'address-off-healthy-holder': ({ world }) => {
    const { allocationId, holder } = onlyAddress(world);
    const other = nodesOf(world, 'lb').find(({ fact }) => fact.instanceId !== holder);
    world.cloud.associate(allocationId, other?.fact.instanceId ?? '', { mayTakeFrom: true });
  },
  'two-disruptions': async ({ world }) => {
    const [first, second] = nodesOf(world, 'orion');
    world.cloud.terminate(first?.fact.instanceId ?? '', true);
    await world.pass(1);
    world.cloud.terminate(second?.fact.instanceId ?? '', true);
  },
  'termination-budget': async ({ world }) => {
    const limit = 2 * world.settings.terminationsPer10Min;
    for (let i = 0; i <= limit; i++) {
      const zone = world.settings.zones[0] ?? '';
      const request = {
        cluster: 'city',
        role: 'orion',
        slot: 'ctx9',
        incarnation: i + 1,
        zone,
        instanceType: 't3.small',
        token: `t${i}`,
      } as const;
      world.cloud.terminate(world.cloud.launch(request).fact.instanceId, true);
    }
  },
  twins: ({ world }) => {
    stopRepairs(world);
    const { cluster, role, slot, incarnation, zone } = firstOf(world, 'orion').fact;
    world.cloud.launch({ cluster, role, slot, incarnation, zone, instanceType: 't3.small', token: 'another' });
    return world.pass(360);
  },
  'foreign-node': ({ world }) => {
    const zone = world.settings.zones[0] ?? '';
    const request = {
      cluster: 'strange',
      role: 'orion',
      slot: 'ctx1',
      incarnation: 1,
      zone,
      instanceType: 't3.small',
      token: 's',
    } as const;
    world.cloud.terminate(world.cloud.launch(request).fact.instanceId, true);
  },
  'needless-launch': async ({ world }) => {
    await world.pass(300);
    const { cluster, role, slot, zone } = firstOf(world, 'orion').fact;
    world.cloud.launch({ cluster, role, slot, incarnation: 9, zone, instanceType: 't3.small', token: 'needless' });
  },
  'blind-termination': async ({ world }) => {
    stopRepairs(world);
    world.faults.cuts.add({ from: { tier: 'control' }, to: {} });
    await world.pass(120);
    world.cloud.terminate(firstOf(world, 'orion').fact.instanceId, true);
  },
  'needless-restart': async ({ world }) => {
    await world.pass(300);
    world.commands.send(firstOf(world, 'orion').fact.instanceId, { name: 'restart-role', role: 'orion' });
    await world.pass(10);
  },
  'initiated-twice': ({ world }) => {
    const { cluster, role, slot, zone } = firstOf(world, 'mongo').fact;
    for (const incarnation of [8, 9]) {
      const node = world.cloud.launch({ cluster, role, slot, incarnation, zone, instanceType: 't3.small', token: `t${incarnation}` });
      world.replicaSets.start(node, 'orion_rs');
      world.replicaSets.runScript(node, 'initiate', { replicaSet: 'orion_rs', members: [`${node.fact.privateIp}:27017`] });
    }
  },
  'majority-lost-by-us': async ({ world }) => {
    const [first, second] = nodesOf(world, 'mongo');
    world.cloud.terminate(first?.fact.instanceId ?? '', false);
    world.cloud.terminate(second?.fact.instanceId ?? '', true);
  },
  'lost-job': ({ world }) => {
    world.send('provision', { kind: 'scale', cluster: 'city', role: 'orion', count: 3 });
  },
  leak: ({ world }) => {
    world.deleted.add('city');
  },
  'lost-writes': ({ client }) => {
    client.acknowledged.add('NeverWritten');
  },
};

async function aWatchedCity(seed: number, settings = {}): Promise<Planted & { watched: Watch }> {
  const world = await aWorldWith(['city'], { seed, settings });
  const client = new Client(world, 'city');
  const watched = watch(world, [client]);
  client.start();
  await world.pass(10);
  return { world, client, watched };
}

function namesOf({ violations }: Watch): string[] {
  return [...new Set(violations.map(({ checker }) => checker))];
}

describe('a checker', () => {
  it.each(Object.keys(PLANTED))('catches a planted violation: %s', async (name) => {
    const { world, client, watched } = await aWatchedCity(31);
    await PLANTED[name]?.({ world, client });
    watched.end();
    expect(namesOf(watched)).toContain(name);
  });

  describe('of addresses, in an active/active pair,', () => {
    /** Both addresses on one balancer, the other well and with none; the control plane can not act. */
    async function aLopsidedPair(mode: string) {
      const world = await aWorldWith(['city'], { seed: 33 });
      world.faults.falseAlarmShare = 0;
      stopRepairs(world);
      const giver = nodesOf(world, 'lb').find(({ fact }) => fact.instanceId === onlyAddress(world).holder);
      const taker = nodesOf(world, 'lb').find((node) => node !== giver);
      if (!giver || !taker) throw new Error('expected a pair of balancers');
      const stored = world.state.specs.get('city');
      world.state.specs.set('city', { text: JSON.stringify({ ...JSON.parse(stored?.text ?? '{}'), entry: { mode } }), version: 2 });
      world.cloud.addPrivateAddress(giver.fact.instanceId);
      const second = world.cloud.allocate('city', 'entry2');
      const [privateIp = ''] = giver.fact.secondaryIps ?? [];
      world.cloud.associate(second.allocationId, giver.fact.instanceId, { mayTakeFrom: false, privateIp });
      const first = onlyAddress(world).allocationId;
      const move = (allocationId: string, to: SimNode) => world.cloud.associate(allocationId, to.fact.instanceId, { mayTakeFrom: true });
      const watched = watch(world);
      // Long enough to have been seen serving.
      await world.pass(5);
      return { world, watched, giver, taker, first, second: second.allocationId, move };
    }

    it('lets one balancer give an address to the other that has none', async () => {
      const { watched, taker, second, move } = await aLopsidedPair('active-active');
      move(second, taker);
      expect(watched.violations).toEqual([]);
    });

    it.each([
      ['its holder keeps none', 'active-active', true],
      ['the cluster is not active/active', 'active-passive', false],
    ] as const)('reports when %s', async (why, mode, isItsOnly) => {
      const { world, watched, giver, taker, first, second, move } = await aLopsidedPair(mode);
      if (isItsOnly) world.cloud.release(first);
      move(second, taker);
      expect(watched.violations.at(-1)?.text).toMatch(new RegExp(`taken off ${giver.fact.slot} .*: ${why}`));
    });

    it('reports a taker that does not serve, or has one, and an address that another one displaced', async () => {
      const dead = await aLopsidedPair('active-active');
      dead.taker.process = 'dead';
      dead.move(dead.first, dead.taker);
      expect(dead.watched.violations.at(-1)?.text).toContain('the taker does not serve');
      const pushed = await aLopsidedPair('active-active');
      pushed.move(pushed.first, pushed.taker);
      await pushed.world.pass(30);
      pushed.move(pushed.second, pushed.taker);
      expect(pushed.watched.violations.map(({ text }) => text).join()).toMatch(/its holder keeps none.*fell off .*, because/s);
    });
  });

  it('has a planted violation, each of them', () => {
    const world = new World({ seed: 1 });
    const names = CHECKERS.map((make) => make(world, () => undefined, CALM_BOUNDS).name);
    expect([...names, 'lost-writes'].sort()).toEqual(Object.keys(PLANTED).sort());
  });
});

describe('the checkers', () => {
  it('find nothing when a cluster is healed, scaled and deleted as it should be', async () => {
    const { world, client, watched } = await aWatchedCity(32);
    const settle = async () => {
      await world.pass(30);
      expect(await world.pass(900, () => isSettled(world))).toBe(true);
    };
    world.cloud.terminate(onlyAddress(world).holder, false);
    await settle();
    firstOf(world, 'orion').process = 'dead';
    await settle();
    firstOf(world, 'mongo').hung = true;
    await settle();
    world.send('provision', { kind: 'scale', cluster: 'city', role: 'orion', count: 4 });
    await settle();
    world.send('provision', { kind: 'scale', cluster: 'city', role: 'orion', count: 1 });
    await settle();
    client.stop();
    await world.pass(10);
    expect(client.acknowledged.size).toBeGreaterThan(100);
    expect(client.lost()).toEqual([]);
    world.send('provision', { kind: 'deleteCluster', cluster: 'city', confirm: 'city' });
    expect(await world.pass(900, () => !world.state.rows.has('city'))).toBe(true);
    await world.pass(60);
    watched.end();
    expect(watched.violations).toEqual([]);
  });
});
