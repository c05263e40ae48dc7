/** Entry point of the health-check queue: the schedule's minutes, sweeps and checks. Joins runtime and use case, nothing more. */
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { CHECK_MAX_MS, runHealthCheck } from './app/dispatch';
import { makeRuntime } from './runtime';
import { runBatch, timeLeftMs } from './sqs-batch';

const { context, telemetry, flush } = makeRuntime('health-check');

export async function handler(event: SQSEvent, invocation?: Context): Promise<SQSBatchResponse> {
  const leftMs = timeLeftMs(invocation);
  try {
    return await runBatch(
      'health-check',
      event,
      telemetry,
      (message, { sentAtMs }) => runHealthCheck(context, message, sentAtMs),
      ({ kind }) => (kind === 'check' ? Math.min(leftMs ?? CHECK_MAX_MS, CHECK_MAX_MS) : leftMs),
    );
  } finally {
    flush();
  }
}
