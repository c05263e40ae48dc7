/** Entry point of the provision queue: people's requests and planned jobs. Joins runtime and use case, nothing more. */
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { runProvision } from './app/dispatch';
import { makeRuntime } from './runtime';
import { runBatch, timeLeftMs } from './sqs-batch';

const { context, telemetry, flush } = makeRuntime('provision');

export async function handler(event: SQSEvent, invocation?: Context): Promise<SQSBatchResponse> {
  const leftMs = timeLeftMs(invocation);
  try {
    return await runBatch(
      'provision',
      event,
      telemetry,
      (message, { messageId }) => runProvision(context, message, messageId),
      () => leftMs,
    );
  } finally {
    flush();
  }
}
