import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DescribeInstancesCommand, EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, describe, expect, it } from '@jest/globals';
import { PortError, type PortErrorCode } from '../../lambdas/app/ports';
import { callAws, callAwsUnless } from '../../lambdas/aws/port-errors';
import { type Answer, fakeAws, json, stopFakes, xmlError } from './fake-aws';

afterEach(stopFakes);

async function thrownBy(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await callAws('Trying it', call);
  } catch (error) {
    return error;
  }
  throw new Error('expected an error');
}

async function codeOf(call: () => Promise<unknown>): Promise<PortErrorCode | unknown> {
  const error = await thrownBy(call);
  return error instanceof PortError ? error.code : error;
}

const RUN = { MinCount: 1, MaxCount: 1 };

describe('errors of EC2', () => {
  const cases: [string, number, PortErrorCode][] = [
    ['RequestLimitExceeded', 503, 'throttled'],
    ['InsufficientInstanceCapacity', 500, 'noCapacity'],
    ['InsufficientFreeAddressesInSubnet', 400, 'noCapacity'],
    ['Unsupported', 400, 'noCapacity'],
    ['VcpuLimitExceeded', 400, 'unavailable'],
    ['InvalidPlacementGroup.InUse', 400, 'unavailable'],
    ['InternalError', 500, 'unavailable'],
    ['Unavailable', 503, 'unavailable'],
    ['InvalidInstanceID.NotFound', 400, 'notFound'],
    ['InvalidAllocationID.NotFound', 400, 'notFound'],
    ['InvalidPlacementGroup.Duplicate', 400, 'conflict'],
    ['Resource.AlreadyAssociated', 400, 'conflict'],
    ['IdempotentParameterMismatch', 400, 'conflict'],
    ['IncorrectInstanceState', 400, 'notReady'],
    ['UnauthorizedOperation', 403, 'denied'],
    ['SomethingNew', 403, 'denied'],
    ['InvalidParameterValue', 400, 'invalid'],
  ];

  it.each(cases)('%s with HTTP %s is %s', async (name, status, code) => {
    const { client } = await fakeAws(() => xmlError(name, status));
    const ec2 = new EC2Client(client);
    expect(await codeOf(() => ec2.send(new RunInstancesCommand(RUN)))).toBe(code);
  });

  it('say what was tried, AWS’s name and its words, without the part only AWS can read', async () => {
    const message = 'You are not authorized. User: arn:x is not allowed. Encoded authorization failure message: Abc-_123xyz';
    const { client } = await fakeAws(() => xmlError('UnauthorizedOperation', 403, message));
    const error = await thrownBy(() => new EC2Client(client).send(new DescribeInstancesCommand({})));
    expect((error as Error).message).toBe('Trying it: UnauthorizedOperation: You are not authorized. User: arn:x is not allowed.');
  });

  it('are cut when they are long', async () => {
    const { client } = await fakeAws(() => xmlError('InvalidParameterValue', 400, 'x'.repeat(5_000)));
    const error = await thrownBy(() => new EC2Client(client).send(new DescribeInstancesCommand({})));
    expect((error as Error).message.length).toBeLessThan(500);
  });
});

