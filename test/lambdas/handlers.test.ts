import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { byRole } from '../../lambdas/core/names';
import { environmentOf } from '../../lambdas/env';
import { type Call, fakeAws, json, stopFakes, xml } from '../aws/fake-aws';

type Handler = (event: SQSEvent) => Promise<SQSBatchResponse>;

const OUTSIDE = { ...process.env };
let calls: Call[] = [];
/** What the table holds; nothing by default. */
let storedRow: unknown;
let lines: Record<string, unknown>[] = [];
const { stdout, stderr } = process;
const writes = [stdout.write.bind(stdout), stderr.write.bind(stderr)] as const;

/** The handlers as Lambda loads them: environment first, clients made on import. */
async function load(name: 'health-check' | 'provision' | 'failover'): Promise<Handler> {
  const { handler } = (await import(`../../lambdas/${name}`)) as { handler: Handler };
  return handler;
}

/** The SDK checks it. */
const md5 = (text: string) => createHash('md5').update(text).digest('hex');

function batchOf(...bodies: unknown[]): SQSEvent {
  const records = bodies.map((body, i) => ({ messageId: `m-${i + 1}`, body: typeof body === 'string' ? body : JSON.stringify(body) }));
  return { Records: records as unknown as SQSRecord[] };
}

function sentTo(queue: string): unknown[] {
  const sends = calls.filter(({ operation, json: { QueueUrl } }) => operation === 'SendMessage' && String(QueueUrl).endsWith(`/${queue}`));
  return sends.map(({ json: { MessageBody, DelaySeconds } }) => ({ ...JSON.parse(String(MessageBody)), delayS: DelaySeconds }));
}

/** Keeps lines of JSON, which Lambda reads as logs and metrics; all else is printed. */
function capture(chunk: unknown): boolean {
  try {
    lines.push(JSON.parse(String(chunk)));
    return true;
  } catch {
    return writes[1](String(chunk));
  }
}

beforeAll(async () => {
  const fake = await fakeAws(({ operation, json: input }) => {
    if (operation === 'DescribeInstances') return xml(operation, '<reservationSet/>');
    if (operation === 'DescribeInstanceStatus') return xml(operation, '<instanceStatusSet/>');
    if (operation === 'DescribeAddresses') return xml(operation, '<addressesSet/>');
    if (operation === 'GetParametersByPath') return json({ Parameters: [{ Name: '/fiware-ha/clusters/city/spec' }] });
    if (operation === 'GetParameter') return json({ __type: 'ParameterNotFound' }, 400);
    if (operation === 'SendMessage') return json({ MessageId: 'm', MD5OfMessageBody: md5(String(input.MessageBody)) });
    if (operation === 'GetItem' && storedRow) return json({ Item: { body: { S: JSON.stringify(storedRow) } } });
    return json({});
  });
  calls = fake.calls;
  const queue = (name: string) => `${fake.client.endpoint}/1/${name}`;
  Object.assign(
    process.env,
    environmentOf({
      tableName: 'state',
      queueUrls: { 'health-check': queue('health-check'), provision: queue('provision'), failover: queue('failover') },
      tickEveryS: 20,
      terminationsPer10Min: 10,
      probeTimeoutMs: 500,
      subnets: [{ zone: 'eu-west-1a', public: 'subnet-1', private: 'subnet-2' }],
      launchTemplates: byRole((role) => `lt-${role}`),
      imageIds: byRole(() => 'ami-1'),
      commandDocuments: 'shell',
      placementGroups: 'off',
    }),
    {
      AWS_ENDPOINT_URL: fake.client.endpoint,
      AWS_REGION: fake.client.region,
      AWS_ACCESS_KEY_ID: fake.client.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: fake.client.credentials.secretAccessKey,
      POWERTOOLS_DEV: 'false',
    },
  );
  for (const stream of [stdout, stderr]) stream.write = ((chunk: unknown) => capture(chunk)) as typeof stream.write;
});

afterEach(() => {
  calls.length = 0;
  lines = [];
  storedRow = undefined;
});

afterAll(async () => {
  [stdout.write, stderr.write] = writes;
  process.env = OUTSIDE;
  await stopFakes();
});

describe('health-check', () => {
  it('turns the minute into sweeps', async () => {
    const handler = await load('health-check');
    expect(await handler(batchOf({ kind: 'minute' }))).toEqual({ batchItemFailures: [] });
    const sweeps = [0, 20, 40].map((delayS) => ({ kind: 'sweep', delayS }));
    expect(sentTo('health-check')).toHaveLength(3);
    expect(sentTo('health-check')).toEqual(expect.arrayContaining(sweeps));
  });

  it('turns a sweep into a check of each cluster, and counts it where the alarm on missing ticks looks', async () => {
    const handler = await load('health-check');
    await handler(batchOf({ kind: 'sweep' }));
    const facts = { atMs: expect.any(Number), instances: [], addresses: [] };
    expect(sentTo('health-check')).toEqual([{ kind: 'check', cluster: 'city', facts, delayS: 0 }]);
    const [metrics] = lines.filter((line) => '_aws' in line);
    expect(metrics).toMatchObject({ Sweeps: 1, service: 'health-check' });
    expect(JSON.stringify(metrics)).toContain('"Namespace":"fiware-ha"');
  });
});

describe('provision', () => {
  it('gives back what it can not read, says why in one line, and runs the rest', async () => {
    const handler = await load('provision');
    const answer = await handler(batchOf('{', { kind: 'createCluster', cluster: 'port' }));
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-1' }] });
    const errors = lines.filter(({ level }) => level === 'ERROR');
    expect(errors).toMatchObject([{ service: 'provision', messageId: 'm-1', problems: ['body: expected JSON; got "{"'] }]);
    const puts = calls.filter(({ operation }) => operation === 'PutParameter').map(({ json: { Name, Overwrite } }) => [Name, Overwrite]);
    expect(puts).toEqual([['/fiware-ha/clusters/port/spec', false]]);
  });
});

describe('failover', () => {
  it('is kept started by a message that makes it do nothing', async () => {
    const handler = await load('failover');
    expect(await handler(batchOf({ kind: 'stayReady' }))).toEqual({ batchItemFailures: [] });
    expect(calls).toEqual([]);
  });

  it('claims a move before it looks, and finds it stale when the address is gone', async () => {
    const handler = await load('failover');
    const job = {
      kind: 'moveAddress',
      cluster: 'city',
      jobKey: '1/move/1',
      reason: 'its holder is dead',
      allocationId: 'eipalloc-1',
      to: 'i-1',
      expect: { holder: null },
    };
    storedRow = { cluster: 'city', memory: { inFlight: { [job.jobKey]: { job, plannedAtMs: Date.now() } } } };
    expect(await handler(batchOf(job))).toEqual({ batchItemFailures: [] });
    const operations = calls.map(({ operation }) => operation);
    expect([...operations.slice(0, 2), ...operations.slice(4)]).toEqual(['PutItem', 'GetItem', 'PutItem', 'SendMessage']);
    expect(operations.slice(2, 4).sort()).toEqual(['DescribeAddresses', 'DescribeInstances']);
    expect(JSON.stringify(calls[4]?.json)).toContain('eipalloc-1 is no more');
  });
});
