import { describe, expect, it } from '@jest/globals';
import { DEMO_STORY } from '../../sim/scenarios/demo-story';
import { type Ending, play } from '../../sim/scenarios/story';

const SEEDS = [1, 2, 3, 4];

/** Everything a person or a program sees of an ending. */
function written({ journal, ...ending }: Ending): string {
  return JSON.stringify({ ...ending, journal });
}

describe('the demo story', () => {
  it.each(SEEDS)('heals everything without a violation, seed %i', async (seed) => {
    const { converged, violations, recoveries } = await play(seed, DEMO_STORY);
    expect(violations).toEqual([]);
    expect(converged).toBe(true);
    expect(recoveries).toHaveLength(DEMO_STORY.length);
    for (const recovery of recoveries.filter(({ isFault }) => isFault)) {
      expect(recovery.detectedS).toBeGreaterThan(0);
      expect(recovery.recoveredS).toBeGreaterThan(recovery.detectedS ?? Number.POSITIVE_INFINITY);
      expect(recovery.outageS).toBeLessThan(60);
    }
  });

  it('is the same to the letter for the same seed', async () => {
    const acts = DEMO_STORY.slice(0, 4);
    const [first, second, other] = [await play(5, acts), await play(5, acts), await play(6, acts)];
    expect(written(second)).toBe(written(first));
    expect(written({ ...other, seed: 5 })).not.toBe(written(first));
  });

  it('says so when an act does not end well', async () => {
    const [create] = DEMO_STORY;
    if (!create) throw new Error('the story is empty');
    const breakAll = {
      name: 'lose two members for good',
      isFault: true,
      act: (world: Parameters<typeof create.act>[0]) => {
        const members = [...world.cloud.nodes.values()].filter(({ fact }) => fact.role === 'mongo');
        for (const member of members.slice(0, 2)) member.hung = true;
        return 'two of three';
      },
    };
    const { converged, recoveries } = await play(7, [create, breakAll]);
    expect(converged).toBe(false);
    expect(recoveries.at(-1)?.recoveredS).toBeNull();
  });
});
