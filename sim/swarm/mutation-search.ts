/** Searches seeds for each mutant until one finds the bug; says which. Judges only by what the swarm says of a run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawPlan } from './draw';
import { MUTANTS, type Mutant } from './mutants';
import { buildChild, programOf } from './mutate';
import { runSeeds } from './pool';
import { failureOf } from './report';
import { runPlan } from './run-plan';

interface Search {
  seedsMax: number;
  from: number;
  jobs: number;
  only?: string;
  json: boolean;
}

interface Found {
  seed: number;
  failure: string;
}

/** The first seed that finds the mutant, and by what; undefined where none of those does. */
export async function findSeed(folder: string, mutant: Mutant, seeds: readonly number[], jobs: number): Promise<Found | undefined> {
  const program = programOf(folder, mutant);
  await buildChild(program, mutant);
  let found: Found | undefined;
  await runSeeds(program, seeds, jobs, ({ seed, failure }) => {
    if (failure && (!found || seed < found.seed)) found = { seed, failure };
    return found === undefined;
  });
  return found;
}

/** Goes through the mutants; the exit code is 1 when one was not found. */
export async function searchMutants({ seedsMax, from, jobs, only, json }: Search, print: (line: string) => void): Promise<number> {
  const chosen = only === undefined ? MUTANTS : MUTANTS.filter(({ name }) => name === only);
  if (chosen.length === 0) {
    process.stderr.write(`error: --only: expected one of ${MUTANTS.map(({ name }) => name).join(', ')}; got ${JSON.stringify(only)}\n`);
    return 2;
  }
  const seeds = Array.from({ length: seedsMax }, (_, i) => from + i);
  const folder = mkdtempSync(join(tmpdir(), 'fiware-ha-mutants-'));
  let missed = 0;
  try {
    for (const mutant of chosen) {
      const found = await findSeed(folder, mutant, seeds, jobs);
      // A seed that breaks without the bug as well says nothing about it.
      const own = found && failureOf(await runPlan(drawPlan(found.seed)));
      if (!found || own) missed++;
      const how = found ? `seed ${found.seed}, ${found.failure}` : `not found within ${seedsMax} seeds`;
      print(`${mutant.name}: ${how}${own ? `, but without it ${own}` : ''}  (${mutant.bug})`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (json) print(JSON.stringify({ mutants: chosen.length, caught: chosen.length - missed, seedsMax }));
  return missed > 0 ? 1 : 0;
}
