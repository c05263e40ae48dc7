/** Boots a lab node as EC2 would: metadata with its role's credentials; its image was installed already. Configures nothing. */
import { ROLES, type Role, TAG } from '../lambdas/core/names';
import type { Clients } from './clients';
import { instanceContainers } from './docker';
import { LabError } from './lab-error';
import { describeTagged, writeMetadata } from './node-metadata';

/** What booting needs to know of the deployment: the stack's outputs, with the node roles' ARNs. */
export interface Deployment {
  outputs: Record<string, string>;
}

/** ARN of the IAM role of a node role. @throws LabError when the stack has no such output. */
export function roleArnOf({ outputs }: Deployment, role: Role): string {
  const name = `NodeRoleArn${role.replaceAll('-', '')}`;
  const arn = outputs[name];
  if (!arn) throw new LabError(`stack output ${name}: missing; got ${Object.keys(outputs).join(', ')}`);
  return arn;
}

function roleNamed(text: string | undefined): Role {
  const role = ROLES.find((known) => known === text);
  if (!role) throw new LabError(`tag ${TAG.role}: expected one of ${ROLES.join(', ')}; got ${text ?? 'nothing'}`);
  return role;
}

async function giveMetadata(clients: Clients, deployment: Deployment, containerId: string, instanceId: string): Promise<string> {
  const instance = await describeTagged(clients, instanceId, TAG.role);
  const tagged = (key: string) => instance.Tags?.find(({ Key }) => Key === key)?.Value;
  const role = roleNamed(tagged(TAG.role));
  await writeMetadata(clients, containerId, instance, roleArnOf(deployment, role));
  return tagged(TAG.slot) ?? role;
}

/** Boots one node; answers its slot. */
export async function bootNode(clients: Clients, deployment: Deployment, containerId: string, instanceId: string): Promise<string> {
  return giveMetadata(clients, deployment, containerId, instanceId);
}

/** Gives all running nodes new credentials before the old ones end. */
export async function refreshCredentials(clients: Clients, deployment: Deployment): Promise<void> {
  for (const { id, instanceId, running } of await instanceContainers())
    if (running) await giveMetadata(clients, deployment, id, instanceId);
}
