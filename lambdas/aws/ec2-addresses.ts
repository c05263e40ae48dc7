/** Elastic IPs, as the addresses port. Moves what it is told to; whether it may is decided elsewhere. */
import {
  type Address,
  AllocateAddressCommand,
  AssociateAddressCommand,
  DescribeAddressesCommand,
  type DescribeAddressesCommandInput,
  DisassociateAddressCommand,
  type EC2Client,
  ReleaseAddressCommand,
} from '@aws-sdk/client-ec2';
import { type Addresses, PortError } from '../app/ports';
import { TAG } from '../core/names';
import { addressFact } from './ec2-facts';
import { callAws, callAwsUnless } from './port-errors';

/** The addresses port over EC2. */
export function makeAddresses(client: EC2Client): Addresses {
  const find = (input: DescribeAddressesCommandInput): Promise<Address[]> =>
    callAwsUnless(
      'notFound',
      [],
      'DescribeAddresses',
      async () => (await client.send(new DescribeAddressesCommand(input))).Addresses ?? [],
    );
  return {
    // AllocateAddress takes no client token: an answer that was lost leaves a tagged address, which the next call finds.
    allocate: async (cluster, name) => {
      const Filters = [
        { Name: `tag:${TAG.cluster}`, Values: [cluster] },
        { Name: `tag:${TAG.address}`, Values: [name] },
      ];
      const facts = (await find({ Filters })).flatMap((address) => addressFact(address) ?? []);
      // Looked at once more, because an emulator that passes over filters must not hand out another cluster's address.
      const present = facts.find((fact) => fact.cluster === cluster && fact.name === name);
      if (present) return present;
      const Tags = [
        { Key: TAG.cluster, Value: cluster },
        { Key: TAG.address, Value: name },
        { Key: 'Name', Value: `${cluster}-${name}` },
      ];
      const TagSpecifications = [{ ResourceType: 'elastic-ip' as const, Tags }];
      const { AllocationId, PublicIp } = await callAws(`AllocateAddress ${cluster}/${name}`, () =>
        client.send(new AllocateAddressCommand({ Domain: 'vpc', TagSpecifications })),
      );
      if (!AllocationId || !PublicIp) throw new PortError('unavailable', 'AllocateAddress answered without an address');
      return { allocationId: AllocationId, cluster, name, publicIp: PublicIp };
    },
    associate: async (AllocationId, InstanceId, { mayTakeFrom, privateIp: PrivateIpAddress }) => {
      // In a VPC an association takes the address from its holder, and drops another one from the private address, unless this says no.
      const command = new AssociateAddressCommand({
        AllocationId,
        InstanceId,
        AllowReassociation: mayTakeFrom,
        ...(PrivateIpAddress ? { PrivateIpAddress } : {}),
      });
      try {
        await callAws(`AssociateAddress ${AllocationId} with ${InstanceId}`, () => client.send(command));
      } catch (error) {
        if (!(error instanceof PortError) || error.code !== 'conflict') throw error;
        const found = await find({ AllocationIds: [AllocationId] });
        if (!found.some((address) => address.AllocationId === AllocationId && address.InstanceId === InstanceId)) throw error;
      }
    },
    release: async (AllocationId) => {
      const found = await find({ AllocationIds: [AllocationId] });
      const address = found.find((one) => one.AllocationId === AllocationId);
      // One that is gone carries no tag, so our policies would have its release refused rather than answered with "not found".
      if (!address) return;
      const { AssociationId } = address;
      if (AssociationId)
        await callAwsUnless('notFound', undefined, `DisassociateAddress ${AllocationId}`, () =>
          client.send(new DisassociateAddressCommand({ AssociationId })),
        );
      await callAwsUnless('notFound', undefined, `ReleaseAddress ${AllocationId}`, () =>
        client.send(new ReleaseAddressCommand({ AllocationId })),
      );
    },
  };
}
