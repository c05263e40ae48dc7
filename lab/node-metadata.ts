/** Gives a node its instance metadata: who it is, and credentials of its own role. Credentials travel over standard input only. */
import { DescribeInstancesCommand, DescribeSubnetsCommand, type Instance } from '@aws-sdk/client-ec2';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import type { Clients, Credentials } from './clients';
import { REGION } from './emulator';
import { LabError } from './lab-error';
import { run, waitFor } from './run-command';

const TAGS_VISIBLE_MS = 15_000;
const SESSION_S = 3600;

/** The instance once its tags are there: the emulator writes them after it has started the container. */
export function describeTagged({ ec2 }: Clients, instanceId: string, tag: string): Promise<Instance> {
  return waitFor(`tags of ${instanceId}`, TAGS_VISIBLE_MS, 200, async () => {
    const found = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
    const instance = found.Reservations?.[0]?.Instances?.[0];
    return instance?.Tags?.some(({ Key }) => Key === tag) ? instance : null;
  });
}

export interface RoleSession {
  credentials: Credentials;
  expiresAt: Date;
}

/** A session of a node role, as EC2 hands it to an instance. */
export async function assumeNodeRole({ sts }: Clients, roleArn: string, sessionName: string): Promise<RoleSession> {
  const command = new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: sessionName, DurationSeconds: SESSION_S });
  const { Credentials: given } = await sts.send(command);
  if (!given?.AccessKeyId || !given.SecretAccessKey) throw new LabError(`${roleArn}: no credentials were given`);
  const credentials = { accessKeyId: given.AccessKeyId, secretAccessKey: given.SecretAccessKey, sessionToken: given.SessionToken };
  return { credentials, expiresAt: given.Expiration ?? new Date(Date.now() + SESSION_S * 1000) };
}

async function zoneOf({ ec2 }: Clients, subnetId: string | undefined): Promise<string> {
  if (!subnetId) return `${REGION}a`;
  const found = await ec2.send(new DescribeSubnetsCommand({ SubnetIds: [subnetId] }));
  return found.Subnets?.[0]?.AvailabilityZone ?? `${REGION}a`;
}

const WRITE = 'umask 077 && mkdir -p /run/fiware-ha-lab && cd /run/fiware-ha-lab && cat > new.json && mv new.json metadata.json';

/** Writes the metadata a node's service serves; again before the credentials end. */
export async function writeMetadata(clients: Clients, containerId: string, instance: Instance, roleArn: string): Promise<void> {
  const instanceId = instance.InstanceId ?? '';
  const { credentials, expiresAt } = await assumeNodeRole(clients, roleArn, instanceId);
  const metadata = {
    instanceId,
    privateIp: instance.PrivateIpAddress ?? '',
    region: REGION,
    zone: await zoneOf(clients, instance.SubnetId),
    roleName: roleArn.slice(roleArn.lastIndexOf('/') + 1),
    tags: Object.fromEntries((instance.Tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? ''])),
    credentials: {
      Code: 'Success',
      Type: 'AWS-HMAC',
      LastUpdated: new Date().toISOString(),
      AccessKeyId: credentials.accessKeyId,
      SecretAccessKey: credentials.secretAccessKey,
      Token: credentials.sessionToken ?? '',
      Expiration: expiresAt.toISOString(),
    },
  };
  await run('docker', ['exec', '-i', containerId, 'sh', '-c', WRITE], { input: JSON.stringify(metadata) });
}
