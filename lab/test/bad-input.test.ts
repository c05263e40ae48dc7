import {
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { operatorPorts } from '../../lambdas/runtime';
import { bringUp } from '../lab';
import { waitFor } from '../run-command';
import { requestsOf } from './requests';

const DEAD_LETTERS_MS = 120_000;

describe('bad input on the real queues', () => {
  const sqs = new SQSClient({ region: 'us-east-1' });
  let provision: string;

  beforeAll(async () => {
    await bringUp(() => undefined);
    provision = (await operatorPorts()).controlPlane.queues.provision;
  });

  it('refuses a request for an unknown cluster, and says which there are', async () => {
    const ask = await requestsOf('nowhere');
    expect(await ask({ kind: 'scale', role: 'orion', count: 3 })).toMatch(/no cluster is called "nowhere"; known:/);
  });

  it('keeps undecodable messages in the dead-letter queue, and runs the good one beside them', async () => {
    const attributes = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: provision, AttributeNames: ['All'] }));
    const { RedrivePolicy: policy = '{}', VisibilityTimeout: visibility = '' } = attributes.Attributes ?? {};
    const deadLetters = provision.replace(/[^/]+$/, String(JSON.parse(policy).deadLetterTargetArn).split(':').pop() ?? '');
    const setVisibility = (seconds: string) =>
      sqs.send(new SetQueueAttributesCommand({ QueueUrl: provision, Attributes: { VisibilityTimeout: seconds } }));
    const bad = [
      'this is not JSON',
      '{"kind":"explode","cluster":"city"}',
      '{"kind":"scale","cluster":"a; rm -rf /","role":"orion","count":2}',
    ];
    const good = JSON.stringify({ kind: 'scale', cluster: 'elsewhere', role: 'orion', count: 3, jobKey: 'test-beside-bad' });
    // Three receives six timeouts apart would take 18 minutes; the rule is the same with two seconds.
    await setVisibility('2');
    try {
      const Entries = [...bad, good].map((MessageBody, i) => ({ Id: String(i), MessageBody }));
      await sqs.send(new SendMessageBatchCommand({ QueueUrl: provision, Entries }));
      const dead = new Set<string>();
      await waitFor('the dead letters', DEAD_LETTERS_MS, 500, async () => {
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: deadLetters, MaxNumberOfMessages: 10 }));
        for (const { Body = '' } of Messages) dead.add(Body);
        return dead.size >= bad.length || null;
      });
      expect([...dead].sort()).toEqual([...bad].sort());
    } finally {
      await setVisibility(visibility);
    }
    const entries = await (await operatorPorts()).journal.read('elsewhere', 10);
    expect(entries.find(({ jobKey }) => jobKey === 'test-beside-bad')?.event).toBe('refused');
  });
});
