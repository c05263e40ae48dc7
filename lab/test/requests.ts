/** Sends raw requests on the provision queue and reads back how they ended. Holds no assertion. */
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { operatorPorts } from '../../lambdas/runtime';
import { waitFor } from '../run-command';

const ANSWER_MS = 60_000;

/** A function that sends a request about a cluster and answers the reason for which it was refused. */
export async function requestsOf(cluster: string): Promise<(body: Record<string, unknown>) => Promise<string>> {
  const ports = await operatorPorts();
  const sqs = new SQSClient({});
  return async (body) => {
    const jobKey = `test-${Date.now().toString(36)}`;
    const message = JSON.stringify({ ...body, cluster, jobKey });
    await sqs.send(new SendMessageCommand({ QueueUrl: ports.controlPlane.queues.provision, MessageBody: message }));
    const entry = await waitFor(`an answer to ${message}`, ANSWER_MS, 500, async () => {
      const entries = await ports.journal.read(cluster, 100);
      return entries.find((found) => found.jobKey === jobKey && found.event !== 'planned');
    });
    return entry.event === 'refused' ? entry.text : `not refused but ${entry.event}: ${entry.text}`;
  };
}
