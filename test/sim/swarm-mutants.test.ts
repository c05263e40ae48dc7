import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { MUTANTS } from '../../sim/swarm/mutants';
import { patched } from '../../sim/swarm/mutate';
import { PROJECT } from '../source-tree';

describe('the mutants', () => {
  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s fits the sources as they are', (_name, mutant) => {
    for (const { file } of mutant.patches) {
      const text = readFileSync(join(PROJECT, file), 'utf8');
      expect(patched(mutant, file, text)).not.toBe(text);
    }
  });

  it('say so when a text they replace is gone', () => {
    const [mutant] = MUTANTS;
    if (!mutant) throw new Error('there are mutants');
    const { file = '' } = mutant.patches[0] ?? {};
    expect(() => patched(mutant, file, 'nothing of it')).toThrow(/exactly once/);
  });
});
