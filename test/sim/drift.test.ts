import { describe, expect, it } from '@jest/globals';
import type { Role } from '../../lambdas/core/names';
import type { World } from '../../sim/world';
import { aWorldWith, isSettled, journalOf } from './a-city';

const nodesOf = (world: World, role: Role) =>
  [...world.cloud.nodes.values()].filter(({ fact }) => fact.role === role && fact.state === 'running');

const CASES: [Role, string, string[]][] = [
  ['lb', '/etc/haproxy/haproxy.cfg', ['lb1', 'lb2']],
  ['orion', '/etc/fiware-ha/orion.env', ['ctx1', 'ctx2']],
  ['mongo', '/etc/fiware-ha/mongod.conf', ['mdb1', 'mdb2', 'mdb3']],
];

describe.each(CASES)('nodes of %s on which somebody edited %s', (role, path, slots) => {
  it.each([41, 42, 43])('are repaired, one after the other, and the journal says why (seed %d)', async (seed) => {
    const world = await aWorldWith(['city'], { seed });
    const wanted = nodesOf(world, role).map(({ configVersion }) => configVersion);
    const since = journalOf(world).length;
    for (const node of nodesOf(world, role)) node.edited = path;
    const edited = () => nodesOf(world, role).filter((node) => node.edited).length;
    for (let left = slots.length - 1; left > 0; left--) expect(await world.pass(90, () => edited() === left)).toBe(true);
    expect(await world.pass(240, () => edited() === 0 && isSettled(world))).toBe(true);
    expect(nodesOf(world, role).map(({ configVersion }) => configVersion)).toEqual(wanted);
    const reasons = journalOf(world)
      .slice(since)
      .filter(({ topic, event }) => topic === 'applyConfig' && event === 'planned')
      .map(({ text }) => text)
      // A broker is taken out of the balancers first, and put in again.
      .filter((text) => slots.includes(text.split(' ')[0] ?? ''));
    expect(reasons.map((reason) => reason.split(' ')[0]).sort()).toEqual(slots);
    for (const reason of reasons) expect(reason).toContain(`: somebody edited ${path} since `);
  });
});
