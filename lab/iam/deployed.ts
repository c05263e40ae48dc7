/** The lab's stack as it is deployed: the synthesized template and the emulator's names for it. Reads; changes nothing. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CloudFormationClient, DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { LAB_PATH } from '../paths';
import { Deployment, type Statement, type TemplateJson } from './deployment';

const STACK = 'FiwareHa';

/** A role of the stack, with what its policies say on AWS. */
export interface StackRole {
  arn: string;
  name: string;
  statements: Statement[];
}

export interface Deployed {
  deployment: Deployment;
  /** By role name. */
  roles: Map<string, StackRole>;
  /** Role names by the access keys that the emulator gives to functions. */
  functionKeys: Map<string, { roleName: string; functionArn: string }>;
}

/** Physical ids by logical id, of what is there by now. */
export type Names = ReadonlyMap<string, string>;

/** Names of what CloudFormation has made so far. */
export async function deployedNames(client: CloudFormationClient): Promise<Names> {
  const { StackResources = [] } = await client.send(new DescribeStackResourcesCommand({ StackName: STACK }));
  return new Map(StackResources.map(({ LogicalResourceId = '', PhysicalResourceId = '' }) => [LogicalResourceId, PhysicalResourceId]));
}

/** The emulator derives a function's key from its ARN and its role's (`execution_credentials`); another version's would be unknown, and refused. */
export function functionKey(functionArn: string, roleArn: string): string {
  return `ASIA${createHash('sha256').update(`${functionArn}:${roleArn}`).digest('hex').slice(0, 16).toUpperCase()}`;
}

/** @throws where a resource that a policy names is not there yet */
export function deployedFrom(template: TemplateJson, names: Names, place: { account: string; region: string }): Deployed {
  const physicalId = (logicalId: string): string => {
    const name = names.get(logicalId);
    if (!name) throw new Error(`${logicalId} is not deployed yet`);
    return name;
  };
  const deployment = new Deployment(template, { ...place, physicalId });
  const roles = new Map<string, StackRole>();
  for (const id of deployment.idsOf('AWS::IAM::Role')) {
    const name = physicalId(id);
    roles.set(name, { arn: deployment.arnOf(id), name, statements: deployment.statementsOf(id) });
  }
  const functionKeys: Deployed['functionKeys'] = new Map();
  for (const id of deployment.idsOf('AWS::Lambda::Function')) {
    const functionArn = `arn:aws:lambda:${place.region}:${place.account}:function:${physicalId(id)}`;
    const roleArn = String(deployment.property(id, 'Role'));
    functionKeys.set(functionKey(functionArn, roleArn), { roleName: roleArn.slice(roleArn.lastIndexOf('/') + 1), functionArn });
  }
  return { deployment, roles, functionKeys };
}

/** The template that `cdk deploy` sent. @throws where none was synthesized yet */
export function synthesizedTemplate(): TemplateJson {
  return JSON.parse(readFileSync(join(LAB_PATH.cdkOut, `${STACK}.template.json`), 'utf8')) as TemplateJson;
}
