/** The AWS adapters as a contract subject, on an emulator: makes table, queues and launch templates of its own and removes them. Never meant for a real account. */
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateLaunchTemplateCommand,
  DeleteLaunchTemplateCommand,
  DescribeSubnetsCommand,
  EC2Client,
  RegisterImageCommand,
} from '@aws-sdk/client-ec2';
import { CreateQueueCommand, DeleteMessageCommand, DeleteQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Telemetry } from '../../lambdas/app/ports';
import { ROLES, type Role } from '../../lambdas/core/names';
import { environmentOf, parseEnvironment } from '../../lambdas/env';
import { type AwsEndpoint, makeContext } from '../../lambdas/runtime';
import { freshName, type Gap, type Subject, type SubjectSource } from './subject';

/** What ministack 1.5 does otherwise than AWS; seen by running the suites without these. */
export const MINISTACK_GAPS: readonly Gap[] = ['clientToken', 'reassociationGuard', 'freedByTermination'];

/** Where the emulator is, and what its nodes are made of. */
export interface Emulator extends Required<AwsEndpoint> {
  /** AMI by role. @default one registered from `debian:bookworm`, without node scripts */
  imageIds?: Record<Role, string>;
  gaps?: readonly Gap[];
}

const SILENT: Telemetry = { info: () => {}, warn: () => {}, error: () => {}, count: () => {} };
const QUEUES = ['health-check', 'provision', 'failover'] as const;

type CleanUp = () => Promise<unknown>;

async function makeTable(client: DynamoDBClient, TableName: string, cleanUps: CleanUp[]): Promise<string> {
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
    }),
  );
  cleanUps.push(() => client.send(new DeleteTableCommand({ TableName })));
  return TableName;
}

async function makeQueue(client: SQSClient, QueueName: string, cleanUps: CleanUp[]): Promise<string> {
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName }));
  cleanUps.push(() => client.send(new DeleteQueueCommand({ QueueUrl })));
  return QueueUrl;
}

async function makeTemplate(client: EC2Client, LaunchTemplateName: string, cleanUps: CleanUp[]): Promise<string> {
  const made = await client.send(
    new CreateLaunchTemplateCommand({ LaunchTemplateName, LaunchTemplateData: { MetadataOptions: { HttpTokens: 'required' } } }),
  );
  const LaunchTemplateId = made.LaunchTemplate?.LaunchTemplateId ?? '';
  cleanUps.push(() => client.send(new DeleteLaunchTemplateCommand({ LaunchTemplateId })));
  return LaunchTemplateId;
}

async function findSubnets(client: EC2Client) {
  const { Subnets = [] } = await client.send(new DescribeSubnetsCommand({}));
  const byZone = new Map(Subnets.map(({ AvailabilityZone = '', SubnetId = '' }) => [AvailabilityZone, SubnetId]));
  return [...byZone].map(([zone, subnet]) => ({ zone, public: subnet, private: subnet }));
}

async function registerImage(client: EC2Client): Promise<Record<Role, string>> {
  const { ImageId: id = '' } = await client.send(new RegisterImageCommand({ Name: freshName(), ImageLocation: 'debian:bookworm' }));
  return { lb: id, orion: id, mongo: id };
}

async function receive(client: SQSClient, QueueUrl: string): Promise<unknown[]> {
  const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  for (const { ReceiptHandle } of Messages) await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  return Messages.map(({ Body = '' }) => JSON.parse(Body));
}

async function open(emulator: Emulator, cleanUps: CleanUp[]): Promise<Subject> {
  const { imageIds, gaps: _gaps, ...at } = emulator;
  const [ec2, sqs, dynamodb] = [new EC2Client(at), new SQSClient(at), new DynamoDBClient(at)];
  const name = `contract-${freshName()}`;
  const urls = await Promise.all(QUEUES.map((queue) => makeQueue(sqs, `${name}-${queue}`, cleanUps)));
  const [healthCheck = '', provision = '', failover = ''] = urls;
  const templates = await Promise.all(ROLES.map((role) => makeTemplate(ec2, `${name}-${role}`, cleanUps)));
  const [lb = '', orion = '', mongo = ''] = templates;
  const subnets = await findSubnets(ec2);
  const variables = environmentOf({
    tableName: await makeTable(dynamodb, name, cleanUps),
    queueUrls: { 'health-check': healthCheck, provision, failover },
    tickEveryS: 10,
    terminationsPer10Min: 10,
    probeTimeoutMs: 1_000,
    subnets,
    launchTemplates: { lb, orion, mongo },
    imageIds: imageIds ?? (await registerImage(ec2)),
    commandDocuments: 'shell',
    placementGroups: 'on',
  });
  const { ports } = makeContext(parseEnvironment(variables), SILENT, at);
  return {
    ports,
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    zones: subnets.map(({ zone }) => zone),
    instanceType: 't3.small',
    receive: () => receive(sqs, provision),
  };
}

/** Every suite opens a subject of its own, so that none reads what another left. */
export function awsOnEmulator(emulator: Emulator): SubjectSource {
  const cleanUps: CleanUp[] = [];
  return {
    name: 'the AWS adapters',
    gaps: emulator.gaps ?? MINISTACK_GAPS,
    open: () => open(emulator, cleanUps),
    close: async () => {
      for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    },
  };
}
