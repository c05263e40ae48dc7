/** Reads what a queue gave up on. For tests and chaos that send bodies no worker can decode. */
import { GetQueueAttributesCommand, ReceiveMessageCommand, SetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { waitFor } from './run-command';

const DEAD_LETTERS_MS = 120_000;

/**
 * Runs some work while the queue's visibility is two seconds, and waits until all these bodies are dead letters. Three receives six
 * timeouts apart would take 18 minutes; the rule is the same with two seconds. @throws LabError when they do not come
 */
export async function untilDeadLetters(
  sqs: SQSClient,
  queueUrl: string,
  bodies: readonly string[],
  work: () => Promise<void>,
): Promise<void> {
  const attributes = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] }));
  const { RedrivePolicy: policy = '{}', VisibilityTimeout: visibility = '' } = attributes.Attributes ?? {};
  const deadLetters = queueUrl.replace(/[^/]+$/, String(JSON.parse(policy).deadLetterTargetArn).split(':').pop() ?? '');
  const setVisibility = (seconds: string) =>
    sqs.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes: { VisibilityTimeout: seconds } }));
  await setVisibility('2');
  try {
    await work();
    const dead = new Set<string>();
    await waitFor('the dead letters', DEAD_LETTERS_MS, 500, async () => {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: deadLetters, MaxNumberOfMessages: 10 }));
      for (const { Body = '' } of Messages) dead.add(Body);
      return bodies.every((body) => dead.has(body)) || null;
    });
  } finally {
    await setVisibility(visibility);
  }
}
