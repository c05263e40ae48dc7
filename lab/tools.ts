/** Programs from npm that only the lab uses, installed once below `.lab/`: mongosh for the nodes. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LAB_PATH } from './paths';
import { run } from './run-command';

const MONGOSH = 'mongosh@2.12.0';

/** Installs a package into a folder of its own, without its build scripts. */
export async function installNpmTool(folder: string, spec: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private": true}\n');
  const npm = join(dirname(process.execPath), 'npm');
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--omit=dev', spec];
  await run(existsSync(npm) ? npm : 'npm', args, { cwd: folder });
}

export async function ensureMongosh(): Promise<void> {
  if (existsSync(join(LAB_PATH.mongosh, 'node_modules', '.bin', 'mongosh'))) return;
  await installNpmTool(LAB_PATH.mongosh, MONGOSH);
}
