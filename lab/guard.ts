/** Starts the guard before the emulator, as a process of its own, and reads what it counted. Imports nothing of it: it stands apart from the project. */
import { join } from 'node:path';
import { isHealthy } from './emulator';
import { LabError } from './lab-error';
import { logFile } from './paths';
import { type Background, isAlive, startBackground, waitFor } from './run-command';

/** Where the guard answers with its counts. */
export const COUNTS_PATH = '/_lab/iam';

const PROGRAM = join(__dirname, 'iam', 'guard-process.ts');
const START_MS = 30_000;

/** Calls by role and action. */
export type Counts = Record<string, Record<string, { allowed: number; refused: number }>>;

/** Puts the guard at `endpoint`, before the emulator at `emulator`; answers when the emulator's health can be seen through it. */
export async function startGuard(endpoint: string, emulator: string): Promise<Background> {
  const { hostname, port } = new URL(endpoint);
  const environment = { ...process.env, NODE_NO_WARNINGS: '1' };
  const guard = startBackground('guard', process.execPath, ['--import', 'tsx', PROGRAM, hostname, port, emulator], environment);
  await waitFor(`the guard (see ${logFile('guard')})`, START_MS, 200, async () => {
    if (!isAlive(guard)) throw new LabError(`the guard ended at once; see ${logFile('guard')}`);
    return (await isHealthy(endpoint)) || null;
  });
  return guard;
}

/** What the guard has decided so far. */
export async function guardCounts(endpoint: string): Promise<Counts> {
  const answer = await fetch(`${endpoint}${COUNTS_PATH}`, { signal: AbortSignal.timeout(5_000) });
  return (await answer.json()) as Counts;
}
