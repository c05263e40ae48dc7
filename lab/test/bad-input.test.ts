import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { operatorPorts } from '../../lambdas/runtime';
import { untilDeadLetters } from '../dead-letters';
import { bringUp } from '../lab';
import { requestsOf } from './requests';

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
    const bad = [
      'this is not JSON',
      '{"kind":"explode","cluster":"city"}',
      '{"kind":"scale","cluster":"a; rm -rf /","role":"orion","count":2}',
    ];
    const good = JSON.stringify({ kind: 'scale', cluster: 'elsewhere', role: 'orion', count: 3, jobKey: 'test-beside-bad' });
    await untilDeadLetters(sqs, provision, bad, async () => {
      const Entries = [...bad, good].map((MessageBody, i) => ({ Id: String(i), MessageBody }));
      await sqs.send(new SendMessageBatchCommand({ QueueUrl: provision, Entries }));
    });
    const entries = await (await operatorPorts()).journal.read('elsewhere', 10);
    expect(entries.find(({ jobKey }) => jobKey === 'test-beside-bad')?.event).toBe('refused');
  });
});
