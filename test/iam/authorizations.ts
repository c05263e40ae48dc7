/**
 * What AWS asks its policies about each call that the adapters make: action, resource, context keys. One table, by operation.
 * Source: AWS' Service Authorization Reference (EC2, SSM, DynamoDB, SQS, IAM) and the EC2 user guide on RunInstances.
 */
import { TAG } from '../../lambdas/core/names';
import type { Call } from '../aws/fake-aws';
import { ACCOUNT, type Deployment, ec2Arn, REGION } from './deployment';

export interface Authorization {
  action: string;
  /** `*` for actions that know no narrower resource. */
  resource: string;
  context: Record<string, string | string[]>;
}

/** What stands in the account: tags and owner by id; an id that is not there has no tags. */
export interface Standing {
  tags: Record<string, string>;
  owner?: string;
  /** Of an instance: the interface its addresses lead through. */
  interfaceId?: string;
  /** Of an association: its address, and the instance it leads to. */
  associates?: { allocationId: string; instanceId: string };
}
export type Account = Record<string, Standing>;

type Rule = (call: Call, account: Account, deployment: Deployment) => Authorization[];

function tagContext(prefix: string, tags: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [`${prefix}/${key}`, value]));
}

/** Something that stands in the account, with its tags as context. */
function standing(action: string, resource: string, id: string, account: Account, tagKey = 'aws:ResourceTag'): Authorization {
  const { tags = {}, owner = ACCOUNT } = account[id] ?? {};
  return { action, resource: ec2Arn(resource, id, owner), context: tagContext(tagKey, tags) };
}

