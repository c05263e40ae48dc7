/** Runs the records of an SQS batch, each on its own, and reports which failed. One bad record never touches another. */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Telemetry } from './app/ports';
import { decodeMessage, type MessageOf, type QueueName } from './core/jobs';

/** Runs one decoded message; what it throws makes the record come again. */
export type RunMessage<Q extends QueueName> = (message: MessageOf<Q>, messageId: string) => Promise<void>;

async function runRecord<Q extends QueueName>(queue: Q, record: SQSRecord, telemetry: Telemetry, run: RunMessage<Q>): Promise<boolean> {
  const fields = { queue, messageId: record.messageId, receives: record.attributes?.ApproximateReceiveCount };
  const decoded = decodeMessage(queue, record.body);
  if (!decoded.ok) {
    // Not acknowledged on purpose: after three receives SQS keeps it in the dead-letter queue, and this line says why.
    telemetry.error('message can not be decoded; it goes to the dead-letter queue', { ...fields, problems: decoded.problems });
    telemetry.count('MessagesUndecodable');
    return false;
  }
  try {
    await run(decoded.value, record.messageId);
    return true;
  } catch (error) {
    const reason = error instanceof Error ? { name: error.name, message: error.message, stack: error.stack } : { message: String(error) };
    telemetry.error('message failed; it comes again', { ...fields, error: reason });
    telemetry.count('MessagesFailed');
    return false;
  }
}

/** The records side by side; the answer names those SQS shall deliver again (partial batch response). */
export async function runBatch<Q extends QueueName>(
  queue: Q,
  event: SQSEvent,
  telemetry: Telemetry,
  run: RunMessage<Q>,
): Promise<SQSBatchResponse> {
  const results = await Promise.all(event.Records.map(async (record) => ({ record, ok: await runRecord(queue, record, telemetry, run) })));
  return { batchItemFailures: results.flatMap(({ record, ok }) => (ok ? [] : [{ itemIdentifier: record.messageId }])) };
}
