/** Entry point of the failover queue: moves of addresses. Joins runtime and use case, nothing more. */
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { runFailover } from './app/dispatch';
import { makeRuntime } from './runtime';
import { runBatch, timeLeftMs } from './sqs-batch';

const { context, telemetry, flush } = makeRuntime('failover');

export async function handler(event: SQSEvent, invocation?: Context): Promise<SQSBatchResponse> {
  const leftMs = timeLeftMs(invocation);
  try {
    return await runBatch(
      'failover',
      event,
      telemetry,
      (message) => runFailover(context, message),
      () => leftMs,
    );
  } finally {
    flush();
  }
}
