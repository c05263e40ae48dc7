import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Table } from '../../lambdas/aws/table';
import { makeBudget, makeClaims, makeJournal, makeLeases, makeRows } from '../../lambdas/aws/table-stores';
import { EMPTY_MEMORY } from '../../lambdas/core/memory';
import { aSpec } from '../builders';
import { type Answer, type Call, fakeAws, json, stopFakes } from './fake-aws';

afterEach(stopFakes);

const NOW_MS = 1_800_000_000_000;
const CONFLICT = json({ __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException', message: 'no' }, 400);

async function aTable(answer: (call: Call, index: number) => Answer) {
  const fake = await fakeAws(answer);
  return { table: new Table(new DynamoDBClient(fake.client), 't'), calls: fake.calls };
}

const keyOf = (n: number) => ({ pk: { S: `p${n}` }, sk: { S: '-' } });

describe('reading many items', () => {
  it('asks for a hundred at a time, and again for those left over', async () => {
    const asked: number[] = [];
    const { table } = await aTable(({ json: body }, index) => {
      const { Keys } = (body as { RequestItems: { t: { Keys: ReturnType<typeof keyOf>[] } } }).RequestItems.t;
      asked.push(Keys.length);
      const [first] = Keys;
      const UnprocessedKeys = index === 0 && first ? { t: { Keys: [first] } } : {};
      return json({ Responses: { t: index === 0 ? Keys.slice(1) : Keys }, UnprocessedKeys });
    });
    const items = await table.getMany(Array.from({ length: 150 }, (_, n) => ({ pk: `p${n}`, sk: '-' })));
    expect(asked).toEqual([100, 51]);
    expect(new Set(items.map(({ pk }) => pk)).size).toBe(150);
  });

  it('gives up when some are left over again and again', async () => {
    const { table, calls } = await aTable(() => json({ Responses: {}, UnprocessedKeys: { t: { Keys: [keyOf(1)] } } }));
    await expect(table.getMany([{ pk: 'p1', sk: '-' }])).rejects.toMatchObject({ code: 'throttled' });
    expect(calls.length).toBeLessThan(10);
  });
});

describe('querying a partition', () => {
  it('goes on from page to page until it has what was asked for', async () => {
    const { table, calls } = await aTable((_, index) =>
      json({ Items: [{ sk: { S: `${index}a` } }, { sk: { S: `${index}b` } }], LastEvaluatedKey: keyOf(index) }),
    );
    expect((await table.query('p', { limit: 4, reverse: true })).map(({ sk }) => sk)).toEqual(['0a', '0b', '1a', '1b']);
    expect(calls.map(({ json: { Limit, ScanIndexForward } }) => [Limit, ScanIndexForward])).toEqual([
      [4, false],
      [2, false],
    ]);
  });
});

describe('rows', () => {
  const row = { cluster: 'city', version: 1, phase: 'active', spec: aSpec(), memory: EMPTY_MEMORY, status: null } as const;

  it('are named before they are written for the first time, and not again', async () => {
    const { table, calls } = await aTable(() => json({}));
    const rows = makeRows(table);
    await rows.put(row, 0);
    await rows.put({ ...row, version: 2 }, 1);
    expect(calls.map(({ json: { Item } }) => (Item as { pk: { S: string } }).pk.S)).toEqual(['clusters', 'row#city', 'row#city']);
    expect(calls[1]?.json.ConditionExpression).toBe('attribute_not_exists(pk)');
    expect(calls[2]?.json).toMatchObject({ ConditionExpression: '#v = :v', ExpressionAttributeValues: { ':v': { N: '1' } } });
  });
});

describe('claims, leases and the journal', () => {
  it('end by themselves: a claim after a day, a lease a day after its end, an entry after thirty', async () => {
    const { table, calls } = await aTable(() => json({}));
    await makeClaims(table, () => NOW_MS).claim('k', NOW_MS, 90_000);
    await makeLeases(table).take('address/a', NOW_MS, 20_000);
    await makeJournal(table).append('city', [{ atMs: NOW_MS, topic: 'plan', event: 'note', text: 'a' }]);
    const expiresAt = calls.map(({ json: { Item, ExpressionAttributeValues } }) => {
      const { expiresAt: at, ':expiresAt': set } = (Item ?? ExpressionAttributeValues) as Record<string, { N: string }>;
      return Number((at ?? set)?.N);
    });
    expect(expiresAt).toEqual([NOW_MS / 1000 + 86_400, NOW_MS / 1000 + 86_420, NOW_MS / 1000 + 30 * 86_400]);
  });

  it('say when a claim could not be taken for another reason than that somebody has it', async () => {
    const { table } = await aTable(() => json({ __type: 'ThrottlingException', message: 'slow down' }, 400));
    await expect(makeClaims(table, () => NOW_MS).claim('k', NOW_MS, 90_000)).rejects.toMatchObject({ code: 'throttled' });
  });

  it('ask to come again when a claim was given back between two reads', async () => {
    const { table } = await aTable(({ operation }) => (operation === 'PutItem' ? CONFLICT : json({})));
    await expect(makeClaims(table, () => NOW_MS).claim('k', NOW_MS, 90_000)).rejects.toMatchObject({ code: 'throttled' });
  });
});

describe('the budget', () => {
  it('is one counter a window, which ends by itself', async () => {
    const { table, calls } = await aTable(() => json({}));
    expect(await makeBudget(table).take('terminations', 10, 600_000, NOW_MS)).toBe(true);
    expect(calls[0]?.json).toMatchObject({
      Key: { pk: { S: 'budget#terminations' }, sk: { S: String(NOW_MS / 600_000) } },
      ExpressionAttributeValues: { ':limit': { N: '10' }, ':t': { N: String(NOW_MS / 1000 + 1_200) } },
    });
  });

  it('says no when it is used up, and fails when it can not be asked', async () => {
    const usedUp = await aTable(() => CONFLICT);
    expect(await makeBudget(usedUp.table).take('terminations', 10, 600_000, NOW_MS)).toBe(false);
    const broken = await aTable(() => json({ __type: 'InternalServerError', message: 'no' }, 500));
    await expect(makeBudget(broken.table).take('terminations', 10, 600_000, NOW_MS)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
