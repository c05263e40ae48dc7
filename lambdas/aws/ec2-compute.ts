/** EC2 instances and placement groups, as the compute port. Sees and touches only what carries the cluster's tags. */
import { createHash } from 'node:crypto';
import {
  type _InstanceType,
  AssignPrivateIpAddressesCommand,
  type BlockDeviceMapping,
  CreatePlacementGroupCommand,
  DeletePlacementGroupCommand,
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribePlacementGroupsCommand,
  type EC2Client,
  type Filter,
  type Instance,
  paginateDescribeInstanceStatus,
  paginateDescribeInstances,
  RunInstancesCommand,
  type Tag,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { type Compute, type LaunchRequest, PortError } from '../app/ports';
import type { AddressFact, CloudRead, InstanceFact } from '../core/facts';
import { placementGroupName, type Role, TAG } from '../core/names';
import { addressFact, firstInterface, instanceFact, statusOf } from './ec2-facts';
import { callAws, callAwsUnless } from './port-errors';

/** How nodes are launched in this deployment. Subnets by zone; balancers stand in public ones. */
export interface LaunchSettings {
  subnets: { zone: string; public: string; private: string }[];
  launchTemplates: Record<Role, string>;
  imageIds: Record<Role, string>;
  placementGroups: 'on' | 'off';
}

const OURS: Filter = { Name: 'tag-key', Values: [TAG.cluster] };

/** Most that one page holds (EC2). */
const PAGE_SIZE = 1_000;

type StatusById = Record<string, InstanceFact['status']>;

/** EC2 takes tokens of at most 64 characters; a hash of any text has exactly that many. */
export function clientToken(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Zone by subnet, from the deployment's own subnets. */
export function zonesBySubnet({ subnets }: LaunchSettings): Record<string, string> {
  return Object.fromEntries(
    subnets.flatMap((s) => [
      [s.public, s.zone],
      [s.private, s.zone],
    ]),
  );
}

async function describeInstances(client: EC2Client, filter: Filter): Promise<Instance[]> {
  const instances: Instance[] = [];
  for await (const page of paginateDescribeInstances({ client, pageSize: PAGE_SIZE }, { Filters: [filter] }))
    for (const reservation of page.Reservations ?? []) instances.push(...(reservation.Instances ?? []));
  return instances;
}

/** EC2's status checks of all running instances, by id. */
async function describeStatus(client: EC2Client): Promise<StatusById> {
  const byId: StatusById = {};
  for await (const page of paginateDescribeInstanceStatus({ client, pageSize: PAGE_SIZE }, {}))
    for (const status of page.InstanceStatuses ?? []) if (status.InstanceId) byId[status.InstanceId] = statusOf(status);
  return byId;
}

/** As `describeStatus`; a failed call leaves them unknown, because they only add detail. A missing permission is said all the same. */
async function describeStatusIfPossible(client: EC2Client): Promise<StatusById> {
  try {
    return await callAws('DescribeInstanceStatus', () => describeStatus(client));
  } catch (error) {
    if (error instanceof PortError && error.code !== 'denied') return {};
    throw error;
  }
}

function factsOf(instances: Instance[], status: StatusById, zoneOf: Record<string, string>): InstanceFact[] {
  return instances.flatMap((instance) => instanceFact(instance, status[instance.InstanceId ?? ''] ?? 'unknown', zoneOf) ?? []);
}

async function describeAddresses(client: EC2Client, filter: Filter): Promise<AddressFact[]> {
  const { Addresses } = await client.send(new DescribeAddressesCommand({ Filters: [filter] }));
  return (Addresses ?? []).flatMap((address) => addressFact(address) ?? []);
}

async function ensurePlacementGroup(client: EC2Client, cluster: string, role: Role): Promise<string> {
  const GroupName = placementGroupName(cluster, role);
  const TagSpecifications = [{ ResourceType: 'placement-group' as const, Tags: [{ Key: TAG.cluster, Value: cluster }] }];
  await callAwsUnless('conflict', undefined, `CreatePlacementGroup ${GroupName}`, () =>
    client.send(new CreatePlacementGroupCommand({ GroupName, Strategy: 'spread', TagSpecifications })),
  );
  return GroupName;
}

/** Deletes those that are there: one call more than groups, however many roles there could be. */
async function deletePlacementGroups(client: EC2Client, cluster: string): Promise<void> {
  const Filters = [{ Name: `tag:${TAG.cluster}`, Values: [cluster] }];
  const { PlacementGroups = [] } = await callAws(`DescribePlacementGroups of ${cluster}`, () =>
    client.send(new DescribePlacementGroupsCommand({ Filters })),
  );
  for (const { GroupName } of PlacementGroups)
    await callAwsUnless('notFound', undefined, `DeletePlacementGroup ${GroupName}`, () =>
      client.send(new DeletePlacementGroupCommand({ GroupName })),
    );
}

/** A larger root volume than the template's, encrypted like it. Ubuntu's root device is /dev/sda1. */
function rootVolume(VolumeSize: number): BlockDeviceMapping {
  return { DeviceName: '/dev/sda1', Ebs: { VolumeSize, VolumeType: 'gp3', Encrypted: true, DeleteOnTermination: true } };
}

function tagsOf({ cluster, role, slot, incarnation }: LaunchRequest): Tag[] {
  return [
    { Key: TAG.cluster, Value: cluster },
    { Key: TAG.role, Value: role },
    { Key: TAG.slot, Value: slot },
    { Key: TAG.incarnation, Value: String(incarnation) },
    { Key: 'Name', Value: `${cluster}-${slot}` },
  ];
}

function subnetFor({ subnets }: LaunchSettings, { role, zone }: LaunchRequest): string {
  const found = subnets.find((subnet) => subnet.zone === zone);
  if (found) return role === 'lb' ? found.public : found.private;
  throw new PortError('invalid', `zone ${JSON.stringify(zone)} has no subnet; known: ${subnets.map((subnet) => subnet.zone).join(', ')}`);
}

async function launch(client: EC2Client, settings: LaunchSettings, request: LaunchRequest): Promise<Instance | undefined> {
  const { cluster, role, slot, zone, instanceType, volumeGib, token } = request;
  const SubnetId = subnetFor(settings, request);
  const GroupName = settings.placementGroups === 'on' ? await ensurePlacementGroup(client, cluster, role) : undefined;
  const Tags = tagsOf(request);
  const { Instances } = await callAws(`RunInstances ${cluster}/${slot} in ${zone}`, () =>
    client.send(
      new RunInstancesCommand({
        MinCount: 1,
        MaxCount: 1,
        ClientToken: clientToken(token),
        LaunchTemplate: { LaunchTemplateId: settings.launchTemplates[role], Version: '$Latest' },
        // These also stand in the template or could; emulators don't merge it, and EC2 takes both.
        ImageId: settings.imageIds[role],
        InstanceType: instanceType as _InstanceType,
        SubnetId,
        ...(volumeGib ? { BlockDeviceMappings: [rootVolume(volumeGib)] } : {}),
        ...(GroupName ? { Placement: { GroupName } } : {}),
        // Policies let the control plane touch what carries the tag, and nothing else: also the interface, which addresses are moved through.
        TagSpecifications: (['instance', 'volume', 'network-interface'] as const).map((ResourceType) => ({ ResourceType, Tags })),
      }),
    ),
  );
  return Instances?.[0];
}

/** What EC2 said of all clusters: three paged calls side by side, whatever the number of clusters. */
async function describeFleet(client: EC2Client, zoneOf: Record<string, string>): Promise<CloudRead> {
  const [instances, status, addresses] = await Promise.all([
    callAws('DescribeInstances', () => describeInstances(client, OURS)),
    describeStatusIfPossible(client),
    callAws('DescribeAddresses', () => describeAddresses(client, OURS)),
  ]);
  return { instances: factsOf(instances, status, zoneOf), addresses };
}

/** Two calls side by side. The status checks would be one after them, since they know no tags, and an address that moves would wait for it. */
async function describeCluster(client: EC2Client, cluster: string, zoneOf: Record<string, string>): Promise<CloudRead> {
  const filter = { Name: `tag:${TAG.cluster}`, Values: [cluster] };
  const [instances, addresses] = await Promise.all([
    callAws(`DescribeInstances of ${cluster}`, () => describeInstances(client, filter)),
    callAws(`DescribeAddresses of ${cluster}`, () => describeAddresses(client, filter)),
  ]);
  const isOurs = (fact: { cluster: string }) => fact.cluster === cluster;
  return { instances: factsOf(instances, {}, zoneOf).filter(isOurs), addresses: addresses.filter(isOurs) };
}

/** One more private address on the interface a node is reached at; EC2 chooses it from the subnet. */
async function addPrivateAddress(client: EC2Client, instanceId: string): Promise<void> {
  const { Reservations = [] } = await callAws(`DescribeInstances ${instanceId}`, () =>
    client.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] })),
  );
  const instance = Reservations.flatMap(({ Instances = [] }) => Instances).find(({ InstanceId }) => InstanceId === instanceId);
  const NetworkInterfaceId = instance && firstInterface(instance)?.NetworkInterfaceId;
  if (!NetworkInterfaceId) throw new PortError('notFound', `${instanceId} has no network interface: it is gone, or not running yet`);
  await callAws(`AssignPrivateIpAddresses ${instanceId}`, () =>
    client.send(new AssignPrivateIpAddressesCommand({ NetworkInterfaceId, SecondaryPrivateIpAddressCount: 1 })),
  );
}

/** The compute port over EC2. */
export function makeCompute(client: EC2Client, settings: LaunchSettings): Compute {
  const zoneOf = zonesBySubnet(settings);
  return {
    describeFleet: () => describeFleet(client, zoneOf),
    describeCluster: (cluster) => describeCluster(client, cluster, zoneOf),
    launchNode: async (request) => {
      const instance = await launch(client, settings, request);
      const fact = instance && instanceFact({ ...instance, Tags: tagsOf(request) }, 'initializing', zoneOf);
      if (!fact) throw new PortError('unavailable', `RunInstances answered without an instance for ${request.cluster}/${request.slot}`);
      return fact;
    },
    addPrivateAddress: (instanceId) => addPrivateAddress(client, instanceId),
    terminateNode: async (instanceId) => {
      await callAws(`TerminateInstances ${instanceId}`, () => client.send(new TerminateInstancesCommand({ InstanceIds: [instanceId] })));
    },
    deletePlacementGroups: async (cluster) => {
      if (settings.placementGroups === 'off') return;
      await deletePlacementGroups(client, cluster);
    },
  };
}
