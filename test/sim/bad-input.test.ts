import { describe, expect, it } from '@jest/globals';
import type { World } from '../../sim/world';
import { aWorldWith, isSettled, journalOf } from './a-city';

/** Three receives, six times the function's timeout apart, and some room. */
const DEAD_LETTER_WITHIN_S = 3 * 360 + 60;

/** What became of each message: how its request ended in `events`, or `dead letter`, or `nothing`. */
function fateOf(world: World, id: string): string {
  if (world.queues.deadLetters.some((message) => message.id === id)) return 'dead letter';
  const entry = world.state.journal.find(({ topic, jobKey }) => topic === 'request' && jobKey === id);
  return entry ? `${entry.event}: ${entry.text}` : 'nothing';
}

describe('bad input', () => {
  it('ends refused with its reason, and a good request beside it is carried out', async () => {
    const world = await aWorldWith(['city'], { seed: 21 });
    const send = (body: unknown) => world.send('provision', body);
    const ids = {
      unknown: send({ kind: 'scale', cluster: 'nowhere', role: 'orion', count: 3 }),
      beyond: send({ kind: 'scale', cluster: 'city', role: 'orion', count: 11 }),
      even: send({ kind: 'scale', cluster: 'city', role: 'mongo', count: 4 }),
      second: send({ kind: 'createCluster', cluster: 'city' }),
      unconfirmed: send({ kind: 'deleteCluster', cluster: 'city' }),
      misconfirmed: send({ kind: 'deleteCluster', cluster: 'city', confirm: 'town' }),
      field: send({ kind: 'createCluster', cluster: 'town', spec: { orion: { cuont: 3 } } }),
      good: send({ kind: 'scale', cluster: 'city', role: 'orion', count: 3 }),
    };
    await world.pass(60);
    expect(await world.pass(600, () => isSettled(world))).toBe(true);

    expect(fateOf(world, ids.unknown)).toMatch(/^refused: .*no cluster is called "nowhere"; known: city/);
    expect(fateOf(world, ids.beyond)).toMatch(/^refused: .*orion\.count: expected 1 to 10 .*got 11/);
    expect(fateOf(world, ids.even)).toMatch(/^refused: .*mongo\.count: expected 1, 3, 5 or 7.*got 4/);
    expect(fateOf(world, ids.second)).toMatch(/^refused: .*"city" exists already/);
    expect(fateOf(world, ids.unconfirmed)).toMatch(/^refused: .*confirm: expected "city".*got null/);
    expect(fateOf(world, ids.misconfirmed)).toMatch(/^refused: .*confirm: expected "city".*got "town"/);
    expect(fateOf(world, ids.field)).toMatch(/^refused: .*cuont/);
    expect(fateOf(world, ids.good)).toMatch(/^done: scale orion to 3: accepted/);

    const running = [...world.cloud.nodes.values()].filter(({ fact }) => fact.state === 'running');
    expect(running.filter(({ fact }) => fact.role === 'orion')).toHaveLength(3);
    expect(running.filter(({ fact }) => fact.role !== 'orion')).toHaveLength(5);
    expect([...world.state.specs.keys()]).toEqual(['city']);
    expect(world.queues.deadLetters).toEqual([]);
  });

  it('that can not be decoded is kept as a dead letter after three receives, on every queue, and slows nothing', async () => {
    const world = await aWorldWith(['city'], { seed: 22 });
    const bad = [
      world.send('provision', 'not JSON {'),
      world.send('provision', { kind: 'rebootEverything', cluster: 'city' }),
      world.send('provision', { kind: 'scale', cluster: 'city; rm -rf /', role: 'orion', count: 2 }),
      world.send('failover', { kind: 'moveAddress', cluster: 'city' }),
      world.send('health-check', '[]'),
      world.send('health-check', { kind: 'check', cluster: '$(id)' }),
    ];
    const before = world.scheduler.nowMs;
    const good = world.send('provision', { kind: 'scale', cluster: 'city', role: 'orion', count: 1 });
    expect(await world.pass(5, () => fateOf(world, good) !== 'nothing')).toBe(true);
    expect(world.scheduler.nowMs - before).toBeLessThan(2_000);

    await world.pass(DEAD_LETTER_WITHIN_S);
    expect(bad.map((id) => fateOf(world, id))).toEqual(bad.map(() => 'dead letter'));
    expect(world.queues.deadLetters.map(({ receives }) => receives)).toEqual(bad.map(() => 3));
    expect(isSettled(world)).toBe(true);
    expect([...world.cloud.nodes.values()].filter(({ fact }) => fact.state === 'running' && fact.role === 'orion')).toHaveLength(1);
  });

  it('of one cluster leaves another as it is', async () => {
    const world = await aWorldWith(['city', 'town'], { seed: 23 });
    const entriesBefore = journalOf(world, 'town').length;
    const nodesOf = (cluster: string) =>
      [...world.cloud.nodes.values()].filter(({ fact }) => fact.cluster === cluster).map(({ fact }) => `${fact.instanceId} ${fact.state}`);
    const nodesBefore = nodesOf('town');
    world.state.specs.set('city', { text: '{"name":"city","mongo":{"count":2}}', version: 9 });
    world.send('provision', { kind: 'scale', cluster: 'city', role: 'orion', count: 1000 });
    world.send('provision', { kind: 'deleteCluster', cluster: 'city', confirm: 'town' });
    await world.pass(300);
    expect(nodesOf('town')).toEqual(nodesBefore);
    expect(journalOf(world, 'town')).toHaveLength(entriesBefore);
    expect(journalOf(world).map(({ text }) => text)).toContainEqual(expect.stringContaining('mongo.count: expected 1, 3, 5 or 7'));
    expect(nodesOf('city').filter((line) => line.endsWith('running'))).toHaveLength(7);
  });
});
