/** Two of three members are lost for good: the planner only says so; a person's word makes the survivor go on, and the set grows back. */
import { describe, expect, it } from '@jest/globals';
import type { World } from '../../sim/world';
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

it('a living majority is never forced', async () => {
  const world = await aWorldWith(['city'], { seed: 46 });
  world.send('provision', { kind: 'repairMajority', cluster: 'city', confirm: 'city' });
  await world.pass(60);
  expect(requestsOf(world).at(-1)?.text).toMatch(/is the primary: nothing is lost/);
  expect(isSettled(world)).toBe(true);
});