/** Tags that a call puts on what it makes, by kind of resource: EC2's `TagSpecification.1.Tag.2.Key` fields. */
function requestedTags({ form }: Call): Record<string, Record<string, string>> {
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
function making(call: Call, kind: string, id: string): Authorization[] {
  const tags = requestedTags(call)[kind];
  const resource = ec2Arn(kind, id);
  const made = { action: `ec2:${call.operation}`, resource, context: tagContext('aws:RequestTag', tags ?? {}) };
  if (!tags) return [made];
  const context = { ...tagContext('aws:RequestTag', tags), 'aws:TagKeys': Object.keys(tags), 'ec2:CreateAction': call.operation };
  return [made, { action: 'ec2:CreateTags', resource, context }];
}

/** Launching asks for everything the instance is made of, for its role, and for the parameter that names its image. */
const runInstances: Rule = (call, _account, { launchTemplates }) => {
  const { form } = call;
  const templateId = form['LaunchTemplate.LaunchTemplateId'] ?? '';
  const launched = launchTemplates[templateId];
  if (!launched) throw new Error(`RunInstances from ${templateId}, which is no launch template of the stack`);
  const from = (resource: string, id: string) => ({ action: 'ec2:RunInstances', resource: ec2Arn(resource, id), context: {} });
  const group = form['Placement.GroupName'];
  const parameter = /^resolve:ssm:(.+)$/.exec(form.ImageId ?? '')?.[1];
  return [
    ...making(call, 'instance', 'i-0123456789abcdef0'),
    ...making(call, 'volume', 'vol-0123456789abcdef0'),
    ...making(call, 'network-interface', 'eni-0123456789abcdef0'),
    from('launch-template', templateId),
    from('subnet', form.SubnetId ?? ''),
    ...launched.groupIds.map((id) => from('security-group', id)),
    ...(group ? [from('placement-group', group)] : []),
    { action: 'ec2:RunInstances', resource: `arn:aws:ec2:${REGION}::image/ami-0123456789abcdef0`, context: {} },
    { action: 'iam:PassRole', resource: launched.roleArn, context: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
    ...(parameter ? [{ action: 'ssm:GetParameters', resource: `arn:aws:ssm:${REGION}::parameter${parameter}`, context: {} }] : []),
  ];
};

const everywhere: Rule = ({ operation }) => [{ action: `ec2:${operation}`, resource: '*', context: {} }];

const onParameter: Rule = ({ operation, json: { Name } }) => [
  { action: `ssm:${operation}`, resource: `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter${Name}`, context: {} },
];

const onTable: Rule = ({ operation, json: { TableName, RequestItems } }) => {
  const names = typeof TableName === 'string' ? [TableName] : Object.keys(RequestItems as Record<string, unknown>);
  return names.map((name) => ({
    action: `dynamodb:${operation}`,
    resource: `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${name}`,
    context: {},
  }));
};

/** An address is given to, and freed from, an interface: EC2 asks for that of the instance as well. */
function throughInterface(action: string, instanceId: string, account: Account): Authorization {
  return standing(action, 'network-interface', account[instanceId]?.interfaceId ?? 'eni-0123456789abcdef0', account);
}

/** The call names the association alone. */
const disassociate: Rule = ({ form: { AssociationId = '' } }, account) => {
  const { allocationId = '', instanceId = '' } = account[AssociationId]?.associates ?? {};
  return [
    standing('ec2:DisassociateAddress', 'elastic-ip', allocationId, account),
    throughInterface('ec2:DisassociateAddress', instanceId, account),
  ];
};

export const ASKED: Record<string, Rule> = {
  DescribeInstances: everywhere,
  DescribeInstanceStatus: everywhere,
  DescribeAddresses: everywhere,
  RunInstances: runInstances,
  TerminateInstances: (call, account) => [standing('ec2:TerminateInstances', 'instance', call.form['InstanceId.1'] ?? '', account)],
  CreatePlacementGroup: (call) => making(call, 'placement-group', call.form.GroupName ?? ''),
  DeletePlacementGroup: ({ form }, account) => [standing('ec2:DeletePlacementGroup', 'placement-group', form.GroupName ?? '', account)],
  AllocateAddress: (call) => making(call, 'elastic-ip', 'eipalloc-0123456789abcdef0'),
  AssociateAddress: ({ form: { AllocationId = '', InstanceId = '' } }, account) => [
    standing('ec2:AssociateAddress', 'elastic-ip', AllocationId, account),
    standing('ec2:AssociateAddress', 'instance', InstanceId, account),
    throughInterface('ec2:AssociateAddress', InstanceId, account),
  ],
  DisassociateAddress: disassociate,
  AssignPrivateIpAddresses: ({ form }, account) => [
    standing('ec2:AssignPrivateIpAddresses', 'network-interface', form.NetworkInterfaceId ?? '', account),
  ],
  ReleaseAddress: ({ form }, account) => [standing('ec2:ReleaseAddress', 'elastic-ip', form.AllocationId ?? '', account)],
  GetParameter: onParameter,
  PutParameter: onParameter,
  DeleteParameter: onParameter,
  // Read recursively: asked for the path itself and, to be sure, for what lies below it; the reference does not say.
  GetParametersByPath: ({ json: { Path } }) =>
    ['', '/city/spec'].map((below) => ({
      action: 'ssm:GetParametersByPath',
      resource: `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter${Path}${below}`,
      context: {},
    })),
  SendCommand: ({ json: { DocumentName, InstanceIds } }, account) => {
    const name = String(DocumentName);
    const owner = name.startsWith('AWS-') ? '' : ACCOUNT;
    return [
      { action: 'ssm:SendCommand', resource: `arn:aws:ssm:${REGION}:${owner}:document/${name}`, context: {} },
      ...(InstanceIds as string[]).map((id) => standing('ssm:SendCommand', 'instance', id, account, 'ssm:resourceTag')),
    ];
  },
  GetCommandInvocation: () => [{ action: 'ssm:GetCommandInvocation', resource: '*', context: {} }],
  GetItem: onTable,
  PutItem: onTable,
  UpdateItem: onTable,
  DeleteItem: onTable,
  Query: onTable,
  BatchGetItem: onTable,
  SendMessage: ({ json: { QueueUrl } }) => [
    { action: 'sqs:SendMessage', resource: `arn:aws:sqs:${REGION}:${ACCOUNT}:${String(QueueUrl).split('/').at(-1)}`, context: {} },
  ],
};

/** Tags of a node of a cluster. */
export function nodeTags(cluster: string): Record<string, string> {
  return { [TAG.cluster]: cluster, [TAG.role]: 'lb', [TAG.slot]: 'lb1', [TAG.incarnation]: '1' };
}
