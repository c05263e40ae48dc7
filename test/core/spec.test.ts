import { describe, expect, it } from '@jest/globals';
import { addressCount, parseSpec, type SpecInput, warningsOf, withCount } from '../../lambdas/core/spec';
import { aSpec } from '../builders';

function problemsOf(input: unknown): string[] {
  const parsed = parseSpec(input);
  return parsed.ok ? [] : parsed.problems;
}

describe('spec', () => {
  it("defaults to the slides' topology", () => {
    const spec = aSpec();
    expect([spec.lb.count, spec.orion.count, spec.mongo.count, spec.mongo.replicaSet]).toEqual([2, 2, 3, 'orion_rs']);
  });

  it.each([2, 4, 6, 9])('refuses %i mongo members and says what is allowed', (count) => {
    expect(problemsOf({ name: 'city', mongo: { count } })).toEqual([
      `mongo.count: expected 1, 3, 5 or 7: a replica set needs an odd number of voters, 7 at most; got ${count}`,
    ]);
  });

  it.each([1, 3, 5, 7])('takes %i mongo members', (count) => {
    expect(problemsOf({ name: 'city', mongo: { count } })).toEqual([]);
  });

  it('names an unknown field', () => {
    expect(problemsOf({ name: 'city', brokers: 3 })[0]).toContain('brokers');
  });

  it.each(['City', 'a b', 'x;reboot', '$(id)', '', '-a', 'a-', 'a'.repeat(33), 'cité', 'a\n'])('refuses the name %j', (name) => {
    const [problem] = problemsOf({ name });
    expect(problem).toMatch(/^name: expected 1 to 32 characters/);
    expect(problem).toContain(`got ${JSON.stringify(name)}`);
  });

  it('keeps orion inside its own bounds', () => {
    expect(problemsOf({ name: 'city', orion: { count: 12 } })).toEqual(['orion.count: expected 1 to 10 (orion.min to orion.max); got 12']);
    expect(problemsOf({ name: 'city', orion: { min: 5, max: 3, count: 4 } }).join()).toContain(
      'orion.min: expected at most orion.max (3); got 5',
    );
  });

  it('scales within the bounds and nowhere else', () => {
    const spec = aSpec();
    const four = withCount(spec, 'orion', 4);
    expect(four.ok && four.value.orion.count).toBe(4);
    expect(withCount(spec, 'orion', 11).ok).toBe(false);
    expect(withCount(spec, 'lb', 3).ok).toBe(false);
  });

  it.each([2, 4, 6, 8, 9])('takes no replica set of %i members', (count) => {
    expect(problemsOf({ name: 'city', mongo: { count } })).toEqual([
      `mongo.count: expected 1, 3, 5 or 7: a replica set needs an odd number of voters, 7 at most; got ${count}`,
    ]);
  });

  it('takes a read preference only where Orion can be told', () => {
    const mongo = { readPreference: 'nearest' } as const;
    expect(problemsOf({ name: 'city', orion: { version: '3.12.0' }, mongo })).toEqual([
      'mongo.readPreference: expected primary: Orion 3.12.0 has no setting for it; take 4.0.0 or later (orion.version), or leave it out; got "nearest"',
    ]);
    expect(problemsOf({ name: 'city', mongo })).toEqual([]);
  });

  it('names the write concerns it knows', () => {
    expect(problemsOf({ name: 'city', mongo: { writeConcern: 2 } })).toEqual([
      'mongo.writeConcern: expected "majority", 1 (the primary alone) or 0 (not acknowledged); got 2',
    ]);
  });

  it('warns of what a valid spec risks, and of nothing by default', () => {
    const warnings = (mongo: NonNullable<SpecInput['mongo']>) => warningsOf(aSpec({ mongo }));
    expect(warnings({})).toEqual([]);
    expect(warnings({ writeConcern: 1 }).join()).toContain('a failover may roll back writes');
    expect(warnings({ writeConcern: 0 }).join()).toContain('not acknowledged');
    expect(warnings({ readPreference: 'secondary' }).join()).toContain('out of date');
    expect(warnings({ count: 1 }).join()).toContain('no replica set to fail over to');
  });

  it('asks for one address by default, for one a balancer in active/active, and warns where that is the same', () => {
    const active = (count: number) => aSpec({ entry: { mode: 'active-active' }, lb: { count } });
    expect([aSpec(), active(2), active(1)].map(addressCount)).toEqual([1, 2, 1]);
    expect(warningsOf(active(2))).toEqual([]);
    expect(warningsOf(active(1)).join()).toMatch(/^entry\.mode: active-active with a single balancer/);
    expect(problemsOf({ name: 'city', entry: { mode: 'both' } }).join()).toMatch(
      /^entry\.mode: .*active-passive.*active-active.*got "both"/,
    );
  });

  it.each([null, 7, 'city', [], undefined])('answers %j with a problem, not an exception', (input) => {
    expect(problemsOf(input).length).toBeGreaterThan(0);
  });
});
