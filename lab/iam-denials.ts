/** Shows that IAM is enforced: calls that a node's own role must not be able to make. Each is made for real and must be refused. */
import { DescribeInstancesCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { GetParametersByPathCommand, SendCommandCommand } from '@aws-sdk/client-ssm';
import { SPEC_PATH_ROOT } from '../lambdas/core/names';
import { type Deployment, roleArnOf } from './boot';
import { type Clients, makeClients } from './clients';
import { LabError } from './lab-error';
import { assumeNodeRole } from './node-metadata';

interface Attempt {
  what: string;
  make: (clients: Clients, instanceId: string) => Promise<unknown>;
}

const ATTEMPTS: readonly Attempt[] = [
  { what: 'ec2:DescribeInstances', make: ({ ec2 }) => ec2.send(new DescribeInstancesCommand({})) },
  { what: 'ec2:TerminateInstances', make: ({ ec2 }, id) => ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] })) },
  {
    what: 'ssm:SendCommand',
    make: ({ ssm }, id) =>
      ssm.send(new SendCommandCommand({ DocumentName: 'AWS-RunShellScript', InstanceIds: [id], Parameters: { commands: ['true'] } })),
  },
  { what: 'ssm:GetParametersByPath', make: ({ ssm }) => ssm.send(new GetParametersByPathCommand({ Path: SPEC_PATH_ROOT })) },
];

const REFUSALS = new Set(['UnauthorizedOperation', 'AccessDeniedException', 'AccessDenied']);

/**
 * Tries each call with a broker's own credentials; answers one line for each refusal.
 * @throws LabError when one is let through, or fails for another reason.
 */
export async function deniedCalls({ endpoint, outputs }: Deployment & { endpoint: string }, instanceId: string): Promise<string[]> {
  const roleArn = roleArnOf({ outputs }, 'orion');
  const { credentials } = await assumeNodeRole(makeClients(endpoint), roleArn, instanceId);
  const asNode = makeClients(endpoint, credentials);
  const refused: string[] = [];
  for (const { what, make } of ATTEMPTS) {
    const name = await make(asNode, instanceId).then(
      () => 'nothing: the call was let through',
      (error: Error) => error.name,
    );
    if (!REFUSALS.has(name)) throw new LabError(`IAM: expected ${what} by a broker (${roleArn}) to be refused; got ${name}`);
    refused.push(`${what} by a broker's role: ${name}`);
  }
  return refused;
}
