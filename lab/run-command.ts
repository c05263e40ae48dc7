/** Runs programs of this machine and keeps long ones in the background. Never goes through a shell, never kills what it did not start. */
import { execFile, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { LabError } from './lab-error';
import { LAB_PATH, logFile } from './paths';

export interface RunOptions {
  cwd?: string;
  /** Replaces the environment; absent: this process' own. */
  env?: NodeJS.ProcessEnv;
  /** Written to standard input, which is then closed; secrets go here, never into `args`. */
  input?: string;
  timeoutMs?: number;
}

export interface Ran {
  /** Exit code; null when it could not be started or was stopped by the timeout. */
  code: number | null;
  stdout: string;
  stderr: string;
}

const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;

/** Runs a program to its end, whatever its exit code. */
export function tryRun(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      [...args],
      { cwd: options.cwd, env: options.env, timeout: options.timeoutMs ?? 0, killSignal: 'SIGKILL', maxBuffer: OUTPUT_MAX_BYTES },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
        resolve({ code, stdout, stderr: code === null && stderr === '' ? String(error?.message) : stderr });
      },
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}

/** Runs a program and answers its standard output. @throws LabError with its last lines when it fails. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const ran = await tryRun(command, args, options);
  if (ran.code === 0) return ran.stdout;
  const said = `${ran.stdout}\n${ran.stderr}`.trim().split('\n').slice(-15).join('\n');
  const how = ran.code === null ? 'did not finish' : `ended with exit code ${ran.code}`;
  throw new LabError(`${command} ${args.slice(0, 4).join(' ')}: ${how}.\n${said}`);
}

/** A background process, known by its id and start time, so that a reused id is never taken for it. */
export interface Background {
  pid: number;
  /** Field 22 of /proc/PID/stat: ticks since boot. */
  startedTicks: string;
}

function startedTicks(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

/** Starts a program that outlives this process; its output goes to `.lab/logs/NAME.log`. */
export function startBackground(name: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv): Background {
  mkdirSync(LAB_PATH.logs, { recursive: true });
  const log = openSync(logFile(name), 'a');
  const child = spawn(command, [...args], { detached: true, env, stdio: ['ignore', log, log] });
  closeSync(log);
  child.on('error', () => undefined);
  child.unref();
  const ticks = child.pid === undefined ? null : startedTicks(child.pid);
  if (child.pid === undefined || ticks === null) throw new LabError(`${command} could not be started; see ${logFile(name)}`);
  return { pid: child.pid, startedTicks: ticks };
}

export function isAlive(process: Background): boolean {
  return startedTicks(process.pid) === process.startedTicks;
}

const STOP_GRACE_MS = 10_000;

/** Ends a process of ours and waits until it is gone; one that is gone already is fine. */
export async function stopBackground(background: Background): Promise<void> {
  const signal = (name: NodeJS.Signals) => {
    if (isAlive(background)) process.kill(background.pid, name);
  };
  signal('SIGTERM');
  const deadline = Date.now() + STOP_GRACE_MS;
  while (isAlive(background) && Date.now() < deadline) await sleep(100);
  signal('SIGKILL');
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks again every `everyMs` until there is an answer. @throws LabError naming `what` after `timeoutMs`. */
export async function waitFor<T>(what: string, timeoutMs: number, everyMs: number, ask: () => Promise<T | null | undefined>): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined) return answer;
    if (Date.now() > deadline) throw new LabError(`${what}: not within ${Math.round(timeoutMs / 1000)} s`);
    await sleep(everyMs);
  }
}
