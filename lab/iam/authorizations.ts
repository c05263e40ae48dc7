/**
 * What AWS asks its policies about each call that the adapters make: action, resource, context keys. One table, by operation; a call that
 * asks for more than the adapters do is an error, never passed over.
 * Source: AWS' Service Authorization Reference (EC2, SSM, DynamoDB, SQS, IAM) and the EC2 user guide on RunInstances.
 */
import type { Deployment, Place } from './deployment';
import type { Call } from './wire';

export interface Authorization {
  action: string;
  /** `*` for actions that know no narrower resource. */
  resource: string;
  context: Record<string, string | string[]>;
}

/** Something that stands in the account; an id that is not there has no tags. */
export interface Standing {
  tags: Record<string, string>;
  /** The account that owns it, where that is another. */
  owner?: string;
  /** Of an instance: the interface its addresses lead through. */
  interfaceId?: string;
  /** Of an association: its address, and the instance it leads to. */
  associates?: { allocationId: string; instanceId: string };
}

/** What the policies' questions depend on beside the call. */
export interface World {
  place: Pick<Place, 'account' | 'region'>;
  launchTemplates: Deployment['launchTemplates'];
  /** By id; a placement group by its name. */
  standing: Record<string, Standing>;
}

type Rule = (call: Call, world: World) => Authorization[];

/** An id for what a call makes: nobody knows the real one when policies are asked. */
const TO_BE = '0123456789abcdef0';

/** An ARN of EC2 in the account, or in another. */
export function ec2Arn({ account, region }: World['place'], resource: string, id: string, owner = account): string {
  return `arn:aws:ec2:${region}:${owner}:${resource}/${id}`;
}

function tagContext(prefix: string, tags: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [`${prefix}/${key}`, value]));
}

/** Something that stands in the account, with its tags as context. */
function standing({ place, standing }: World, action: string, resource: string, id: string, tagKey = 'aws:ResourceTag'): Authorization {
  const { tags = {}, owner } = standing[id] ?? {};
  return { action, resource: ec2Arn(place, resource, id, owner), context: tagContext(tagKey, tags) };
}

/** @throws where the field is not there: the call means something by another one, which is not understood here */
function needed({ operation, form }: Call, field: string): string {
  const value = form[field];
  if (!value) throw new Error(`${operation} without ${field}: the adapters name it always`);
  return value;
}

/** All of `Field.1`, `Field.2` and so on; at least one. */
function every(call: Call, field: string): string[] {
  needed(call, `${field}.1`);
  return Object.entries(call.form).flatMap(([key, value]) => (key.startsWith(`${field}.`) ? [value] : []));
}

/** Tags that a call puts on what it makes, by kind of resource: EC2's `TagSpecification.1.Tag.2.Key` fields. */
export function requestedTags({ form }: Call): Record<string, Record<string, string>> {
  const byKind: Record<string, Record<string, string>> = {};
  for (const [field, kind] of Object.entries(form)) {
    const at = /^(TagSpecification\.\d+)\.ResourceType$/.exec(field)?.[1];
    if (!at) continue;
    const tags: Record<string, string> = {};
    for (let i = 1; form[`${at}.Tag.${i}.Key`] !== undefined; i++)
      tags[form[`${at}.Tag.${i}.Key`] ?? ''] = form[`${at}.Tag.${i}.Value`] ?? '';
    byKind[kind] = tags;
  }
  return byKind;
}

/** Making something with tags asks for the act and for the tagging, both with the tags as context. */
function making(call: Call, { place }: World, kind: string, id: string): Authorization[] {
  const tags = requestedTags(call)[kind];
  const resource = ec2Arn(place, kind, id);
  const made = { action: `ec2:${call.operation}`, resource, context: tagContext('aws:RequestTag', tags ?? {}) };
  if (!tags) return [made];
  const context = { ...tagContext('aws:RequestTag', tags), 'aws:TagKeys': Object.keys(tags), 'ec2:CreateAction': call.operation };
  return [made, { action: 'ec2:CreateTags', resource, context }];
}

/** What the adapters say when they launch; another field could name a role, a key or a network that is asked for nowhere below. */
const LAUNCH_FIELDS =
  /^(Action|Version|MinCount|MaxCount|ClientToken|LaunchTemplate\.(LaunchTemplateId|Version)|ImageId|InstanceType|SubnetId|Placement\.GroupName|(BlockDeviceMapping|TagSpecification)\..+)$/;

/** Launching asks for everything the instance is made of, for its role, and for the parameter that names its image. */
const runInstances: Rule = (call, world) => {
  const { form } = call;
  const unknown = Object.keys(form).find((field) => !LAUNCH_FIELDS.test(field));
  if (unknown !== undefined) throw new Error(`RunInstances with ${unknown}: the adapters never name it`);
  const templateId = needed(call, 'LaunchTemplate.LaunchTemplateId');
  const launched = world.launchTemplates[templateId];
  const from = (resource: string, id: string) => ({ action: 'ec2:RunInstances', resource: ec2Arn(world.place, resource, id), context: {} });
  const group = form['Placement.GroupName'];
  const { region } = world.place;
  const parameter = /^resolve:ssm:(.+)$/.exec(form.ImageId ?? '')?.[1];
  return [
    from('launch-template', templateId),
    ...making(call, world, 'instance', `i-${TO_BE}`),
    ...making(call, world, 'volume', `vol-${TO_BE}`),
    ...making(call, world, 'network-interface', `eni-${TO_BE}`),
    from('subnet', needed(call, 'SubnetId')),
    ...(launched?.groupIds ?? []).map((id) => from('security-group', id)),
    ...(group ? [from('placement-group', group)] : []),
    { action: 'ec2:RunInstances', resource: `arn:aws:ec2:${region}::image/ami-${TO_BE}`, context: {} },
    ...(launched ? [{ action: 'iam:PassRole', resource: launched.roleArn, context: { 'iam:PassedToService': 'ec2.amazonaws.com' } }] : []),
    ...(parameter ? [{ action: 'ssm:GetParameters', resource: `arn:aws:ssm:${region}::parameter${parameter}`, context: {} }] : []),
  ];
};

