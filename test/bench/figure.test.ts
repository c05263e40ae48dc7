import { describe, expect, it } from '@jest/globals';
import { isMet, median } from '../../bench/figure';

describe('a figure', () => {
  it.each([
    [{ atLeast: 20 }, 20, true],
    [{ atLeast: 20 }, 19.9, false],
    [{ atMost: 1 }, 1, true],
    [{ atMost: 1 }, 1.1, false],
    [undefined, 5, undefined],
  ])('is held against the goal %j: %d', (goal, value, met) => {
    expect(isMet({ what: 'x', value, unit: 's', goal })).toBe(met);
  });
});

describe('median', () => {
  it('is the middle one, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([100, 2, 10, 1])).toBe(10);
  });

  it('needs a value', () => {
    expect(() => median([])).toThrow('at least one value');
  });
});
