/** An open-loop client as a process of its own, so that neither the bench nor a second client delays it. Ends with the process that started it. */
import { type ChildProcess, fork } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { LabError, messageOf } from '../lab-error';
import { brokerRequest } from './broker-requests';
import { type OpenLoopOptions, type RequestRecord, startOpenLoop } from './open-loop';

const FLUSH_EVERY_MS = 100;
const START_MS = 20_000;
const STOP_MS = 20_000;
const NS_PER_MS = 1e6;

/** How late the client itself was, ms: what of the measured times may be its own. */
export interface OwnDelay {
  /** Between the time a request was due and the time it was sent. */
  lateP99Ms: number;
  lateMaxMs: number;
  /** Delay of the process' event loop. */
  loopP99Ms: number;
  loopMaxMs: number;
}

type FromChild = { is: 'started' } | { is: 'ended'; records: RequestRecord[] } | { is: 'stopped'; loopP99Ms: number; loopMaxMs: number };
type ToChild = { is: 'start'; options: OpenLoopOptions } | { is: 'stop' };

export interface Load {
  /** Every request that has ended so far. */
  records: readonly RequestRecord[];
  /** Idempotent. @throws LabError when the client had ended by itself */
  stop: () => Promise<OwnDelay>;
  /** Ends the process without a word; for the end after a failure. */
  kill: () => void;
}

function heardBy<T extends FromChild['is']>(child: ChildProcess, is: T, withinMs: number): Promise<Extract<FromChild, { is: T }>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new LabError(`the client did not say "${is}" within ${withinMs / 1000} s`)), withinMs);
    const hear = (message: FromChild): void => {
      if (message.is === is) end(() => resolve(message as Extract<FromChild, { is: T }>));
    };
    const die = (code: number | null): void => end(() => reject(new LabError(`the client ended by itself, exit code ${code}`)));
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      child.off('message', hear);
      child.off('exit', die);
      settle();
    };
    child.on('message', hear);
    child.on('exit', die);
  });
}

function lateness(records: readonly RequestRecord[]): Pick<OwnDelay, 'lateP99Ms' | 'lateMaxMs'> {
  const late = records.map(({ dueMs, sentMs }) => sentMs - dueMs).sort((a, b) => a - b);
  return { lateP99Ms: late[Math.ceil(late.length * 0.99) - 1] ?? 0, lateMaxMs: late.at(-1) ?? 0 };
}

/** Starts a client; answers when it sends. */
export async function startLoad(options: OpenLoopOptions): Promise<Load> {
  const child = fork(__filename, { execArgv: ['--import', 'tsx'], env: { ...process.env, NODE_NO_WARNINGS: '1' } });
  const records: RequestRecord[] = [];
  child.on('message', (message: FromChild) => {
    if (message.is === 'ended') records.push(...message.records);
  });
  const tell = (message: ToChild): void => void child.send(message, () => undefined);
  const started = heardBy(child, 'started', START_MS);
  tell({ is: 'start', options });
  await started;
  const stop = async (): Promise<OwnDelay> => {
    if (child.exitCode !== null)
      throw new LabError(`the client of ${options.host}:${options.port} ended by itself, exit code ${child.exitCode}`);
    const stopped = heardBy(child, 'stopped', STOP_MS);
    tell({ is: 'stop' });
    const { loopP99Ms, loopMaxMs } = await stopped;
    child.kill();
    return { ...lateness(records), loopP99Ms, loopMaxMs };
  };
  let stopping: Promise<OwnDelay> | undefined;
  return {
    records,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
    kill: () => void child.kill(),
  };
}

/** The child's side: sends until told to stop, and ends when nobody listens any more. */
function serveParent(): void {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const tell = (message: FromChild): void => void process.send?.(message);
  let ended: RequestRecord[] = [];
  const flush = (): void => {
    if (ended.length > 0) tell({ is: 'ended', records: ended });
    ended = [];
  };
  let stopLoop: (() => Promise<void>) | undefined;
  process.on('disconnect', () => process.exit(0));
  process.on('message', (message: ToChild) => {
    if (message.is === 'start') {
      delay.enable();
      stopLoop = startOpenLoop(message.options, brokerRequest, (record) => void ended.push(record)).stop;
      setInterval(flush, FLUSH_EVERY_MS);
      tell({ is: 'started' });
      return;
    }
    const last = stopLoop?.() ?? Promise.resolve();
    void last.then(() => {
      flush();
      tell({ is: 'stopped', loopP99Ms: delay.percentile(99) / NS_PER_MS, loopMaxMs: delay.max / NS_PER_MS });
    });
  });
}

if (require.main === module && process.send) {
  try {
    serveParent();
  } catch (error) {
    console.error(messageOf(error));
    process.exit(1);
  }
}
