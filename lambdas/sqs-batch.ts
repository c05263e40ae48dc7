/** Runs the records of an SQS batch, each on its own and in bounded time, and reports which failed. One bad record never touches another. */
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Telemetry } from './app/ports';
import { decodeMessage, type MessageOf, type QueueName } from './core/jobs';

/** How a message came: its id, and when it was sent, ms; undefined where SQS does not say. */
export interface Delivery {
  messageId: string;
  sentAtMs?: number;
}

/** Runs one decoded message; what it throws makes the record come again. */
export type RunMessage<Q extends QueueName> = (message: MessageOf<Q>, delivery: Delivery) => Promise<void>;

/** How long a message may take, ms; no limit where undefined. */
export type LimitOf<Q extends QueueName> = (message: MessageOf<Q>) => number | undefined;

/** Kept back from a function's time, for the answer to SQS and the counters, ms. */
const ANSWER_MS = 2_000;

/** What is left of an invocation for work, ms. */
export function timeLeftMs(invocation: Pick<Context, 'getRemainingTimeInMillis'> | undefined): number | undefined {
  const leftMs = invocation?.getRemainingTimeInMillis?.();
  return leftMs === undefined ? undefined : Math.max(0, leftMs - ANSWER_MS);
}

class TooSlow extends Error {}

/** The work, or TooSlow once it took too long: what hangs is left behind, and the batch is answered without it. */
async function within(limitMs: number | undefined, work: Promise<void>): Promise<void> {
  if (limitMs === undefined) return work;
  let timer: NodeJS.Timeout | undefined;
  const cut = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TooSlow(`it did not end within ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([work, cut]);
  } finally {
    clearTimeout(timer);
  }
}

function deliveryOf({ messageId, attributes }: SQSRecord): Delivery {
  const sentAtMs = Number(attributes?.SentTimestamp);
  return { messageId, ...(Number.isFinite(sentAtMs) ? { sentAtMs } : {}) };
}

async function runRecord<Q extends QueueName>(
  queue: Q,
  record: SQSRecord,
  telemetry: Telemetry,
  run: RunMessage<Q>,
  limitOf: LimitOf<Q>,
): Promise<boolean> {
  const fields = { queue, messageId: record.messageId, receives: record.attributes?.ApproximateReceiveCount };
  const decoded = decodeMessage(queue, record.body);
  if (!decoded.ok) {
    // Not acknowledged on purpose: after three receives SQS keeps it in the dead-letter queue, and this line says why.
    telemetry.error('message can not be decoded; it goes to the dead-letter queue', { ...fields, problems: decoded.problems });
    telemetry.count('MessagesUndecodable');
    return false;
  }
  try {
    await within(limitOf(decoded.value), run(decoded.value, deliveryOf(record)));
    return true;
  } catch (error) {
    if (error instanceof TooSlow) {
      telemetry.error('message was cut: it took too long, and comes again', { ...fields, error: { message: error.message } });
      telemetry.count('MessagesCut');
      return false;
    }
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
  limitOf: LimitOf<Q> = () => undefined,
): Promise<SQSBatchResponse> {
  const results = await Promise.all(
    event.Records.map(async (record) => ({ record, ok: await runRecord(queue, record, telemetry, run, limitOf) })),
  );
  return { batchItemFailures: results.flatMap(({ record, ok }) => (ok ? [] : [{ itemIdentifier: record.messageId }])) };
}
