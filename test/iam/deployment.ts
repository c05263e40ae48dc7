/** The synthesized stack in an account that is made up: every reference of its template made concrete. Deploys nothing. */
import { createHash } from 'node:crypto';
import { Template } from 'aws-cdk-lib/assertions';
import * as authorizations from '../../lab/iam/authorizations';
import { Deployment, type Statement, type TemplateJson } from '../../lab/iam/deployment';
import { aStack } from '../lib/synthesized';

export const ACCOUNT = '111122223333';
export const REGION = 'eu-west-1';
export const WORKERS = ['HealthCheck', 'Provision', 'Failover'] as const;
export type Worker = (typeof WORKERS)[number];

/** An ARN of EC2 in the account, or in another. */
export function ec2Arn(resource: string, id: string, owner?: string): string {
  return authorizations.ec2Arn({ account: ACCOUNT, region: REGION }, resource, id, owner);
}

/** How ids of EC2 begin. */
const ID_PREFIX: Record<string, string> = {
  'AWS::EC2::VPC': 'vpc',
  'AWS::EC2::Subnet': 'subnet',
  'AWS::EC2::SecurityGroup': 'sg',
  'AWS::EC2::LaunchTemplate': 'lt',
};
/** As long as a name may be, so that the words of a refusal are as long as they get. */
const ROLE_NAME_CHARS = 64;

/** `endpoint`: where queue URLs point to. */
function madeUpId(endpoint: string, logicalId: string, type: string): string {
  const prefix = ID_PREFIX[type];
  if (prefix) return `${prefix}-${createHash('sha256').update(logicalId).digest('hex').slice(0, 17)}`;
  if (type === 'AWS::IAM::Role') return logicalId.padEnd(ROLE_NAME_CHARS, 'x');
  return type === 'AWS::SQS::Queue' ? `${endpoint}/${ACCOUNT}/${logicalId}` : logicalId;
}

/** The stack for AWS, by the names that tests use. */
export class Synthesized {
  private readonly deployment: Deployment;

  constructor(endpoint: string) {
    const template = Template.fromStack(aStack()).toJSON() as TemplateJson;
    const physicalId = (logicalId: string, type: string) => madeUpId(endpoint, logicalId, type);
    this.deployment = new Deployment(template, { account: ACCOUNT, region: REGION, physicalId });
  }

  private roleId(part: string): string {
    return this.deployment.theId('AWS::IAM::Role', `${part}Role`);
  }

  /** What the policies of a worker's or a node's role say. */
  statementsOf(part: string): Statement[] {
    return this.deployment.statementsOf(this.roleId(part));
  }

  roleArn(part: string): string {
    return this.deployment.arnOf(this.roleId(part));
  }

  environmentOf(worker: Worker): Record<string, string> {
    const id = this.deployment.theId('AWS::Lambda::Function', `${worker}Function`);
    return (this.deployment.property(id, 'Environment') as { Variables: Record<string, string> }).Variables;
  }

  /** The world as a policy's questions see it. */
  worldWith(standing: authorizations.World['standing']): authorizations.World {
    return { place: this.deployment.place, launchTemplates: this.deployment.launchTemplates, standing };
  }
}
