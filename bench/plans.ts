/** Measures plans a second of one core, for a cluster of twelve nodes: well, and with each kind of trouble. Bundled as deployed, in a process of its own. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Bench, Figure } from './figure';

const GOAL = { atLeast: 20_000 };

export const plans: Bench = {
  name: 'plans',
  about: 'plans a second of CPU time, for a cluster of 12 nodes (2 balancers, 7 brokers, 3 members)',
  async run(): Promise<Figure[]> {
    const outDir = mkdtempSync(join(tmpdir(), 'fiware-ha-bench-'));
    try {
      const outfile = join(outDir, 'plan-rounds.cjs');
      const entry = join(__dirname, 'plan-rounds.ts');
      await build({ entryPoints: [entry], outfile, bundle: true, minify: true, format: 'cjs', platform: 'node', logLevel: 'error' });
      const measured: { what: string; plansASecond: number }[] = JSON.parse(
        execFileSync(process.execPath, [outfile], { encoding: 'utf8' }),
      );
      const note = 'median of 5 rounds, after one to warm up';
      return measured.map(({ what, plansASecond }) => ({ what, value: plansASecond, unit: 'plans/s', goal: GOAL, note }));
    } finally {
      rmSync(outDir, { recursive: true, force: true });
    }
  },
};
