import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MUTANTS } from '../../sim/swarm/mutants';
import { patched } from '../../sim/swarm/mutate';
import { findSeed } from '../../sim/swarm/mutation-search';
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

describe('the swarm', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fiware-ha-mutants-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const known = MUTANTS.flatMap((mutant) => (mutant.seed === undefined ? [] : [[mutant.name, mutant, mutant.seed] as const]));

  it.each(known)(
    'catches %s by the seed on record',
    async (_name, mutant, seed) => {
      expect(await findSeed(folder, mutant, [seed], 1)).toMatchObject({ seed });
    },
    120_000,
  );
});
