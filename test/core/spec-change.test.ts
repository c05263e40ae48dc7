import { describe, expect, it } from '@jest/globals';
import { type ClusterRow, EMPTY_MEMORY, type Health } from '../../lambdas/core/memory';
import { slotNames } from '../../lambdas/core/names';
import { problemsOfChange } from '../../lambdas/core/spec-change';
import { aSpec } from '../builders';

/** A row of five members, some of them not healthy. */
function aRowOfFive(health: Partial<Record<string, Health>> = {}, initiated = true): ClusterRow {
  const slots = slotNames('mongo', 5).map((slot) => ({ slot, role: 'mongo', health: health[slot] ?? ('healthy' as const) }));
  const status = { atMs: 0, converged: true, sentence: '', blocked: [], slots, addresses: [], inFlight: [] };
  const memory = { ...EMPTY_MEMORY, replicaSetInitiated: initiated };
  return { cluster: 'city', version: 1, phase: 'active', spec: aSpec({ mongo: { count: 5 } }), memory, status };
}

describe('a new spec', () => {
  it.each([1, 3, 7])('may ask for %i members where all are well', (count) => {
    expect(problemsOfChange(aRowOfFive(), aSpec({ mongo: { count } }))).toEqual([]);
  });

  it('does not shrink the set below a living majority, and says what to wait for', () => {
    const row = aRowOfFive({ mdb1: 'dead', mdb3: 'unknown' });
    expect(problemsOfChange(row, aSpec())).toEqual([
      'mongo.count: expected 5 for now; got 3: of the members that would stay only 1 of 3 are healthy, 2 needed (not healthy: mdb1, mdb3); wait until they are replaced, see fiware-ha status city, then shrink',
    ]);
    expect(problemsOfChange(aRowOfFive({ mdb1: 'dead' }), aSpec())).toEqual([]);
  });

  it('may grow a set that is not well: more members are the way out', () => {
    expect(problemsOfChange(aRowOfFive({ mdb1: 'dead', mdb2: 'dead' }), aSpec({ mongo: { count: 7 } }))).toEqual([]);
  });

  it('does not rename a set that was initiated', () => {
    const renamed = aSpec({ mongo: { count: 5, replicaSet: 'other_rs' } });
    expect(problemsOfChange(aRowOfFive(), renamed)).toEqual([
      'mongo.replicaSet: expected "orion_rs", the name the set was initiated with; got "other_rs": MongoDB can\'t rename a set; set it back, or move the data to a new cluster of that name',
    ]);
    expect(problemsOfChange(aRowOfFive({}, false), renamed)).toEqual([]);
  });
});
