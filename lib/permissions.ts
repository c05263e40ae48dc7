/** What each function may do: only what its jobs need, on things that carry a cluster's tag. Grants, and asks for nothing else. */
import { Arn, ArnFormat, Stack } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { SPEC_PATH_ROOT, TAG } from '../lambdas/core/names';
import { UBUNTU_PARAMETER } from './node-roles';

/** The instance, interface, address or volume already is a cluster's. */
const IS_OURS = { StringLike: { [`aws:ResourceTag/${TAG.cluster}`]: '?*' } };
/** What is made carries a cluster's tag from its first moment. */
const BECOMES_OURS = { StringLike: { [`aws:RequestTag/${TAG.cluster}`]: '?*' } };

function ec2Arn(scope: Construct, resource: string, resourceName = '*'): string {
  return Arn.format({ service: 'ec2', resource, resourceName }, Stack.of(scope));
}

function ssmArn(scope: Construct, resource: string, resourceName: string, account?: string): string {
  return Arn.format(
    { service: 'ssm', resource, resourceName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME, ...(account === undefined ? {} : { account }) },
    Stack.of(scope),
  );
}

/** Reading what a cluster has in EC2, whose describe calls know no narrower resource. */
export function allowDescribe(role: Role): void {
  role.addToPolicy(new PolicyStatement({ sid: 'Describe', actions: ['ec2:DescribeInstances', 'ec2:DescribeAddresses'], resources: ['*'] }));
}

/** Reading EC2's status checks as well, which the sweep does. */
export function allowDescribeStatus(role: Role): void {
  role.addToPolicy(new PolicyStatement({ sid: 'DescribeStatus', actions: ['ec2:DescribeInstanceStatus'], resources: ['*'] }));
}

/** Calls on single items that the stores make. */
type TableCall = 'GetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'Query' | 'BatchGetItem';

/** The given calls on the one table. */
export function allowTable(role: Role, table: Table, calls: readonly TableCall[]): void {
  role.addToPolicy(new PolicyStatement({ sid: 'State', actions: calls.map((call) => `dynamodb:${call}`), resources: [table.tableArn] }));
}

/** Sending to the given queues, and nothing else about them. */
export function allowSend(role: Role, queues: readonly Queue[]): void {
  role.addToPolicy(new PolicyStatement({ sid: 'Send', actions: ['sqs:SendMessage'], resources: queues.map(({ queueArn }) => queueArn) }));
}

/** Reading the spec of a cluster. */
export function allowReadSpecs(role: Role): void {
  role.addToPolicy(
    new PolicyStatement({
      sid: 'ReadSpecs',
      actions: ['ssm:GetParameter'],
      resources: [ssmArn(role, 'parameter', `${SPEC_PATH_ROOT.slice(1)}*`)],
    }),
  );
}

/** Listing the clusters that have a spec. */
export function allowListSpecs(role: Role): void {
  const root = SPEC_PATH_ROOT.slice(1);
  role.addToPolicy(
    new PolicyStatement({
      sid: 'ListSpecs',
      actions: ['ssm:GetParametersByPath'],
      resources: [ssmArn(role, 'parameter', `${root}*`), ssmArn(role, 'parameter', root.slice(0, -1))],
    }),
  );
}

/** Writing specs: create, scale and delete do. */
export function allowWriteSpecs(role: Role): void {
  role.addToPolicy(
    new PolicyStatement({
      sid: 'WriteSpecs',
      actions: ['ssm:PutParameter', 'ssm:DeleteParameter'],
      resources: [ssmArn(role, 'parameter', `${SPEC_PATH_ROOT.slice(1)}*`)],
    }),
  );
}

/** How a command ended; SSM knows no narrower resource for it. */
export function allowReadCommands(role: Role): void {
  role.addToPolicy(new PolicyStatement({ sid: 'ReadCommands', actions: ['ssm:GetCommandInvocation'], resources: ['*'] }));
}

/** Sending the given documents to instances of clusters, and to no other. Documents of AWS, which the lab alone uses, are in no account. */
export function allowSendCommands(role: Role, documentNames: string[]): void {
  role.addToPolicy(
    new PolicyStatement({
      sid: 'SendDocuments',
      actions: ['ssm:SendCommand'],
      resources: documentNames.map((name) => ssmArn(role, 'document', name, name.startsWith('AWS-') ? '' : undefined)),
    }),
  );
  role.addToPolicy(
    new PolicyStatement({
      sid: 'SendToNodes',
      actions: ['ssm:SendCommand'],
      resources: [ec2Arn(role, 'instance')],
      conditions: { StringLike: { [`ssm:resourceTag/${TAG.cluster}`]: '?*' } },
    }),
  );
}

