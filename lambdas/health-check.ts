/** Entry point of the health-check queue: the schedule's minutes, sweeps and checks. Joins runtime and use case, nothing more. */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { runHealthCheck } from './app/dispatch';
import { makeRuntime } from './runtime';
import { runBatch } from './sqs-batch';

const { context, telemetry, flush } = makeRuntime('health-check');

export async function handler(event: SQSEvent): Promise<SQSBatchResponse> {
  try {
    return await runBatch('health-check', event, telemetry, (message) => runHealthCheck(context, message));
  } finally {
    flush();
  }
}
