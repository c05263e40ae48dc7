import { describe, expect, it } from '@jest/globals';
import type { World } from '../../sim/world';
import { aWorldWith, isSettled, journalOf } from './a-city';

const balancersOf = (world: World) => [...world.cloud.nodes.values()].filter(({ fact }) => fact.role === 'lb' && fact.state === 'running');

describe('balancers whose files somebody edited', () => {
  it('are configured anew, one after the other, and the journal says why', async () => {
    const world = await aWorldWith(['city'], { seed: 41 });
    const wanted = balancersOf(world).map(({ configVersion }) => configVersion);
    const since = journalOf(world).length;
    for (const node of balancersOf(world)) node.configVersion = 'drifted';
    const drifted = () => balancersOf(world).filter(({ configVersion }) => configVersion === 'drifted').length;
    expect(await world.pass(60, () => drifted() === 1)).toBe(true);
    expect(await world.pass(120, () => drifted() === 0 && isSettled(world))).toBe(true);
    expect(balancersOf(world).map(({ configVersion }) => configVersion)).toEqual(wanted);
    const reasons = journalOf(world)
      .slice(since)
      .filter(({ topic, event }) => topic === 'applyConfig' && event === 'planned')
      .map(({ text }) => text);
    expect(reasons).toEqual([expect.stringMatching(/^lb1 .* runs drifted, wanted/), expect.stringMatching(/^lb2 .* runs drifted, wanted/)]);
  });
});