describe('errors of the JSON services', () => {
  const dynamo = 'com.amazonaws.dynamodb.v20120810#';
  const item = { TableName: 't', Item: { pk: { S: 'a' } } };

  async function answering<T>(answer: Answer, run: (client: Awaited<ReturnType<typeof fakeAws>>['client']) => Promise<T>) {
    const { client } = await fakeAws(() => answer);
    return codeOf(() => run(client));
  }

  it.each<[string, PortErrorCode]>([
    [`${dynamo}ConditionalCheckFailedException`, 'conflict'],
    [`${dynamo}ProvisionedThroughputExceededException`, 'throttled'],
    [`${dynamo}ThrottlingException`, 'throttled'],
    [`${dynamo}ResourceNotFoundException`, 'invalid'],
    ['com.amazon.coral.validate#ValidationException', 'invalid'],
    ['com.amazon.coral.service#AccessDeniedException', 'denied'],
    ['com.amazon.coral.service#UnrecognizedClientException', 'denied'],
  ])('%s of DynamoDB is %s', async (type, code) => {
    const answer = json({ __type: type, message: 'in words' }, 400);
    expect(await answering(answer, (client) => new DynamoDBClient(client).send(new PutItemCommand(item)))).toBe(code);
  });

  it.each<[string, PortErrorCode]>([
    ['ParameterNotFound', 'notFound'],
    ['ParameterAlreadyExists', 'conflict'],
    ['InvocationDoesNotExist', 'notFound'],
    ['InvalidInstanceId', 'notReady'],
    ['TooManyUpdates', 'throttled'],
    ['ThrottlingException', 'throttled'],
    ['InvalidDocument', 'invalid'],
  ])('%s of SSM is %s', async (type, code) => {
    const answer = json({ __type: type }, 400);
    expect(await answering(answer, (client) => new SSMClient(client).send(new GetParameterCommand({ Name: '/a' })))).toBe(code);
  });

  it('a queue that is not there is our own wrong setting', async () => {
    const headers = { 'x-amzn-query-error': 'AWS.SimpleQueueService.NonExistentQueue;Sender' };
    const answer = json({ __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'in words' }, 400, headers);
    const send = new SendMessageCommand({ QueueUrl: 'https://sqs.eu-west-1.amazonaws.com/1/q', MessageBody: '{}' });
    expect(await answering(answer, (client) => new SQSClient({ ...client, useQueueUrlAsEndpoint: false }).send(send))).toBe('invalid');
  });
});

describe('errors on the way', () => {
  it('a refused connection is unavailable', async () => {
    const { client, close } = await fakeAws(() => json({}));
    await close();
    expect(await codeOf(() => new DynamoDBClient(client).send(new GetItemCommand({ TableName: 't', Key: {} })))).toBe('unavailable');
  });

  it('a call that hangs ends, and is unavailable', async () => {
    const { client } = await fakeAws(() => ({ status: 200, body: '', hang: true }));
    const requestHandler = { requestTimeout: 50, throwOnRequestTimeout: true };
    const ssm = new SSMClient({ ...client, requestHandler });
    expect(await codeOf(() => ssm.send(new GetParameterCommand({ Name: '/a' })))).toBe('unavailable');
  });

  it('an answer that is no AWS answer is unavailable when it is a 502', async () => {
    const { client } = await fakeAws(() => ({ status: 502, body: '<html>Bad gateway</html>' }));
    expect(await codeOf(() => new EC2Client(client).send(new DescribeInstancesCommand({})))).toBe('unavailable');
  });

  it('missing credentials are said as such', async () => {
    const { client } = await fakeAws(() => json({}));
    const nobody = async () => {
      throw Object.assign(new Error('Could not load credentials from any providers'), { name: 'CredentialsProviderError' });
    };
    const ssm = new SSMClient({ ...client, credentials: nobody });
    expect(await codeOf(() => ssm.send(new GetParameterCommand({ Name: '/a' })))).toBe('denied');
  });

  it('an error of our own code passes as it is', async () => {
    const bug = new TypeError('undefined is not a function');
    expect(await thrownBy(() => Promise.reject(bug))).toBe(bug);
  });

  it('a port error passes as it is', async () => {
    const error = new PortError('conflict', 'mine');
    expect(await thrownBy(() => Promise.reject(error))).toBe(error);
  });
});

describe('callAwsUnless', () => {
  const failing = (name: string) => () => Promise.reject(Object.assign(new Error('x'), { name }));

  it('takes one code for an answer and no other', async () => {
    expect(await callAwsUnless('notFound', 'nothing', 'Trying', failing('ParameterNotFound'))).toBe('nothing');
    await expect(callAwsUnless('notFound', 'nothing', 'Trying', failing('AccessDenied'))).rejects.toMatchObject({ code: 'denied' });
    expect(await callAwsUnless('notFound', 'nothing', 'Trying', async () => 'something')).toBe('something');
  });
});
