/** EC2 instances and placement groups, as the compute port. Sees and touches only what carries the cluster's tags. */
import { createHash } from 'node:crypto';
import {
  type BlockDeviceMapping,
  CreatePlacementGroupCommand,
  DeletePlacementGroupCommand,
  DescribeAddressesCommand,
  type EC2Client,
  type Filter,
  type Instance,
  paginateDescribeInstanceStatus,
  paginateDescribeInstances,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { type Compute, type LaunchRequest, PortError } from '../app/ports';
import type { AddressFact, CloudFacts, InstanceFact } from '../core/facts';
import { placementGroupName, ROLES, type Role, TAG } from '../core/names';
import { addressFact, instanceFact } from './ec2-facts';
import { callAws, toPortError } from './port-errors';

/** How nodes are launched in this deployment. Subnets by zone; balancers stand in public ones. */
export interface LaunchSettings {
  subnets: { zone: string; public: string; private: string }[];
  launchTemplates: Record<Role, string>;
  imageIds: Record<Role, string>;
  placementGroups: 'on' | 'off';
}

const OURS: Filter = { Name: 'tag-key', Values: [TAG.cluster] };

function ofCluster(cluster: string): Filter {
  return { Name: `tag:${TAG.cluster}`, Values: [cluster] };
}

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

async function describeInstances(client: EC2Client, filters: Filter[]): Promise<Instance[]> {
  const instances: Instance[] = [];
  for await (const page of paginateDescribeInstances({ client, pageSize: 1000 }, { Filters: filters }))
    for (const reservation of page.Reservations ?? []) instances.push(...(reservation.Instances ?? []));
  return instances;
}

/** EC2's status checks by instance; a failed call leaves them unknown, because they only add detail. */
async function describeStatus(client: EC2Client): Promise<Record<string, InstanceFact['status']>> {
  const byId: Record<string, InstanceFact['status']> = {};
  const isStatus = (text: string | undefined): text is InstanceFact['status'] =>
    text === 'ok' || text === 'impaired' || text === 'initializing';
  try {
    for await (const page of paginateDescribeInstanceStatus({ client, pageSize: 1000 }, { IncludeAllInstances: false }))
      for (const { InstanceId, InstanceStatus } of page.InstanceStatuses ?? [])
        if (InstanceId && isStatus(InstanceStatus?.Status)) byId[InstanceId] = InstanceStatus.Status;
  } catch (error) {
    if (toPortError(error, 'DescribeInstanceStatus').code === 'denied') throw error;
  }
  return byId;
}

async function ensurePlacementGroup(client: EC2Client, cluster: string, role: Role): Promise<string> {
  const GroupName = placementGroupName(cluster, role);
  try {
    const Tags = [{ Key: TAG.cluster, Value: cluster }];
    await client.send(
      new CreatePlacementGroupCommand({ GroupName, Strategy: 'spread', TagSpecifications: [{ ResourceType: 'placement-group', Tags }] }),
    );
  } catch (error) {
    if ((error as { name?: string }).name !== 'InvalidPlacementGroup.Duplicate')
      throw toPortError(error, `CreatePlacementGroup ${GroupName}`);
  }
  return GroupName;
}

/** A larger root volume than the template's, encrypted like it. Ubuntu's root device is /dev/sda1. */
function rootVolume(VolumeSize: number): BlockDeviceMapping {
  return { DeviceName: '/dev/sda1', Ebs: { VolumeSize, VolumeType: 'gp3', Encrypted: true, DeleteOnTermination: true } };
}

async function run(client: EC2Client, settings: LaunchSettings, request: LaunchRequest): Promise<Instance | undefined> {
  const { cluster, role, slot, incarnation, zone, instanceType, volumeGib, token } = request;
  const subnet = settings.subnets.find((s) => s.zone === zone)?.[role === 'lb' ? 'public' : 'private'];
  if (!subnet)
    throw new PortError('invalid', `zone ${JSON.stringify(zone)} has no subnet; known: ${settings.subnets.map((s) => s.zone).join(', ')}`);
  const GroupName = settings.placementGroups === 'on' ? await ensurePlacementGroup(client, cluster, role) : undefined;
  const tags = {
    [TAG.cluster]: cluster,
    [TAG.role]: role,
    [TAG.slot]: slot,
    [TAG.incarnation]: String(incarnation),
    Name: `${cluster}-${slot}`,
  };
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  // Image, type and subnet also stand in the launch template; emulators don't merge it, and EC2 takes both.
  const { Instances } = await callAws(`RunInstances ${cluster}/${slot} in ${zone}`, () =>
    client.send(
      new RunInstancesCommand({
        MinCount: 1,
        MaxCount: 1,
        ClientToken: clientToken(token),
        LaunchTemplate: { LaunchTemplateId: settings.launchTemplates[role], Version: '$Latest' },
        ImageId: settings.imageIds[role],
        InstanceType: instanceType as never,
        SubnetId: subnet,
        ...(volumeGib ? { BlockDeviceMappings: [rootVolume(volumeGib)] } : {}),
        ...(GroupName ? { Placement: { GroupName } } : {}),
        TagSpecifications: [
          { ResourceType: 'instance', Tags },
          { ResourceType: 'volume', Tags },
        ],
      }),
    ),
  );
  return Instances?.[0];
}

/** The compute port over EC2. */
export function makeCompute(client: EC2Client, settings: LaunchSettings): Compute {
  const zoneOf = zonesBySubnet(settings);
  const describe = async (filter: Filter): Promise<Omit<CloudFacts, 'atMs'>> =>
    callAws('DescribeInstances', async () => {
      const [instances, status, addresses] = await Promise.all([
        describeInstances(client, [filter]),
        describeStatus(client),
        client.send(new DescribeAddressesCommand({ Filters: [filter] })),
      ]);
      const facts = instances.flatMap((instance) => instanceFact(instance, status[instance.InstanceId ?? ''] ?? 'unknown', zoneOf) ?? []);
      const held: AddressFact[] = (addresses.Addresses ?? []).flatMap((address) => addressFact(address) ?? []);
      return { instances: facts, addresses: held };
    });
  return {
    describeFleet: () => describe(OURS),
    describeCluster: (cluster) => describe(ofCluster(cluster)),
    launchNode: async (request) => {
      const instance = await run(client, settings, request);
      const fact = instance && instanceFact(instance, 'initializing', zoneOf);
      if (fact) return fact;
      if (!instance?.InstanceId)
        throw new PortError('unavailable', `RunInstances answered without an instance for ${request.cluster}/${request.slot}`);
      const { cluster, role, slot, incarnation, zone } = request;
      return {
        instanceId: instance.InstanceId,
        cluster,
        role,
        slot,
        incarnation,
        zone,
        state: 'pending',
        launchedAtMs: Date.now(),
        status: 'initializing',
      };
    },
    terminateNode: async (instanceId) => {
      await callAws(`TerminateInstances ${instanceId}`, () => client.send(new TerminateInstancesCommand({ InstanceIds: [instanceId] })));
    },
    deletePlacementGroups: async (cluster) => {
      if (settings.placementGroups === 'off') return;
      for (const role of ROLES) {
        const GroupName = placementGroupName(cluster, role);
        try {
          await client.send(new DeletePlacementGroupCommand({ GroupName }));
        } catch (error) {
          if ((error as { name?: string }).name !== 'InvalidPlacementGroup.Unknown')
            throw toPortError(error, `DeletePlacementGroup ${GroupName}`);
        }
      }
    },
  };
}
