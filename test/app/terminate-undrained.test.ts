import { describe, expect, it } from '@jest/globals';
import type { PlannedJob } from '../../lambdas/core/jobs';
import type { NodeHealth, Phase } from '../../lambdas/core/memory';
import { aHealth } from '../builders';
import type { MemoryWorld } from '../memory-ports';
import { aCity, provision, TERMINATE } from './one-job';

describe('terminateNode of a node that goes undrained, because it was seen dead', () => {
  const undrained: PlannedJob = { ...TERMINATE, expect: { holdsAddress: false, serves: false } };
  const aCityThatSaw = (health: NodeHealth, phase: Phase = 'active'): MemoryWorld => {
    const w = aCity({}, phase);
    const row = w.rows.get('city');
    if (row) w.rows.set('city', { ...row, memory: { ...row.memory, health: { 'i-2021': health } } });
    return w;
  };
  const dead = aHealth('dead', 'process');

  it('goes on while it is dead by the last look', async () => {
    const w = aCityThatSaw(dead);
    expect(await provision(w, undrained)).toMatchObject({ is: 'done' });
    expect(w.acts).toEqual(['terminate i-2021']);
  });

  it.each([
    ['it answered since', { ...dead, good: 1, bad: 0 }],
    ['it could not be looked at since', { ...dead, bad: 0 }],
    ['it is well again', aHealth()],
  ])('is stale where %s, and takes nothing of the budget', async (_, health) => {
    const w = aCityThatSaw(health);
    expect(await provision(w, undrained)).toMatchObject({ is: 'stale', reason: 'ctx2 (i-2021) is not seen dead any more' });
    expect([w.acts, w.budgetLeft]).toEqual([[], 10]);
  });

  it('goes on in a cluster that is being deleted, whatever was seen', async () => {
    const w = aCityThatSaw(aHealth(), 'deleting');
    expect(await provision(w, undrained)).toMatchObject({ is: 'done' });
  });

  it('does not matter to one that was drained: that answers until its end', async () => {
    expect(await provision(aCityThatSaw(aHealth()), TERMINATE)).toMatchObject({ is: 'done' });
  });
});