const everywhere: Rule = ({ operation }) => [{ action: `ec2:${operation}`, resource: '*', context: {} }];

const onParameter: Rule = ({ operation, json: { Name } }, { place: { account, region } }) => [
  { action: `ssm:${operation}`, resource: `arn:aws:ssm:${region}:${account}:parameter${Name}`, context: {} },
];

const onTable: Rule = ({ operation, json: { TableName, RequestItems } }, { place: { account, region } }) => {
  const names = typeof TableName === 'string' ? [TableName] : Object.keys(RequestItems as Record<string, unknown>);
  return names.map((name) => ({
    action: `dynamodb:${operation}`,
    resource: `arn:aws:dynamodb:${region}:${account}:table/${name}`,
    context: {},
  }));
};

/** An address is given to, and freed from, an interface: EC2 asks for that of the instance as well. */
function throughInterface(world: World, action: string, instanceId: string): Authorization {
  return standing(world, action, 'network-interface', world.standing[instanceId]?.interfaceId ?? `eni-${TO_BE}`);
}

const associate: Rule = (call, world) => {
  const instanceId = needed(call, 'InstanceId');
  return [
    standing(world, 'ec2:AssociateAddress', 'elastic-ip', needed(call, 'AllocationId')),
    standing(world, 'ec2:AssociateAddress', 'instance', instanceId),
    throughInterface(world, 'ec2:AssociateAddress', instanceId),
  ];
};

/** The call names the association alone. */
const disassociate: Rule = (call, world) => {
  const { allocationId = `eipalloc-${TO_BE}`, instanceId = '' } = world.standing[needed(call, 'AssociationId')]?.associates ?? {};
  return [
    standing(world, 'ec2:DisassociateAddress', 'elastic-ip', allocationId),
    throughInterface(world, 'ec2:DisassociateAddress', instanceId),
  ];
};

const sendCommand: Rule = ({ json: { DocumentName, InstanceIds, Targets } }, world) => {
  if (!Array.isArray(InstanceIds) || Targets !== undefined) throw new Error('SendCommand by targets: the adapters name instances');
  const { account, region } = world.place;
  const name = String(DocumentName);
  const owner = name.startsWith('AWS-') ? '' : account;
  return [
    { action: 'ssm:SendCommand', resource: `arn:aws:ssm:${region}:${owner}:document/${name}`, context: {} },
    ...InstanceIds.map((id) => standing(world, 'ssm:SendCommand', 'instance', String(id), 'ssm:resourceTag')),
  ];
};

/** The SDK names the queue in its JSON; curl, on a balancer, sends a form to the queue's own address. */
const sendMessage: Rule = ({ form, json, path }, { place: { account, region } }) => {
  if (form.QueueUrl !== undefined) throw new Error('SendMessage with a queue in its form: balancers send to its address');
  const name = String(json.QueueUrl ?? path)
    .split('/')
    .at(-1);
  return [{ action: 'sqs:SendMessage', resource: `arn:aws:sqs:${region}:${account}:${name}`, context: {} }];
};

export const ASKED: Readonly<Record<string, Rule>> = {
  DescribeInstances: everywhere,
  DescribeInstanceStatus: everywhere,
  DescribeAddresses: everywhere,
  DescribePlacementGroups: everywhere,
  RunInstances: runInstances,
  TerminateInstances: (call, world) => every(call, 'InstanceId').map((id) => standing(world, 'ec2:TerminateInstances', 'instance', id)),
  CreatePlacementGroup: (call, world) => making(call, world, 'placement-group', needed(call, 'GroupName')),
  DeletePlacementGroup: (call, world) => [standing(world, 'ec2:DeletePlacementGroup', 'placement-group', needed(call, 'GroupName'))],
  AllocateAddress: (call, world) => making(call, world, 'elastic-ip', `eipalloc-${TO_BE}`),
  AssociateAddress: associate,
  DisassociateAddress: disassociate,
  ReleaseAddress: (call, world) => [standing(world, 'ec2:ReleaseAddress', 'elastic-ip', needed(call, 'AllocationId'))],
  AssignPrivateIpAddresses: (call, world) => [
    standing(world, 'ec2:AssignPrivateIpAddresses', 'network-interface', needed(call, 'NetworkInterfaceId')),
  ],
  GetParameter: onParameter,
  PutParameter: onParameter,
  DeleteParameter: onParameter,
  // Read recursively: asked for the path itself and, to be sure, for what lies below it; the reference does not say.
  GetParametersByPath: ({ json: { Path } }, { place: { account, region } }) =>
    ['', '/city/spec'].map((below) => ({
      action: 'ssm:GetParametersByPath',
      resource: `arn:aws:ssm:${region}:${account}:parameter${Path}${below}`,
      context: {},
    })),
  SendCommand: sendCommand,
  GetCommandInvocation: () => [{ action: 'ssm:GetCommandInvocation', resource: '*', context: {} }],
  GetItem: onTable,
  PutItem: onTable,
  UpdateItem: onTable,
  DeleteItem: onTable,
  Query: onTable,
  BatchGetItem: onTable,
  SendMessage: sendMessage,
};
