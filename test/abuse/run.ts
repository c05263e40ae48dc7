/** `npm run abuse [-- --runs 1000000] [--seed N] [--only NAME]`: generates inputs for every target, prints what was tried and what broke. */
import fc from 'fast-check';
import { FACT_TARGETS } from './facts';
import { RENDERED_TARGETS } from './rendered';
import { type Target, TEXT_TARGETS } from './targets';

const TARGETS: readonly Target[] = [...TEXT_TARGETS, ...FACT_TARGETS, ...RENDERED_TARGETS];
const DEFAULT_RUNS = 10_000;

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

function numberOption(name: string, otherwise: number): number {
  const text = option(name);
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name}: expected a whole number of at least 1; got ${text}`);
  return value;
}

function main(): number {
  const runs = numberOption('runs', DEFAULT_RUNS);
  const seed = numberOption('seed', (Date.now() % 2 ** 31) + 1);
  const only = option('only');
  const chosen = TARGETS.filter(({ name }) => only === undefined || name.includes(only));
  if (chosen.length === 0) throw new Error(`--only: expected a part of one of ${TARGETS.map(({ name }) => name).join(', ')}; got ${only}`);
  const weights = chosen.reduce((sum, { weight }) => sum + weight, 0);
  let total = 0;
  let findings = 0;
  const startMs = Date.now();
  for (const { name, weight, input, check } of chosen) {
    const numRuns = Math.ceil((runs * weight) / weights);
    const fromMs = Date.now();
    const details = fc.check(fc.property(input, check as (value: unknown) => void), { numRuns, seed });
    total += details.numRuns;
    console.log(
      `${name.padEnd(28)} ${String(details.numRuns).padStart(8)} inputs ${((Date.now() - fromMs) / 1000).toFixed(1).padStart(7)} s`,
    );
    if (!details.failed) continue;
    findings++;
    const words = details.errorInstance instanceof Error ? details.errorInstance.message : String(details.errorInstance);
    console.log(
      `  FOUND: ${words.slice(0, 400)}\n  with: ${fc.stringify(details.counterexample).slice(0, 1_000)}\n  again: --seed ${seed} --only ${JSON.stringify(name)}`,
    );
  }
  console.log(`${total} inputs, ${findings} findings, seed ${seed}, ${((Date.now() - startMs) / 1000).toFixed(0)} s`);
  return findings === 0 ? 0 : 1;
}

process.exitCode = main();
