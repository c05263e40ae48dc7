import {
  AllocateAddressCommand,
  AssignPrivateIpAddressesCommand,
  AssociateAddressCommand,
  CreateTagsCommand,
  DescribeInstancesCommand,
  ReleaseAddressCommand,
  RunInstancesCommand,
  StopInstancesCommand,
  type TagSpecification,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { PutParameterCommand, SendCommandCommand } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Clients, makeClients } from '../clients';
import type { Deployed } from '../iam/deployed';
import { emulatorLooks } from '../iam/emulator-looks';
import { bringUp } from '../lab';
import { assumeNodeRole } from '../node-metadata';

const CLUSTER = 'iam-test';
const OURS = [{ Key: 'fiware-ha:cluster', Value: CLUSTER }];
const tagged = (ResourceType: 'instance' | 'volume' | 'network-interface'): TagSpecification => ({ ResourceType, Tags: OURS });
const ALL_TAGGED = [tagged('instance'), tagged('volume'), tagged('network-interface')];

/** Calls by sessions of the stack's own roles, beside nodes and addresses that are not any cluster's. */
describe('the roles of the stack, by the policies of AWS', () => {
  let root: Clients;
  let deployed: Deployed;
  let as: Record<'Provision' | 'Failover' | 'Nodeslb', Clients>;
  /** Somebody's; a cluster's. */
  const instances = { theirs: '', ours: '' };
  const addresses = { theirs: '', ours: '' };
  let launch: {
    LaunchTemplate: { LaunchTemplateId: string; Version: string };
    ImageId: string;
    SubnetId: string;
    MinCount: 1;
    MaxCount: 1;
  };

  async function sessionOf(endpoint: string, part: string): Promise<Clients> {
    const arn = deployed.deployment.arnOf(deployed.deployment.theId('AWS::IAM::Role', `${part}Role`));
    return makeClients(endpoint, (await assumeNodeRole(root, arn, 'iam-test')).credentials);
  }

  async function launched(by: Clients, TagSpecifications?: TagSpecification[]): Promise<string> {
    const { Instances } = await by.ec2.send(new RunInstancesCommand({ ...launch, ...(TagSpecifications ? { TagSpecifications } : {}) }));
    return Instances?.[0]?.InstanceId ?? '';
  }

  beforeAll(async () => {
    const { endpoint } = await bringUp(() => undefined);
    root = makeClients(endpoint);
    deployed = await emulatorLooks(endpoint).deployed();
    const [provision, failover, balancer] = await Promise.all(
      ['Provision', 'Failover', 'Nodeslb'].map((part) => sessionOf(endpoint, part)),
    );
    as = { Provision: provision as Clients, Failover: failover as Clients, Nodeslb: balancer as Clients };
    const functionId = deployed.deployment.theId('AWS::Lambda::Function', 'ProvisionFunction');
    const { Variables } = deployed.deployment.property(functionId, 'Environment') as { Variables: Record<string, string> };
    const { lb: ImageId } = JSON.parse(Variables.IMAGE_IDS ?? '');
    const { lb: LaunchTemplateId } = JSON.parse(Variables.LAUNCH_TEMPLATES ?? '');
    const SubnetId = JSON.parse(Variables.SUBNETS ?? '')[0].public;
    launch = { LaunchTemplate: { LaunchTemplateId, Version: '$Latest' }, ImageId, SubnetId, MinCount: 1, MaxCount: 1 };
    instances.theirs = await launched(root);
    instances.ours = await launched(as.Provision, ALL_TAGGED);
    const allocate = new AllocateAddressCommand({ Domain: 'vpc' });
    addresses.theirs = (await root.ec2.send(allocate)).AllocationId ?? '';
    const withTag = new AllocateAddressCommand({ Domain: 'vpc', TagSpecifications: [{ ResourceType: 'elastic-ip', Tags: OURS }] });
    addresses.ours = (await as.Provision.ec2.send(withTag)).AllocationId ?? '';
  });

  afterAll(async () => {
    await root.ec2.send(new TerminateInstancesCommand({ InstanceIds: Object.values(instances).filter(Boolean) }));
    for (const AllocationId of Object.values(addresses))
      await root.ec2.send(new ReleaseAddressCommand({ AllocationId })).catch(() => undefined);
  });

  const queue = (part: string) => deployed.deployment.physicalId(deployed.deployment.theId('AWS::SQS::Queue', `${part}Queue`));
  const run = (InstanceIds: string[]) =>
    new SendCommandCommand({ DocumentName: 'AWS-RunShellScript', InstanceIds, Parameters: { commands: ['true'] } });
  const move = (AllocationId: string, InstanceId: string) =>
    new AssociateAddressCommand({ AllocationId, InstanceId, AllowReassociation: true });

  it.each<[string, () => Promise<unknown>, () => string]>([
    [
      'ends an instance that is no cluster’s',
      () => as.Provision.ec2.send(new TerminateInstancesCommand({ InstanceIds: [instances.theirs] })),
      () => instances.theirs,
    ],
    [
      'ends it beside one that is',
      () => as.Provision.ec2.send(new TerminateInstancesCommand({ InstanceIds: [instances.ours, instances.theirs] })),
      () => instances.theirs,
    ],
    [
      'ends a node by the failover worker',
      () => as.Failover.ec2.send(new TerminateInstancesCommand({ InstanceIds: [instances.ours] })),
      () => '',
    ],
    ['sends it a command', () => as.Provision.ssm.send(run([instances.theirs])), () => instances.theirs],
    ['gives it an address', () => as.Failover.ec2.send(move(addresses.ours, instances.theirs)), () => instances.theirs],
    ['moves an address that is no cluster’s', () => as.Failover.ec2.send(move(addresses.theirs, instances.ours)), () => addresses.theirs],
    ['releases it', () => as.Provision.ec2.send(new ReleaseAddressCommand({ AllocationId: addresses.theirs })), () => addresses.theirs],
    [
      'gives its interface a private address',
      () =>
        as.Provision.ec2.send(new AssignPrivateIpAddressesCommand({ NetworkInterfaceId: 'eni-0fff', SecondaryPrivateIpAddressCount: 1 })),
      () => 'eni-0fff',
    ],
    [
      'makes it a cluster’s by tagging it',
      () => as.Provision.ec2.send(new CreateTagsCommand({ Resources: [instances.theirs], Tags: OURS })),
      () => '',
    ],
    ['launches without the tag', () => launched(as.Provision), () => 'instance/'],
    ['launches an interface without the tag', () => launched(as.Provision, ALL_TAGGED.slice(0, 2)), () => 'network-interface/'],
    ['stops a node', () => as.Provision.ec2.send(new StopInstancesCommand({ InstanceIds: [instances.ours] })), () => 'StopInstances'],
    [
      'writes another parameter',
      () => as.Provision.ssm.send(new PutParameterCommand({ Name: '/theirs', Value: 'x', Type: 'String' })),
      () => '/theirs',
    ],
    [
      'sends from a balancer to another queue than its own',
      () => as.Nodeslb.sqs.send(new SendMessageCommand({ QueueUrl: queue('Provision'), MessageBody: '{}' })),
      () => 'ProvisionQueue',
    ],
  ])('refuse who %s, and say which resource', async (_what, attempt, resource) => {
    const error = await attempt().then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error?.name).toMatch(/^(UnauthorizedOperation|AccessDenied|AccessDeniedException)$/);
    expect(error?.message).toContain(resource());
  });

  it('have left what is no cluster’s as it was', async () => {
    const { Reservations = [] } = await root.ec2.send(new DescribeInstancesCommand({ InstanceIds: [instances.theirs] }));
    expect(Reservations[0]?.Instances?.[0]).toMatchObject({ State: { Name: 'running' } });
    expect(Reservations[0]?.Instances?.[0]?.Tags ?? []).toEqual([]);
  });

  it('let the same calls through for what is a cluster’s', async () => {
    await as.Provision.ssm.send(run([instances.ours]));
    await as.Failover.ec2.send(move(addresses.ours, instances.ours));
    await as.Provision.ec2.send(new TerminateInstancesCommand({ InstanceIds: [instances.ours] }));
    instances.ours = '';
    // Far enough away that the lab is down before anybody reads it.
    await as.Nodeslb.sqs.send(new SendMessageCommand({ QueueUrl: queue('Failover'), MessageBody: '{}', DelaySeconds: 900 }));
  });
});
