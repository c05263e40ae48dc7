import { describe, expect, it } from '@jest/globals';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { PortError, type Telemetry } from '../../lambdas/app/ports';
import { runBatch, timeLeftMs } from '../../lambdas/sqs-batch';

interface Line {
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

function recording(): { telemetry: Telemetry; lines: Line[]; counts: Record<string, number> } {
  const lines: Line[] = [];
  const counts: Record<string, number> = {};
  const log =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}) =>
      void lines.push({ level, message, fields });
  const count = (metric: string, value = 1) => {
    counts[metric] = (counts[metric] ?? 0) + value;
  };
  return { telemetry: { info: log('info'), warn: log('warn'), error: log('error'), count }, lines, counts };
}

function batchOf(...bodies: unknown[]): SQSEvent {
  const records = bodies.map((body, i) => ({
    messageId: `m-${i + 1}`,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    attributes: { ApproximateReceiveCount: '2' },
  }));
  return { Records: records as unknown as SQSRecord[] };
}

const check = (cluster: string) => ({ kind: 'check', cluster });

describe('a batch', () => {
  it('runs every message with its id and acknowledges all', async () => {
    const { telemetry, lines } = recording();
    const ran: string[] = [];
    const answer = await runBatch('health-check', batchOf(check('city'), { kind: 'sweep' }), telemetry, async (message, { messageId }) => {
      ran.push(`${messageId} ${message.kind}`);
    });
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(ran).toEqual(['m-1 check', 'm-2 sweep']);
    expect(lines).toEqual([]);
  });

  it.each([
    ['is not JSON', 'hello {', 'body: expected JSON; got "hello {"'],
    ['is of an unknown kind', { kind: 'explode' }, 'kind: '],
    ['has a name a shell could act on', check('city; reboot'), 'cluster: expected 1 to 32 characters'],
    ['is a job of another queue', { kind: 'scale', cluster: 'city', role: 'orion', count: 2 }, 'kind: '],
  ])('gives back a message that %s, says why, and runs the others', async (_, bad, reason) => {
    const { telemetry, lines, counts } = recording();
    const ran: string[] = [];
    const answer = await runBatch('health-check', batchOf(check('a'), bad, check('b')), telemetry, async (message) => {
      if (message.kind === 'check') ran.push(message.cluster);
    });
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-2' }] });
    expect(ran).toEqual(['a', 'b']);
    expect(lines).toEqual([
      {
        level: 'error',
        message: 'message can not be decoded; it goes to the dead-letter queue',
        fields: { queue: 'health-check', messageId: 'm-2', receives: '2', problems: [expect.stringContaining(reason)] },
      },
    ]);
    expect(counts).toEqual({ MessagesUndecodable: 1 });
  });

  it('gives back a message whose work failed, and only that one', async () => {
    const { telemetry, lines, counts } = recording();
    const answer = await runBatch('health-check', batchOf(check('a'), check('b'), check('c')), telemetry, async (message) => {
      if (message.kind === 'check' && message.cluster === 'b') throw new PortError('throttled', 'PutItem: slow down');
      if (message.kind === 'check' && message.cluster === 'c') throw 'not even an error';
    });
    expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(['m-2', 'm-3']);
    expect(lines.map(({ fields }) => fields.error)).toMatchObject([
      { name: 'PortError', message: 'PutItem: slow down' },
      { message: 'not even an error' },
    ]);
    expect(counts).toEqual({ MessagesFailed: 2 });
  });

  it('cuts a message that hangs, acknowledges its neighbours, and says so', async () => {
    const { telemetry, lines, counts } = recording();
    const hang = () => new Promise<void>(() => undefined);
    const answer = await runBatch(
      'health-check',
      batchOf(check('good'), check('stuck'), check('fine')),
      telemetry,
      (message) => (message.kind === 'check' && message.cluster === 'stuck' ? hang() : Promise.resolve()),
      () => 30,
    );
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-2' }] });
    expect(lines).toMatchObject([
      {
        message: 'message was cut: it took too long, and comes again',
        fields: { messageId: 'm-2', error: { message: 'it did not end within 30 ms' } },
      },
    ]);
    expect(counts).toEqual({ MessagesCut: 1 });
  });

  it('leaves room to answer within what is left of the invocation', () => {
    const left = (ms: number) => timeLeftMs({ getRemainingTimeInMillis: () => ms });
    expect([left(30_000), left(1_500)]).toEqual([28_000, 0]);
    expect(timeLeftMs(undefined)).toBeUndefined();
  });

  it('tells when each message was sent', async () => {
    const { telemetry } = recording();
    const event = batchOf(check('a'), check('b'));
    Object.assign(event.Records[0]?.attributes ?? {}, { SentTimestamp: '1800000000000' });
    const sent: unknown[] = [];
    await runBatch('health-check', event, telemetry, async (_message, { sentAtMs }) => void sent.push(sentAtMs));
    expect(sent).toEqual([1_800_000_000_000, undefined]);
  });

  it('does not let a slow message hold the others up', async () => {
    const { telemetry } = recording();
    const order: string[] = [];
    await runBatch('health-check', batchOf(check('slow'), check('quick')), telemetry, async (message) => {
      if (message.kind !== 'check') return;
      if (message.cluster === 'slow') await new Promise((resolve) => setTimeout(resolve, 20));
      order.push(message.cluster);
    });
    expect(order).toEqual(['quick', 'slow']);
  });
});
