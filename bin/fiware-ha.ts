/** Entry point of the command line: joins it with this process and the real control plane. Holds no command itself. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from './cli/command-error';
import type { CliContext, OperatorPorts } from './cli/context';
import { runProgram } from './cli/program';

/** The control plane of the account and region that the AWS credentials stand for. @throws CommandError when there is none */
async function connect(): Promise<OperatorPorts> {
  // The SDK's advice on Node versions is for who builds this, not for who runs it.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const { operatorPorts } = await import('../lambdas/runtime');
  try {
    return { ...(await operatorPorts()), clock: { nowMs: () => Date.now() } };
  } catch (error) {
    throw new CommandError(1, [error instanceof Error ? error.message : String(error)]);
  }
}

const context: CliContext = {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  connect,
  sleep: (ms) => sleep(ms),
  readText: (file) => readFileSync(file === '-' ? 0 : file, 'utf8'),
  textAt: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
  writeText: (path, text, executable) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, executable ? 0o755 : 0o644);
  },
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
