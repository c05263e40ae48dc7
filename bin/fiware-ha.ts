/** Entry point of the command line: joins it with this process and the real control plane. Holds no command itself. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CliContext } from './cli/context';
import { runProgram } from './cli/program';

const context: CliContext = {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  connect: async () => (await import('../lambdas/runtime')).operatorPorts(),
  sleep: (ms) => sleep(ms),
  readText: (file) => readFileSync(file === '-' ? 0 : file, 'utf8'),
  newJobKey: () => `cli-${Date.now().toString(36)}-${randomBytes(4).toString('hex')}`,
};

// A reader that closes the pipe early (`| head`) ends the command, not with an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

void runProgram(process.argv.slice(2), context).then((exitCode) => {
  // `demo` and `lab` set the exit code themselves.
  if (exitCode !== 0) process.exitCode = exitCode;
});
