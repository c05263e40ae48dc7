/** Runs the project's own command line against the emulator, as a person would. Passes its output on line by line. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { rootEnvironment } from './emulator';
import { LabError } from './lab-error';
import { PROJECT } from './paths';

/** @throws LabError with the last lines when it ends with another exit code than 0. */
export async function runCli(endpoint: string, args: readonly string[], say: (line: string) => void): Promise<void> {
  const command = ['--import', 'tsx', join(PROJECT, 'bin', 'fiware-ha.ts'), ...args];
  const env = { ...rootEnvironment(endpoint), NODE_NO_WARNINGS: '1' };
  const child = spawn(process.execPath, command, { cwd: PROJECT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const hear = (line: string): void => {
    lines.push(line);
    say(`  ${line}`);
  };
  createInterface({ input: child.stdout }).on('line', hear);
  createInterface({ input: child.stderr }).on('line', hear);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new LabError(`fiware-ha ${args.join(' ')}: exit code ${code}.\n${lines.slice(-10).join('\n')}`);
}
