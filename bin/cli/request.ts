/** Sends one request to the provision queue and, where asked, follows it to its end. Decides nothing: the control plane does. */
import { decodeMessage, type UserJob } from '../../lambdas/core/jobs';
import type { ClusterRow } from '../../lambdas/core/memory';
import { CLUSTER_NAME, CLUSTER_NAME_RULE } from '../../lambdas/core/names';
import { CommandError, mistake } from './command-error';
import type { CliContext, CommonOptions, OperatorPorts } from './context';
import { follow } from './follow';
import { addressLines } from './status-text';

export interface WaitOptions extends CommonOptions {
  wait?: boolean;
  /** Seconds. */
  timeout: number;
}

/** The name, when it may be one. @throws CommandError */
export function checkedName(name: string): string {
  if (!CLUSTER_NAME.test(name)) throw mistake(`name: expected ${CLUSTER_NAME_RULE}; got ${JSON.stringify(name)}`);
  return name;
}

/** A whole number from the command line within its bounds. @throws CommandError */
export function wholeNumber(field: string, text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw mistake(`${field}: expected a whole number from ${min} to ${max}; got ${JSON.stringify(text)}`);
  return value;
}

/** The job in the very schema its worker decodes it with, so that no request becomes a dead letter. @throws CommandError */
function checkedJob(job: UserJob): UserJob {
  const decoded = decodeMessage('provision', JSON.stringify(job));
  if (!decoded.ok) throw mistake(...decoded.problems);
  return job;
}

/**
 * Enqueues `job` under a key of its own; with `--wait` prints what happens until `isReached` or the timeout.
 * @throws CommandError exit code 1 when the request was refused or took too long
 */
export async function request(
  context: CliContext,
  ports: OperatorPorts,
  job: UserJob,
  options: WaitOptions,
  isReached: (row: ClusterRow | null) => boolean,
): Promise<void> {
  const jobKey = context.newJobKey();
  const keyed = checkedJob({ ...job, jobKey });
  const { cluster } = job;
  const watch = options.wait ? await follow(context, ports, { cluster, jobKey, isReached }, options) : undefined;
  await ports.queues.send('provision', keyed);
  if (options.json) context.out(JSON.stringify({ queued: keyed }));
  else context.out(`queued ${job.kind} for ${cluster} (${jobKey})${options.wait ? '' : `; see: fiware-ha events ${cluster}`}`);
  if (!watch) return;
  const ending = await watch.untilEnd();
  const tookS = Math.round(ending.tookMs / 100) / 10;
  if (options.json) {
    const { is: outcome } = ending;
    context.out(JSON.stringify({ outcome, tookS, ...('reason' in ending ? { reason: ending.reason } : {}) }));
  } else if (ending.is === 'converged') {
    context.out(`${job.kind === 'deleteCluster' ? 'gone' : 'converged'} after ${tookS} s`);
    const status = job.kind === 'createCluster' ? (await ports.rows.get(cluster))?.status : undefined;
    if (status) for (const line of addressLines(status)) context.out(line);
  }
  if (ending.is !== 'converged') throw new CommandError(1, [`${ending.is === 'refused' ? 'refused' : 'timed out'}: ${ending.reason}`]);
}
