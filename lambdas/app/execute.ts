/** Executes one planned job exactly once: claim, re-read what it relies on, act, record, nudge. Decides nothing new. */
import type { JobKind, PlannedJob } from '../core/jobs';
import { runningMaxMs } from '../core/settle';
import { executeAddress, executeMove } from './executors/addresses';
import { executeOnNode } from './executors/commands';
import { executeForget } from './executors/forget';
import { executeAddPrivateAddress, executeLaunch, executeTerminate } from './executors/nodes';
import { type ClaimState, type Context, PortError, type Telemetry } from './ports';
import type { Result } from './result';

/** A worker that died is taken for dead after this; shorter than the queue's visibility, so that the redelivery finds it over, ms. */
export const LEASE_MS = 90_000;
/** Pause before a command's end is looked for, seconds. */
const COMMAND_LOOK_AFTER_S = 1;

function run(context: Context, job: PlannedJob, plannedAtMs: number): Promise<Result> {
  switch (job.kind) {
    case 'launchNode':
      return executeLaunch(context, job);
    case 'terminateNode':
      return executeTerminate(context, job);
    case 'allocateAddress':
    case 'releaseAddress':
      return executeAddress(context, job);
    case 'moveAddress':
      return executeMove(context, job);
    case 'addPrivateAddress':
      return executeAddPrivateAddress(context, job);
    case 'forgetCluster':
      return executeForget(context, job);
    default:
      return executeOnNode(context, job, plannedAtMs);
  }
}

/** How long after its plan a job may act that rests on what was seen of a node: it may be well by now, or another one dead, ms. */
const ACTS_WITHIN_MS: Partial<Record<JobKind, number>> = {
  restartRole: runningMaxMs({ kind: 'restartRole' }),
  launchNode: 60_000,
  terminateNode: 60_000,
};

/** Runs a job that its plan still counts on. One that was given up must not act any more: its plan has gone on without it. */
async function runPlanned(context: Context, job: PlannedJob): Promise<Result> {
  const { rows, clock } = context.ports;
  const row = await rows.get(job.cluster);
  if (!row) return { is: 'stale', reason: 'the cluster is no more' };
  const entry = row.memory.inFlight[job.jobKey];
  if (!entry) return { is: 'stale', reason: `${job.kind} came too late: its plan gave it up` };
  const withinMs = ACTS_WITHIN_MS[job.kind] ?? Number.POSITIVE_INFINITY;
  if (clock.nowMs() - entry.plannedAtMs > withinMs)
    return { is: 'stale', reason: `${job.kind} came too late: it was planned more than ${withinMs / 1000} s ago` };
  return run(context, job, entry.plannedAtMs);
}

/** What a failure outside means for the job: never the end of it, the next plan tries again from what it sees then. */
function resultOf(error: PortError, job: PlannedJob): Result {
  const reason = `${error.code}: ${error.message}`;
  if (error.code === 'noCapacity' && job.kind === 'launchNode') return { is: 'failed', reason, zoneFull: job.zone };
  if (error.code === 'notReady') return { is: 'waiting', reason };
  return { is: 'failed', reason };
}

function claimStateOf(result: Result, nowMs: number): ClaimState {
  switch (result.is) {
    case 'done':
    case 'already':
      return { is: 'done', atMs: nowMs, ...(result.output ? { output: result.output } : {}) };
    case 'started':
      return { is: 'running', leaseUntilMs: nowMs + LEASE_MS, commandId: result.commandId, instanceId: result.instanceId };
    case 'failed':
      return { is: 'failed', reason: result.reason, atMs: nowMs, ...(result.zoneFull ? { zoneFull: result.zoneFull } : {}) };
    default:
      return { is: result.is, reason: result.reason, atMs: nowMs };
  }
}

/** Asks for a look at the cluster, so that progress does not wait for the next tick; losing it costs one tick. */
export async function nudge({ ports }: Context, cluster: string, delayS = 0): Promise<void> {
  try {
    await ports.queues.send('health-check', { kind: 'check', cluster }, delayS);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    ports.telemetry.warn('nudge was not sent; the next tick looks anyway', { cluster, detail: error.message });
  }
}

/**
 * What a double does: an ended job, or one whose command is under way, needs nobody. One that a worker holds must come again:
 * acknowledging it would take the only message with it, should that worker die. @throws conflict then
 */
export function standBack(state: ClaimState, jobKey: string, telemetry: Telemetry): void {
  if (state.is === 'running' && !state.commandId)
    throw new PortError('conflict', `${jobKey} is being worked on; its message comes again to see it ended`);
  telemetry.info('somebody has done this job', { jobKey, state: state.is });
}

/**
 * Runs a job unless somebody has run it or is running it.
 * A failure outside is recorded as the job's end: the next plan starts from what is seen then.
 */
export async function executeJob(context: Context, job: PlannedJob): Promise<void> {
  const { claims, clock, telemetry } = context.ports;
  const claim = await claims.claim(job.jobKey, clock.nowMs(), LEASE_MS);
  if (claim.is === 'held') {
    standBack(claim.state, job.jobKey, telemetry);
    return;
  }
  let result: Result;
  try {
    result = await runPlanned(context, job);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    result = resultOf(error, job);
  }
  await claims.record(job.jobKey, claimStateOf(result, clock.nowMs()));
  telemetry.count(`Jobs${result.is[0]?.toUpperCase()}${result.is.slice(1)}`);
  telemetry.info('execute', { kind: job.kind, cluster: job.cluster, jobKey: job.jobKey, result });
  if (job.kind !== 'forgetCluster' || result.is === 'failed')
    await nudge(context, job.cluster, result.is === 'started' ? COMMAND_LOOK_AFTER_S : 0);
}