/** Launching tagged nodes from the given templates, with the private addresses they need, and passing the node roles to EC2 alone. */
export function allowLaunch(
  role: Role,
  parts: { roleArns: string[]; templateIds: string[]; subnetIds: string[]; groupIds: string[] },
): void {
  const image = Arn.format({ service: 'ec2', account: '', resource: 'image', resourceName: '*' }, Stack.of(role));
  const ubuntu = ssmArn(role, 'parameter', UBUNTU_PARAMETER.slice(1), '');
  const statements = [
    {
      sid: 'LaunchTagged',
      actions: ['ec2:RunInstances'],
      resources: ['instance', 'volume', 'network-interface'].map((resource) => ec2Arn(role, resource)),
      conditions: BECOMES_OURS,
    },
    {
      sid: 'LaunchFrom',
      actions: ['ec2:RunInstances'],
      resources: [
        ...parts.templateIds.map((id) => ec2Arn(role, 'launch-template', id)),
        ...parts.subnetIds.map((id) => ec2Arn(role, 'subnet', id)),
        ...parts.groupIds.map((id) => ec2Arn(role, 'security-group', id)),
        ec2Arn(role, 'placement-group', 'fiware-ha-*'),
        image,
      ],
    },
    {
      sid: 'TagAtCreation',
      actions: ['ec2:CreateTags'],
      resources: [
        ...['instance', 'volume', 'network-interface', 'elastic-ip'].map((resource) => ec2Arn(role, resource)),
        ec2Arn(role, 'placement-group', 'fiware-ha-*'),
      ],
      conditions: {
        ...BECOMES_OURS,
        StringEquals: { 'ec2:CreateAction': ['RunInstances', 'AllocateAddress', 'CreatePlacementGroup'] },
      },
    },
    {
      sid: 'MakeGroups',
      actions: ['ec2:CreatePlacementGroup'],
      resources: [ec2Arn(role, 'placement-group', 'fiware-ha-*')],
      conditions: BECOMES_OURS,
    },
    {
      sid: 'PassNodeRoles',
      actions: ['iam:PassRole'],
      resources: parts.roleArns,
      conditions: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
    },
    {
      sid: 'AddPrivateAddresses',
      actions: ['ec2:AssignPrivateIpAddresses'],
      resources: [ec2Arn(role, 'network-interface')],
      conditions: IS_OURS,
    },
    { sid: 'NewestUbuntu', actions: ['ssm:GetParameters'], resources: [ubuntu] },
  ];
  for (const statement of statements) role.addToPolicy(new PolicyStatement(statement));
}

/** Ending nodes, groups and addresses of clusters; never one without the tag. */
export function allowRemove(role: Role): void {
  const statements = [
    { sid: 'Terminate', actions: ['ec2:TerminateInstances'], resources: [ec2Arn(role, 'instance')], conditions: IS_OURS },
    // It knows no narrower resource.
    { sid: 'FindGroups', actions: ['ec2:DescribePlacementGroups'], resources: ['*'] },
    {
      sid: 'RemoveGroups',
      actions: ['ec2:DeletePlacementGroup'],
      resources: [ec2Arn(role, 'placement-group', 'fiware-ha-*')],
      conditions: IS_OURS,
    },
    { sid: 'Allocate', actions: ['ec2:AllocateAddress'], resources: [ec2Arn(role, 'elastic-ip')], conditions: BECOMES_OURS },
    { sid: 'Release', actions: ['ec2:ReleaseAddress'], resources: [ec2Arn(role, 'elastic-ip')], conditions: IS_OURS },
    {
      sid: 'Free',
      actions: ['ec2:DisassociateAddress'],
      // EC2 wants this action allowed on the holder's interface as well as on the address.
      resources: ['elastic-ip', 'network-interface'].map((resource) => ec2Arn(role, resource)),
      conditions: IS_OURS,
    },
  ];
  for (const statement of statements) role.addToPolicy(new PolicyStatement(statement));
}

/** Moving addresses of clusters to instances of clusters. */
export function allowMoveAddresses(role: Role): void {
  role.addToPolicy(
    new PolicyStatement({
      sid: 'MoveAddresses',
      actions: ['ec2:AssociateAddress'],
      // EC2 wants the action allowed on the instance's interface as well as on the address and the instance.
      resources: ['elastic-ip', 'instance', 'network-interface'].map((resource) => ec2Arn(role, resource)),
      conditions: IS_OURS,
    }),
  );
}
