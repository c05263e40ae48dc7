/** Two of three members are lost for good: the planner only says so; a person's word makes the survivor go on, and the set grows back. */
import { describe, expect, it } from '@jest/globals';
import { Client } from '../../sim/client';
import { World } from '../../sim/world';
import { aWorldWith, isSettled, journalOf, rowOf } from './a-city';

const LOST = /majority lost: 1 of 3 voters answer, 2 needed/;

function members(world: World) {
  return [...world.cloud.nodes.values()].filter(({ fact }) => fact.role === 'mongo' && fact.state === 'running');
}

/** A city whose first member alone is left, long enough after for replacements to wait outside the set. */
async function aBereftCity(seed: number): Promise<{ world: World; survivor: string }> {
  const world = await aWorldWith(['city'], { seed });
  const [first, ...others] = members(world);
  for (const { fact } of others) world.cloud.terminate(fact.instanceId, true);
  await world.pass(300);
  return { world, survivor: `${first?.fact.privateIp}:27017` };
}

const blockedOf = (world: World) => rowOf(world)?.status?.blocked.join() ?? '';
const requestsOf = (world: World) => journalOf(world).filter(({ topic }) => topic === 'request');

describe('a replica set that lost its majority for good', () => {
  it('is left alone and said to be lost, however long it takes', async () => {
    const { world } = await aBereftCity(41);
    await world.pass(1_200);
    expect(blockedOf(world)).toMatch(LOST);
    expect(journalOf(world).filter(({ topic }) => topic === 'forceReplicaSet')).toEqual([]);
    expect(isSettled(world)).toBe(false);
  });

  it.each([42, 43, 44])('goes on from its survivor once a person says so, and grows back to three voters (seed %i)', async (seed) => {
    const { world, survivor } = await aBereftCity(seed);
    expect(blockedOf(world)).toMatch(LOST);
    world.send('provision', { kind: 'repairMajority', cluster: 'city', confirm: 'city', survivors: [survivor] });
    expect(await world.pass(1_800, () => isSettled(world))).toBe(true);
    const forced = journalOf(world).filter(({ topic }) => topic === 'forceReplicaSet');
    expect(forced.map(({ event }) => event).sort()).toEqual(['done', 'planned']);
    const config = members(world).find(({ fact }) => `${fact.privateIp}:27017` === survivor)?.member?.config;
    expect(config?.members.filter(({ votes }) => votes).map(({ host }) => host)).toContain(survivor);
    expect(config?.members).toHaveLength(3);
    expect(config?.version).toBeGreaterThan(10_000);
  });

  it.each([
    ['a wrong confirmation', { confirm: 'town' }, /confirm: expected "city"/],
    ['survivors that are not the ones found', { confirm: 'city', survivors: ['10.9.9.9:27017'] }, /confirmed, .* found by now/],
  ])('refuses %s', async (_what, fields, words) => {
    const { world } = await aBereftCity(45);
    world.send('provision', { kind: 'repairMajority', cluster: 'city', ...fields });
    await world.pass(60);
    expect(requestsOf(world).at(-1)?.text).toMatch(words);
    expect(blockedOf(world)).toMatch(LOST);
  });
});

describe('five members of which three froze', () => {
  it('keep what the survivors hold, and take the frozen ones in no more when they thaw', async () => {
    const world = new World({ seed: 47 });
    world.send('provision', { kind: 'createCluster', cluster: 'city', spec: { mongo: { count: 5 } } });
    expect(await world.pass(900, () => isSettled(world))).toBe(true);
    const client = new Client(world, 'city');
    client.start();
    await world.pass(60);
    client.stop();
    const [a, b, ...frozen] = members(world).sort((x, y) => Number(x.member?.state === 'PRIMARY') - Number(y.member?.state === 'PRIMARY'));
    for (const node of frozen) node.hung = true;
    await world.pass(300);
    expect(blockedOf(world)).toMatch(/majority lost: 2 of 5 voters answer, 3 needed/);

    const survivors = [a, b].map((node) => `${node?.fact.privateIp}:27017`);
    world.send('provision', { kind: 'repairMajority', cluster: 'city', confirm: 'city', survivors });
    await world.pass(120);
    for (const node of frozen) node.hung = false;
    expect(await world.pass(3_600, () => isSettled(world))).toBe(true);

    expect(client.acknowledged.size).toBeGreaterThan(40);
    expect(client.lost()).toEqual([]);
    const config = world.replicaSets.primaryOf('city')?.member?.config?.members ?? [];
    expect(config.filter(({ votes }) => votes === 1)).toHaveLength(5);
    const hosts = config.map(({ host }) => host);
    expect(hosts).toEqual(expect.arrayContaining(survivors));
  });
});

it('a living majority is never forced', async () => {
  const world = await aWorldWith(['city'], { seed: 46 });
  world.send('provision', { kind: 'repairMajority', cluster: 'city', confirm: 'city' });
  await world.pass(60);
  expect(requestsOf(world).at(-1)?.text).toMatch(/is the primary: nothing is lost/);
  expect(isSettled(world)).toBe(true);
});
