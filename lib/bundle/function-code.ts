/** The functions' code as assets: bundled once a process by bundle-functions.mjs, without Docker. Changes nothing in the source tree. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';

let bundled: string | undefined;

function bundle(): string {
  const outDir = mkdtempSync(join(tmpdir(), 'fiware-ha-bundle-'));
  process.once('exit', () => rmSync(outDir, { recursive: true, force: true }));
  execFileSync(process.execPath, [join(__dirname, 'bundle-functions.mjs'), outDir], { stdio: ['ignore', 'ignore', 'inherit'] });
  return outDir;
}

/** Code of one function, by the name of its entry point in lambdas/. */
export function functionCode(name: 'health-check' | 'provision' | 'failover'): Code {
  bundled ??= bundle();
  return Code.fromAsset(join(bundled, name));
}
