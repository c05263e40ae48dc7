/** The AWS adapters against the emulator, in an account of their own: the control plane next door sees nothing of it. */
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateLaunchTemplateCommand,
  DescribeInstancesCommand,
  DescribeSubnetsCommand,
  EC2Client,
  RegisterImageCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Telemetry } from '../../lambdas/app/ports';
import { byRole } from '../../lambdas/core/names';
import { environmentOf, parseEnvironment } from '../../lambdas/env';
import { makeContext } from '../../lambdas/runtime';
import type { Subject, SubjectSource } from '../../test/contract/subject';
import { REGION } from '../emulator';
import { sleep } from '../run-command';
import { readState } from '../state';

/** The emulator takes twelve digits as the root key of that account. */
const ACCOUNT = '111111111111';
const SILENT: Telemetry = { info: () => undefined, warn: () => undefined, error: () => undefined, count: () => undefined };

let opened: Promise<Subject> | undefined;

async function makeTable(name: string): Promise<void> {
  const keys = ['pk', 'sk'];
  await new DynamoDBClient({}).send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
      KeySchema: keys.map((AttributeName, i) => ({ AttributeName, KeyType: i === 0 ? ('HASH' as const) : ('RANGE' as const) })),
    }),
  );
}

async function makeImage(ec2: EC2Client, image: string): Promise<string> {
  const command = new RegisterImageCommand({ Name: 'contract-node', ImageLocation: image, Architecture: 'x86_64' });
  return (await ec2.send(command)).ImageId ?? '';
}

async function makeTemplate(ec2: EC2Client, imageId: string): Promise<string> {
  const command = new CreateLaunchTemplateCommand({ LaunchTemplateName: 'contract', LaunchTemplateData: { ImageId: imageId } });
  return (await ec2.send(command)).LaunchTemplate?.LaunchTemplateId ?? '';
}

/** Reads a queue nobody else reads. */
function receiver(sqs: SQSClient, queueUrl: string): () => Promise<unknown[]> {
  return async () => {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }));
    for (const { ReceiptHandle } of Messages) await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
    return Messages.map(({ Body = 'null' }) => JSON.parse(Body) as unknown);
  };
}

async function openSubject(): Promise<Subject> {
  const { images } = readState();
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: ACCOUNT, AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: REGION });
  const ec2 = new EC2Client({});
  const sqs = new SQSClient({});
  const suffix = Date.now().toString(36);
  const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({}));
  const [subnet] = Subnets;
  const zone = subnet?.AvailabilityZone ?? `${REGION}a`;
  const imageId = await makeImage(ec2, images?.lb ?? '');
  const templateId = await makeTemplate(ec2, imageId);
  const queueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: `contract-${suffix}` }))).QueueUrl ?? '';
  const tableName = `contract-${suffix}`;
  await makeTable(tableName);
  const env = environmentOf({
    tableName,
    queueUrls: { 'health-check': queueUrl, provision: queueUrl, failover: queueUrl },
    tickEveryS: 10,
    terminationsPer10Min: 100,
    probeTimeoutMs: 1_000,
    subnets: [{ zone, public: subnet?.SubnetId ?? '', private: subnet?.SubnetId ?? '' }],
    launchTemplates: byRole(() => templateId),
    imageIds: byRole(() => imageId),
    commandDocuments: 'shell',
    placementGroups: 'on',
  });
  const { ports } = makeContext(parseEnvironment(env), SILENT);
  return { ports, pass: sleep, zones: [zone], instanceType: 't3.small', receive: receiver(sqs, queueUrl) };
}

/** Ends what the suites launched: a container each. */
async function endInstances(): Promise<void> {
  const ec2 = new EC2Client({});
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}));
  const living = Reservations.flatMap(({ Instances = [] }) => Instances).filter(({ State }) => State?.Name !== 'terminated');
  const InstanceIds = living.flatMap(({ InstanceId }) => InstanceId ?? []);
  if (InstanceIds.length > 0) await ec2.send(new TerminateInstancesCommand({ InstanceIds }));
}

export const awsSubjectSource: SubjectSource = {
  name: 'AWS (the emulator)',
  gaps: ['clientToken', 'reassociationGuard', 'freedByTermination', 'privateAddresses'],
  open: () => {
    opened ??= openSubject();
    return opened;
  },
  close: endInstances,
};
