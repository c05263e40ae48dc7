/** SQS, as the queues port. Sends; receiving is Lambda's event source mapping. */
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Queues } from '../app/ports';
import { PortError } from '../app/ports';
import type { QueueName } from '../core/jobs';
import { callAws } from './port-errors';

/** `urls`: those queues this function may send to. */
export function makeQueues(client: SQSClient, urls: Partial<Record<QueueName, string>>): Queues {
  return {
    send: async (queue, body, delayS = 0) => {
      const QueueUrl = urls[queue];
      if (!QueueUrl) throw new PortError('invalid', `queue ${queue}: this function has no URL of it and may not send to it`);
      await callAws(`SendMessage to ${queue}`, () =>
        client.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(body), DelaySeconds: delayS })),
      );
    },
  };
}
