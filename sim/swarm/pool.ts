/** Runs seeds in as many child processes as asked for, one seed at a time each. Knows nothing of what a seed does. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Outcome } from './run-plan';

/** What a child tells of one seed. */
export interface Told extends Pick<Outcome, 'seed' | 'end' | 'virtualS'> {
  violations: number;
  /** What broke first; absent where nothing did. */
  failure?: string;
}

/** A seed makes many short-lived values: with room for them V8 moves fewer of them about, which takes an eighth off a run (MB; 16 by default). */
const SEMI_SPACE_MB = 64;

/** The program of a child, as it is. */
export const CHILD = join(__dirname, 'child.ts');

/**
 * Runs the seeds in processes of `program`; `onTold` hears of each and answers whether to go on.
 * @throws when a child ends by itself: a bug of the swarm, whose error stands on stderr
 */
export async function runSeeds(program: string, seeds: readonly number[], jobs: number, onTold: (told: Told) => boolean): Promise<void> {
  let next = 0;
  let isOver = false;
  const live = async (): Promise<void> => {
    const child: ChildProcess = fork(program, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [...process.execArgv, `--max-semi-space-size=${SEMI_SPACE_MB}`],
    });
    const ask = (): void => {
      const seed = isOver ? undefined : seeds[next++];
      if (seed === undefined) child.disconnect();
      else child.send(seed);
    };
    await new Promise<void>((resolve, reject) => {
      child.on('message', (told: Told) => {
        if (!onTold(told)) isOver = true;
        ask();
      });
      child.on('error', reject);
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a process of the swarm ended with ${code}`))));
      ask();
    });
  };
  await Promise.all(Array.from({ length: Math.min(jobs, seeds.length) }, live));
}
