/** Measures how long `cdk synth` takes from an empty output folder, with the CLI and app as `npm run synth` runs them. Deploys nothing. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench, Figure } from './figure';
import { median } from './figure';

const PROJECT = join(__dirname, '..');
const RUNS = 3;

function synthOnceS(): number {
  const output = mkdtempSync(join(tmpdir(), 'fiware-ha-synth-'));
  try {
    const startMs = performance.now();
    execFileSync(process.execPath, [join(PROJECT, 'node_modules/aws-cdk/bin/cdk'), 'synth', '-q', '--output', output], {
      cwd: PROJECT,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return (performance.now() - startMs) / 1000;
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}

export const synth: Bench = {
  name: 'synth',
  about: `cdk synth into an empty folder, bundles and cdk-nag included (median of ${RUNS} runs)`,
  async run(): Promise<Figure[]> {
    const tookS = Array.from({ length: RUNS }, synthOnceS);
    return [{ what: 'cdk synth', value: Math.round(median(tookS) * 10) / 10, unit: 's' }];
  },
};
