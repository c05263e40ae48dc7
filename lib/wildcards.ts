/** Why each wildcard in a function's policy is there: written reasons for cdk-nag (AwsSolutions-IAM5). Grants nothing. */
import { Validations } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';

const EC2 = 'arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:';
const TAGGED =
  'Ids are made at run time; a condition on the tag fiware-ha:cluster holds it to instances, volumes, interfaces and addresses of clusters.';

const REASONS = {
  '*': 'Describe calls and ssm:GetCommandInvocation know no narrower resource and change nothing; interfaces of functions in the VPC are made by Lambda itself, and the same calls are denied to the code; nodes are denied all parameters.',
  [`${EC2}instance/*`]: TAGGED,
  [`${EC2}volume/*`]: TAGGED,
  [`${EC2}elastic-ip/*`]: TAGGED,
  [`${EC2}network-interface/*`]: TAGGED,
  [`${EC2}placement-group/fiware-ha-*`]: 'One group a role and cluster, made at run time, named fiware-ha-<cluster>-<role>.',
  'arn:<AWS::Partition>:ec2:<AWS::Region>::image/*':
    'The image is what the public Ubuntu parameter says at launch; the launch template names the parameter.',
  'arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter/fiware-ha/clusters/*':
    'One parameter a cluster; clusters are made at run time.',
} as const;

export type Wildcard = keyof typeof REASONS;

export const WILDCARD = {
  all: '*',
  instances: `${EC2}instance/*`,
  volumes: `${EC2}volume/*`,
  addresses: `${EC2}elastic-ip/*`,
  interfaces: `${EC2}network-interface/*`,
  ownGroups: `${EC2}placement-group/fiware-ha-*`,
  images: 'arn:<AWS::Partition>:ec2:<AWS::Region>::image/*',
  specs: 'arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter/fiware-ha/clusters/*',
} as const;

/** Acknowledges the wildcards a role needs, each with its reason. */
export function explainWildcards(role: Role, wildcards: readonly Wildcard[]): void {
  for (const wildcard of wildcards)
    Validations.of(role).acknowledge({ id: `AwsSolutions-IAM5[Resource::${wildcard}]`, reason: REASONS[wildcard] });
}
