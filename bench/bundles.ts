/** Measures size and cold load of each function's bundle as it is deployed, beside a naive CommonJS bundle of the same source. Deploys nothing. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { byRole } from '../lambdas/core/names';
import { environmentOf } from '../lambdas/env';
import { type Bench, type Figure, median } from './figure';

const PROJECT = join(__dirname, '..');
const FUNCTIONS = ['health-check', 'provision', 'failover'];
const LOADS = 9;
const MIB = 1_048_576;

/** A whole environment, so that loading goes as far as on Lambda: clients are made, nothing is called. */
const ENVIRONMENT = {
  ...environmentOf({
    tableName: 'bench',
    queueUrls: { 'health-check': 'https://queue/h', provision: 'https://queue/p', failover: 'https://queue/f' },
    tickEveryS: 10,
    terminationsPer10Min: 10,
    probeTimeoutMs: 2_000,
    subnets: [{ zone: 'a', public: 'subnet-1', private: 'subnet-2' }],
    launchTemplates: byRole((role) => `lt-${role}`),
    imageIds: byRole(() => 'ami-1'),
    commandDocuments: 'shell',
    placementGroups: 'on',
  }),
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  POWERTOOLS_METRICS_DISABLED: 'true',
};

/** What a first bundle usually looks like: CommonJS, the SDK's main fields, nothing minified. */
async function bundleNaively(name: string, outDir: string): Promise<string> {
  const outfile = join(outDir, name, 'index.cjs');
  await build({
    entryPoints: [join(PROJECT, 'lambdas', `${name}.ts`)],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    logLevel: 'error',
  });
  return outfile;
}

/** Milliseconds from before the import until after it, in a node process of its own; node's own start is not counted. */
function loadOnceMs(file: string): number {
  const script = `const start = performance.now(); await import(${JSON.stringify(pathToFileURL(file).href)}); console.log(performance.now() - start); process.exit(0);`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    env: { PATH: process.env.PATH, ...ENVIRONMENT },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${file} can't be loaded: ${/^\w*Error: .*$/m.exec(stderr)?.[0] ?? stderr.slice(-400)}`);
  return Number(stdout.trim().split('\n').at(-1));
}

/** Loads both in turn, so that a busy machine is as hard on one as on the other. */
function loadTurnByTurn(files: [string, string]): [number, number] {
  const times: [number[], number[]] = [[], []];
  for (let i = 0; i < LOADS; i++) {
    times[0].push(loadOnceMs(files[0]));
    times[1].push(loadOnceMs(files[1]));
  }
  return [median(times[0]), median(times[1])];
}

const mib = (file: string) => Math.round((statSync(file).size / MIB) * 100) / 100;

export const bundles: Bench = {
  name: 'bundles',
  about: `size and cold load (median of ${LOADS} fresh node processes) of each function's bundle, beside a naive CommonJS bundle`,
  async run(): Promise<Figure[]> {
    const outDir = mkdtempSync(join(tmpdir(), 'fiware-ha-bench-'));
    try {
      execFileSync(process.execPath, [join(PROJECT, 'lib/bundle/bundle-functions.mjs'), outDir], { stdio: 'inherit' });
      const figures: Figure[] = [];
      for (const name of FUNCTIONS) {
        const deployed = join(outDir, name, 'index.mjs');
        const naive = await bundleNaively(name, outDir);
        const [deployedMs, naiveMs] = loadTurnByTurn([deployed, naive]);
        figures.push({ what: `${name}: size`, value: mib(deployed), unit: 'MiB', goal: { atMost: 1 }, note: `naive: ${mib(naive)} MiB` });
        figures.push({
          what: `${name}: cold load`,
          value: Math.round(deployedMs),
          unit: 'ms',
          goal: { atMost: 200 },
          note: `naive: ${Math.round(naiveMs)} ms`,
        });
      }
      return figures;
    } finally {
      rmSync(outDir, { recursive: true, force: true });
    }
  },
};
