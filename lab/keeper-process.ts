/** The keeper as a process of its own, so that a lab goes on when the command that started it ends. Run as a program it keeps until told to stop. */

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { startKeeper } from './keeper';
import { LabError } from './lab-error';
import { logFile } from './paths';
import { type Background, isAlive, startBackground, waitFor } from './run-command';
import { readState } from './state';

const START_MS = 30_000;
const READY = 'keeper is ready';

/** Starts the keeper of the lab described in the state file; answers when it is ready. */
export async function startKeeperProcess(): Promise<Background> {
  rmSync(logFile('keeper'), { force: true });
  const keeper = startBackground('keeper', process.execPath, ['--import', 'tsx', __filename], { ...process.env, NODE_NO_WARNINGS: '1' });
  await waitFor(`the keeper (see ${logFile('keeper')})`, START_MS, 200, async () => {
    if (!isAlive(keeper)) throw new LabError(`the keeper ended at once; see ${logFile('keeper')}`);
    return (existsSync(logFile('keeper')) && readFileSync(logFile('keeper'), 'utf8').includes(READY)) || null;
  });
  return keeper;
}

async function keepUntilTold(): Promise<void> {
  const { endpoint, outputs, images } = readState();
  const image = images?.mongo;
  if (!endpoint || !outputs || !image) throw new LabError('no lab is up: npm run lab -- up');
  const say = (line: string): void => console.log(`${new Date().toISOString()} ${line}`);
  const keeper = await startKeeper({ endpoint, outputs, image, say });
  say(READY);
  const stop = (): void => void keeper.stop().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

if (require.main === module) void keepUntilTold();
