/** The synthesized template as an account would hold it: every reference made concrete. Deploys nothing, decides nothing. */
import { createHash } from 'node:crypto';
import type { Template } from 'aws-cdk-lib/assertions';
import type { Role } from '../../lambdas/core/names';
import { resourcesOf, theResource } from '../lib/synthesized';

export const ACCOUNT = '111122223333';
export const REGION = 'eu-west-1';
export const WORKERS = ['HealthCheck', 'Provision', 'Failover'] as const;
export type Worker = (typeof WORKERS)[number];

export interface Statement {
  Sid?: string;
  Effect: 'Allow' | 'Deny';
  Action: string[];
  Resource: string[];
  Condition?: Record<string, Record<string, unknown>>;
}

/** What a launch template gives to an instance. */
interface LaunchedWith {
  groupIds: string[];
  roleArn: string;
}

const PSEUDO: Record<string, string> = {
  'AWS::Partition': 'aws',
  'AWS::Region': REGION,
  'AWS::AccountId': ACCOUNT,
  'AWS::URLSuffix': 'amazonaws.com',
};
/** How ids of EC2 begin. */
const ID_PREFIX: Record<string, string> = {
  'AWS::EC2::Subnet': 'subnet',
  'AWS::EC2::SecurityGroup': 'sg',
  'AWS::EC2::LaunchTemplate': 'lt',
};
/** ARNs after account and region, by type. */
const ARN_OF: Record<string, (id: string) => string> = {
  'AWS::SQS::Queue': (id) => `sqs:${REGION}:${ACCOUNT}:${id}`,
  'AWS::DynamoDB::Table': (id) => `dynamodb:${REGION}:${ACCOUNT}:table/${id}`,
  // As long as a name may be, so that the words of a refusal are as long as they get.
  'AWS::IAM::Role': (id) => `iam::${ACCOUNT}:role/${id.padEnd(64, 'x')}`,
  'AWS::IAM::InstanceProfile': (id) => `iam::${ACCOUNT}:instance-profile/${id}`,
  'AWS::Logs::LogGroup': (id) => `logs:${REGION}:${ACCOUNT}:log-group:${id}:*`,
};

const listOf = (value: unknown): unknown[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

/** An ARN of EC2 in the account, or in another. */
export function ec2Arn(resource: string, id: string, account = ACCOUNT): string {
  return `arn:aws:ec2:${REGION}:${account}:${resource}/${id}`;
}

export class Deployment {
  private readonly types: Record<string, string>;

  /** `endpoint`: where queue URLs point to. */
  constructor(
    private readonly template: Template,
    private readonly endpoint: string,
  ) {
    const { Resources } = template.toJSON() as { Resources: Record<string, { Type: string }> };
    this.types = Object.fromEntries(Object.entries(Resources).map(([id, { Type }]) => [id, Type]));
  }

  private physicalId(id: string): string {
    const type = this.types[id] ?? '';
    const prefix = ID_PREFIX[type];
    if (prefix) return `${prefix}-${createHash('sha256').update(id).digest('hex').slice(0, 17)}`;
    return type === 'AWS::SQS::Queue' ? `${this.endpoint}/${ACCOUNT}/${id}` : id;
  }

  private attribute(id: string, name: string): string {
    const arn = ARN_OF[this.types[id] ?? ''];
    if (name === 'Arn' && arn) return `arn:aws:${arn(id)}`;
    if (name === 'GroupId' || name === 'VpcId') return this.physicalId(id);
    throw new Error(`${id}.${name}: this test knows no such attribute of ${this.types[id]}; add it to ARN_OF`);
  }

  /** A value of the template as CloudFormation would fill it in. @throws on a function this test does not know */
  concrete(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.concrete(item));
    if (typeof value !== 'object' || value === null) return value;
    const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join, 'Fn::Select': select, 'Fn::GetAZs': zones } = value as Record<string, unknown>;
    if (typeof Ref === 'string') return PSEUDO[Ref] ?? this.physicalId(Ref);
    if (Array.isArray(attribute)) return this.attribute(String(attribute[0]), String(attribute[1]));
    if (Array.isArray(join)) return (this.concrete(join[1]) as string[]).join(String(join[0]));
    if (Array.isArray(select)) return (this.concrete(select[1]) as unknown[])[Number(select[0])];
    if (zones !== undefined) return ['a', 'b', 'c'].map((letter) => REGION + letter);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.concrete(item)]));
  }

  /** What the policies of a role say; `idPart` names the role. */
  statementsOf(idPart: string): Statement[] {
    const policies = resourcesOf(this.template, 'AWS::IAM::Policy').filter(({ id }) => id.includes(`${idPart}Role`));
    return policies.flatMap(({ properties }) => {
      const { Statement } = this.concrete(properties.PolicyDocument) as { Statement: Record<string, unknown>[] };
      return Statement.map(
        ({ Action, Resource, ...rest }) => ({ ...rest, Action: listOf(Action), Resource: listOf(Resource) }) as unknown as Statement,
      );
    });
  }

  roleArn(idPart: string): string {
    return this.attribute(theResource(this.template, 'AWS::IAM::Role', `${idPart}Role`).id, 'Arn');
  }

  environmentOf(worker: Worker): Record<string, string> {
    const { properties } = theResource(this.template, 'AWS::Lambda::Function', `${worker}Function`);
    return (this.concrete(properties.Environment) as { Variables: Record<string, string> }).Variables;
  }

  /** By the template's id, what it launches with. */
  get launchTemplates(): Record<string, LaunchedWith> {
    return Object.fromEntries(
      (['lb', 'orion', 'mongo'] satisfies Role[]).map((role) => {
        const { id, properties } = theResource(this.template, 'AWS::EC2::LaunchTemplate', `${role}Template`);
        const { SecurityGroupIds } = this.concrete(properties.LaunchTemplateData) as { SecurityGroupIds: string[] };
        return [this.physicalId(id), { groupIds: SecurityGroupIds, roleArn: this.roleArn(`Nodes${role}`) }];
      }),
    );
  }
}
