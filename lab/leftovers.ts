/** What is still there of a cluster after its deletion, asked of the emulator and of Docker directly. Removes nothing. */
import { DescribeAddressesCommand, DescribeInstancesCommand, DescribePlacementGroupsCommand } from '@aws-sdk/client-ec2';
import { GetParametersByPathCommand } from '@aws-sdk/client-ssm';
import { SPEC_PATH_ROOT, TAG } from '../lambdas/core/names';
import type { Clients } from './clients';
import { instanceContainers } from './docker';

/** A line for each thing left; empty when nothing is. */
export async function whatIsLeft({ ec2, ssm }: Clients, cluster: string): Promise<string[]> {
  const ofCluster = [{ Name: `tag:${TAG.cluster}`, Values: [cluster] }];
  const [instances, addresses, groups, specs, containers] = await Promise.all([
    ec2.send(new DescribeInstancesCommand({ Filters: ofCluster })),
    ec2.send(new DescribeAddressesCommand({ Filters: ofCluster })),
    ec2.send(new DescribePlacementGroupsCommand({})),
    ssm.send(new GetParametersByPathCommand({ Path: `${SPEC_PATH_ROOT}${cluster}`, Recursive: true })),
    instanceContainers(),
  ]);
  const alive = (instances.Reservations ?? [])
    .flatMap((reservation) => reservation.Instances ?? [])
    .filter((instance) => instance.State?.Name !== 'terminated');
  return [
    ...alive.map((instance) => `instance ${instance.InstanceId} (${instance.State?.Name})`),
    ...(addresses.Addresses ?? []).map((address) => `address ${address.PublicIp}`),
    ...(groups.PlacementGroups ?? [])
      .filter((group) => group.GroupName?.startsWith(`fiware-ha-${cluster}-`))
      .map((group) => `placement group ${group.GroupName}`),
    ...(specs.Parameters ?? []).map((parameter) => `parameter ${parameter.Name}`),
    ...containers.filter((container) => container.running).map((container) => `container of ${container.instanceId}`),
  ];
}
