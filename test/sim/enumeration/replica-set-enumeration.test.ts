import { describe, expect, it } from '@jest/globals';
import { enumerate, HEADER, lineOf, lineOfReplays, replayAll } from '../../../sim/enumeration/run';
import { SIZES, WALKS, walkNamed } from '../../../sim/enumeration/walks';

process.stdout.write(`${HEADER}\n`);

const walked = WALKS.flatMap((named) => SIZES.filter((size) => named.limits[size]).map((size) => [named.name, size] as const));

describe('the enumeration of replica-set states', () => {
  it.each(walked)(
    '%s: finds no unsafe step and no dead end with %i members, and leaves no state out',
    (name, size) => {
      const outcome = enumerate(walkNamed(name), size, false);
      if (!outcome) throw new Error(`${name} does not walk ${size} members`);
      process.stdout.write(`${lineOf(outcome)}\n`);
      expect(outcome.violations).toEqual([]);
      expect(outcome.complete).toBe(true);
      expect(outcome.live).toBeGreaterThan(outcome.states / 5);
    },
    300_000,
  );

  it.each(SIZES)(
    'goes on to the spec after every prefix of every procedure with %i members, however it is cut',
    (size) => {
      const replays = replayAll(size);
      process.stdout.write(`${lineOfReplays(size, replays)}\n`);
      expect(replays.failures).toEqual([]);
      expect(replays.interruptions).toBeGreaterThan(100);
    },
    300_000,
  );

  it('says of a walk that was stopped that it is not complete', () => {
    expect(enumerate(walkNamed('members'), 3, false, 50)).toMatchObject({ states: 50, complete: false });
  });
});
