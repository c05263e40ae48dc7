/** Elastic IPs, as the addresses port. Moves what it is told to; whether it may is decided elsewhere. */
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  DescribeAddressesCommand,
  DisassociateAddressCommand,
  type EC2Client,
  ReleaseAddressCommand,
} from '@aws-sdk/client-ec2';
import { type Addresses, PortError } from '../app/ports';
import { TAG } from '../core/names';
import { addressFact } from './ec2-facts';
import { callAws, toPortError } from './port-errors';

/** The addresses port over EC2. */
export function makeAddresses(client: EC2Client): Addresses {
  return {
    allocate: async (cluster, name) =>
      callAws(`AllocateAddress ${cluster}/${name}`, async () => {
        const Filters = [
          { Name: `tag:${TAG.cluster}`, Values: [cluster] },
          { Name: `tag:${TAG.address}`, Values: [name] },
        ];
        const { Addresses: present } = await client.send(new DescribeAddressesCommand({ Filters }));
        const [found] = (present ?? []).flatMap((address) => addressFact(address) ?? []);
        if (found) return found;
        const Tags = [
          { Key: TAG.cluster, Value: cluster },
          { Key: TAG.address, Value: name },
          { Key: 'Name', Value: `${cluster}-${name}` },
        ];
        const made = await client.send(
          new AllocateAddressCommand({ Domain: 'vpc', TagSpecifications: [{ ResourceType: 'elastic-ip', Tags }] }),
        );
        if (!made.AllocationId || !made.PublicIp) throw new PortError('unavailable', 'AllocateAddress answered without an address');
        return { allocationId: made.AllocationId, cluster, name, publicIp: made.PublicIp };
      }),
    associate: async (AllocationId, InstanceId, { mayTakeFrom }) => {
      // In a VPC an association takes the address from its holder unless this says no (EC2: AllowReassociation).
      await callAws(`AssociateAddress ${AllocationId} with ${InstanceId}`, () =>
        client.send(new AssociateAddressCommand({ AllocationId, InstanceId, AllowReassociation: mayTakeFrom })),
      );
    },
    release: async (AllocationId) => {
      const what = `ReleaseAddress ${AllocationId}`;
      try {
        await callAws(what, async () => {
          const { Addresses: found } = await client.send(new DescribeAddressesCommand({ AllocationIds: [AllocationId] }));
          for (const { AssociationId } of found ?? [])
            if (AssociationId) await client.send(new DisassociateAddressCommand({ AssociationId }));
          await client.send(new ReleaseAddressCommand({ AllocationId }));
        });
      } catch (error) {
        if (toPortError(error, what).code !== 'notFound') throw error;
      }
    },
  };
}
