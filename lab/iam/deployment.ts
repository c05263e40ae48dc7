/** A template's roles and launch templates as an account holds them: every reference made concrete. Deploys nothing, decides nothing. */
import { POLICY_ON_AWS } from '../../lib/emulator-policies';

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

interface TemplateResource {
  Type: string;
  Properties?: Record<string, unknown>;
  Metadata?: Record<string, unknown>;
}

/** A template as CloudFormation reads it. */
export interface TemplateJson {
  Resources: Record<string, TemplateResource>;
}

/** Where a template is deployed, and what its resources are called there. */
export interface Place {
  account: string;
  region: string;
  /** What `Ref` gives. @throws where the resource is not there */
  physicalId(logicalId: string, type: string): string;
}

/** ARNs by type, of a name: the last part of the physical id. */
const ARN_OF: Record<string, (place: Place, name: string) => string> = {
  'AWS::SQS::Queue': ({ account, region }, name) => `sqs:${region}:${account}:${name}`,
  'AWS::DynamoDB::Table': ({ account, region }, name) => `dynamodb:${region}:${account}:table/${name}`,
  'AWS::IAM::Role': ({ account }, name) => `iam::${account}:role/${name}`,
  'AWS::IAM::InstanceProfile': ({ account }, name) => `iam::${account}:instance-profile/${name}`,
  'AWS::Logs::LogGroup': ({ account, region }, name) => `logs:${region}:${account}:log-group:${name}:*`,
};

const listOf = (value: unknown): unknown[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

export class Deployment {
  private readonly resources: Record<string, TemplateResource>;

  constructor(
    { Resources }: TemplateJson,
    readonly place: Place,
  ) {
    this.resources = Resources;
  }

  /** Logical ids of a type. */
  idsOf(type: string): string[] {
    return Object.entries(this.resources).flatMap(([id, { Type }]) => (Type === type ? [id] : []));
  }

  /** One id of a type, by a part of it. @throws when there are none or several */
  theId(type: string, idPart: string): string {
    const [only, ...others] = this.idsOf(type).filter((id) => id.includes(idPart));
    if (only === undefined || others.length > 0) throw new Error(`${type} with ${idPart}: expected one, found ${[only, ...others].join()}`);
    return only;
  }

  private typeOf(id: string): string {
    return this.resources[id]?.Type ?? '';
  }

  physicalId(id: string): string {
    return this.place.physicalId(id, this.typeOf(id));
  }

  arnOf(id: string): string {
    const arn = ARN_OF[this.typeOf(id)];
    if (!arn) throw new Error(`${id}.Arn: no ARN is known for ${this.typeOf(id)}; add it to ARN_OF`);
    const physical = this.physicalId(id);
    const name = this.typeOf(id) === 'AWS::SQS::Queue' ? physical.slice(physical.lastIndexOf('/') + 1) : physical;
    return `arn:aws:${arn(this.place, name)}`;
  }

  private attribute(id: string, name: string): string {
    if (name === 'Arn') return this.arnOf(id);
    if (name === 'GroupId' || name === 'VpcId') return this.physicalId(id);
    throw new Error(`${id}.${name}: no such attribute of ${this.typeOf(id)} is known here`);
  }

  private pseudo(name: string): string | undefined {
    const { account, region } = this.place;
    const known = { 'AWS::Partition': 'aws', 'AWS::Region': region, 'AWS::AccountId': account, 'AWS::URLSuffix': 'amazonaws.com' };
    return known[name as keyof typeof known];
  }

  /** A value of the template as CloudFormation would fill it in. @throws on an attribute not known here */
  concrete(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.concrete(item));
    if (typeof value !== 'object' || value === null) return value;
    const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join, 'Fn::Select': select, 'Fn::GetAZs': zones } = value as Record<string, unknown>;
    if (typeof Ref === 'string') return this.pseudo(Ref) ?? this.physicalId(Ref);
    if (Array.isArray(attribute)) return this.attribute(String(attribute[0]), String(attribute[1]));
    if (Array.isArray(join)) return (this.concrete(join[1]) as string[]).join(String(join[0]));
    if (Array.isArray(select)) return (this.concrete(select[1]) as unknown[])[Number(select[0])];
    if (zones !== undefined) return ['a', 'b', 'c'].map((letter) => this.place.region + letter);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.concrete(item)]));
  }

  /** A property of a resource, made concrete. */
  property(id: string, name: string): unknown {
    return this.concrete(this.resources[id]?.Properties?.[name]);
  }

  /** What the policies of a role say on AWS, also where an emulator was given less of them. Managed policies of AWS are not among them. */
  statementsOf(roleId: string): Statement[] {
    const isOfRole = (id: string) => JSON.stringify(this.resources[id]?.Properties?.Roles ?? []).includes(`"${roleId}"`);
    return this.idsOf('AWS::IAM::Policy')
      .filter(isOfRole)
      .flatMap((id) => {
        const { Metadata = {}, Properties = {} } = this.resources[id] ?? {};
        const stated = Metadata[POLICY_ON_AWS] ?? (Properties.PolicyDocument as { Statement: unknown }).Statement;
        return (this.concrete(stated) as Record<string, unknown>[]).map(
          ({ Action, Resource, ...rest }) => ({ ...rest, Action: listOf(Action), Resource: listOf(Resource) }) as unknown as Statement,
        );
      });
  }

  /** What launch templates give, by their physical ids. */
  get launchTemplates(): Record<string, LaunchedWith> {
    return Object.fromEntries(
      this.idsOf('AWS::EC2::LaunchTemplate').map((id) => {
        const { SecurityGroupIds, IamInstanceProfile } = (this.resources[id]?.Properties?.LaunchTemplateData ?? {}) as {
          SecurityGroupIds: unknown;
          IamInstanceProfile: { Arn: { 'Fn::GetAtt': [string, string] } };
        };
        const [profileId] = IamInstanceProfile.Arn['Fn::GetAtt'];
        const [role] = (this.resources[profileId]?.Properties?.Roles ?? []) as { Ref: string }[];
        return [this.physicalId(id), { groupIds: this.concrete(SecurityGroupIds) as string[], roleArn: this.arnOf(role?.Ref ?? '') }];
      }),
    );
  }
}
