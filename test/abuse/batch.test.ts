import { describe, expect, it } from '@jest/globals';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import fc from 'fast-check';
import { decodeMessage, type QueueName } from '../../lambdas/core/jobs';
import { runBatch } from '../../lambdas/sqs-batch';
import { aCityWorld, aCommandLine } from '../bin/command-line';
import { hostileJson, hostileText } from './hostile';
import { GOOD } from './messages';

const QUEUES = Object.keys(GOOD) as QueueName[];

describe('a batch of anything', () => {
  it('runs each good message once, gives back each bad one with its reason, and loses none', async () => {
    const records = fc.constantFrom(...QUEUES).chain((queue) =>
      fc.tuple(
        fc.constant(queue),
        fc.array(
          fc.oneof(
            hostileJson(GOOD[queue]),
            fc.constantFrom(...GOOD[queue]).map((good) => JSON.stringify(good)),
          ),
          { maxLength: 10 },
        ),
      ),
    );
    await fc.assert(
      fc.asyncProperty(records, fc.nat(9), async ([queue, bodies], failing) => {
        const event = { Records: bodies.map((body, i) => ({ messageId: `m-${i}`, body }) as SQSRecord) } as SQSEvent;
        const ran: string[] = [];
        const said: unknown[] = [];
        const log = (_message: string, fields?: Record<string, unknown>) => void said.push(fields?.messageId);
        const { batchItemFailures } = await runBatch(
          queue,
          event,
          { info: () => {}, warn: () => {}, error: log, count: () => {} },
          async (_message, { messageId }) => {
            ran.push(messageId);
            if (messageId === `m-${failing}`) throw new Error('its work failed');
          },
        );
        const ids = bodies.map((_body, i) => `m-${i}`);
        const good = ids.filter((_id, i) => decodeMessage(queue, bodies[i] ?? '').ok);
        const back = batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
        expect(ran).toEqual(good);
        expect(back).toEqual(ids.filter((id) => !good.includes(id) || id === `m-${failing}`));
        expect([...said].sort()).toEqual([...back].sort());
      }),
      { numRuns: 200 },
    );
  });
});

describe('a command line of anything', () => {
  const word = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        'create',
        'scale',
        'delete',
        'status',
        'events',
        'repair-majority',
        'city',
        'orion=3',
        'mongo=4',
        '--confirm',
        '--limit',
        '--spec',
        '--json',
        '-h',
        '5',
      ),
    },
    { weight: 2, arbitrary: hostileText },
    { weight: 1, arbitrary: hostileText.map((text) => `--${text}`) },
    { weight: 1, arbitrary: hostileText.map((text) => `orion=${text}`) },
  );

  it('ends with words and no stack trace, and sends only what its queue takes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 5 }), async (argv) => {
        const line = aCommandLine({ world: aCityWorld() });
        const { exitCode, out, err } = await line.run(...argv);
        expect([0, 1, 2]).toContain(exitCode);
        expect([...out, ...err].join('\n')).not.toMatch(/^\s+at .*:\d+:\d+/m);
        if (exitCode !== 0) expect(err.join('')).not.toBe('');
        const refused = line.sent().filter((body) => !decodeMessage('provision', JSON.stringify(body)).ok);
        expect(refused).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
