/** What the guard asks the emulator as root: the deployed stack, and tags of instances and addresses. Changes nothing. */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import {
  type Address,
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  type EC2Client,
  EC2ServiceException,
  type Tag,
} from '@aws-sdk/client-ec2';
import { makeClients } from '../clients';
import { ACCOUNT, REGION, ROOT_CREDENTIALS } from '../emulator';
import type { World } from './authorizations';
import { type Deployed, deployedFrom, deployedNames, synthesizedTemplate } from './deployed';
import type { Looks } from './guard';

const tagsOf = (tags: Tag[] = []) => Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));

/** Tags of the instances that are there, by id. */
async function instances(ec2: EC2Client, InstanceIds: string[]): Promise<World['standing']> {
  try {
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ InstanceIds }));
    const found = Reservations.flatMap(({ Instances = [] }) => Instances);
    return Object.fromEntries(found.map(({ InstanceId = '', Tags }) => [InstanceId, { tags: tagsOf(Tags) }]));
  } catch (error) {
    if (error instanceof EC2ServiceException && error.name === 'InvalidInstanceID.NotFound') return {};
    throw error;
  }
}

function standingOf({ AllocationId = '', AssociationId, InstanceId = '', Tags }: Address): [string, World['standing'][string]][] {
  const address: [string, World['standing'][string]] = [AllocationId, { tags: tagsOf(Tags) }];
  if (!AssociationId) return [address];
  return [address, [AssociationId, { tags: {}, associates: { allocationId: AllocationId, instanceId: InstanceId } }]];
}

async function standing(ec2: EC2Client, ids: readonly string[]): Promise<World['standing']> {
  const asksAddress = ids.some((id) => /^eip(alloc|assoc)-/.test(id));
  const addresses = asksAddress ? ((await ec2.send(new DescribeAddressesCommand({}))).Addresses ?? []) : [];
  const holders = addresses.flatMap(({ AssociationId, InstanceId }) =>
    InstanceId && ids.includes(AssociationId ?? '') ? [InstanceId] : [],
  );
  const instanceIds = [...new Set([...ids.filter((id) => id.startsWith('i-')), ...holders])];
  const ofInstances = instanceIds.length > 0 ? await instances(ec2, instanceIds) : {};
  return { ...ofInstances, ...Object.fromEntries(addresses.flatMap(standingOf)) };
}

/** Looks at the emulator at `endpoint`; the stack's names are kept once all of them are there. */
export function emulatorLooks(endpoint: string): Looks {
  const { ec2 } = makeClients(endpoint);
  const stack = new CloudFormationClient({ endpoint, region: REGION, credentials: ROOT_CREDENTIALS, maxAttempts: 3 });
  let known: Deployed | undefined;
  return {
    deployed: async () => {
      known ??= deployedFrom(synthesizedTemplate(), await deployedNames(stack), { account: ACCOUNT, region: REGION });
      return known;
    },
    standing: (ids) => standing(ec2, ids),
  };
}
