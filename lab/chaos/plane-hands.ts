/** What a scenario does to the control plane: all AWS APIs gone, its functions' workers killed. Only ever to this lab's own emulator. */
import { LabError } from '../lab-error';
import { isAlive, sleep, tryRun } from '../run-command';
import { readState } from '../state';

function signalEmulator(name: 'SIGSTOP' | 'SIGCONT'): void {
  const { emulator } = readState();
  if (emulator && isAlive(emulator)) process.kill(emulator.pid, name);
  else if (name === 'SIGSTOP') throw new LabError('the emulator does not run');
}

/** No AWS API answers any more: calls under way and new ones hang, as in an outage of a region's control planes. */
export function freezeApis(): void {
  signalEmulator('SIGSTOP');
}

/** Idempotent. */
export function thawApis(): void {
  signalEmulator('SIGCONT');
}

/** Runs some work without any AWS API and gives them back after `forMs` in all, whatever happens. */
export async function withoutApis(forMs: number, work: () => Promise<void>): Promise<void> {
  const untilMs = Date.now() + forMs;
  freezeApis();
  try {
    await work();
    await sleep(Math.max(0, untilMs - Date.now()));
  } finally {
    thawApis();
  }
}

const WORKER = /^\s*(\d+) .*ministack-lambda-\S+\/_worker\.js/;

/** Kills the processes that run the functions, whatever they are at; answers how many. The emulator starts new ones. */
export async function killWorkers(): Promise<number> {
  const { emulator } = readState();
  if (!emulator || !isAlive(emulator)) throw new LabError('the emulator does not run');
  const { stdout } = await tryRun('ps', ['-o', 'pid=,args=', '--ppid', String(emulator.pid)]);
  const pids = stdout.split('\n').flatMap((line) => WORKER.exec(line)?.[1] ?? []);
  for (const pid of pids) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended by itself meanwhile.
    }
  }
  return pids.length;
}

/** Kills them again and again for a while; answers how many. */
export async function killWorkersFor(forMs: number, everyMs: number): Promise<number> {
  const untilMs = Date.now() + forMs;
  let killed = 0;
  while (Date.now() < untilMs) {
    killed += await killWorkers();
    await sleep(everyMs);
  }
  return killed;
}
