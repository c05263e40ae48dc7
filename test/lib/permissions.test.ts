import { describe, expect, it } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { ROLES, type Role } from '../../lambdas/core/names';
import { aStack, inIds, resourcesOf, type Statement, statementsOf, theResource } from './synthesized';

const template = Template.fromStack(aStack());
const WORKERS = ['HealthCheckRole', 'ProvisionRole', 'FailoverRole'];
const READS = /:(Describe|Get|List|Query|BatchGet)/;
const allowedTo = (worker: string) => statementsOf(template, worker).filter(({ effect }) => effect === 'Allow');
const withAction = (worker: string, action: string) => allowedTo(worker).filter(({ actions }) => actions.includes(action));

/** Things an instance is made from; that it is a cluster's is asked of the instance in the same call. */
const LAUNCHED_FROM = /:(launch-template|subnet|security-group)\/<|:image\/\*$|:placement-group\/fiware-ha-\*$/;

/** How a statement keeps a change to what is a cluster's; undefined where it does not. */
function heldBy({ actions, resources, conditions }: Statement): string | undefined {
  const { StringLike = {}, StringEquals = {} } = conditions;
  if (actions.every((action) => action === 'ec2:CreateTags') && !StringEquals['ec2:CreateAction']) return undefined;
  if (StringLike['aws:RequestTag/fiware-ha:cluster'] === '?*') return 'made with the tag';
  if (StringLike['aws:ResourceTag/fiware-ha:cluster'] === '?*') return 'carries the tag';
  if (StringLike['ssm:resourceTag/fiware-ha:cluster'] === '?*') return 'carries the tag';
  if (actions.every((action) => action === 'ec2:RunInstances') && resources.every((resource) => LAUNCHED_FROM.test(resource)))
    return 'what nodes are made from';
  return undefined;
}

describe.each(WORKERS)('what %s may change', (worker) => {
  const changes = allowedTo(worker).filter(({ actions }) => !actions.every((action) => READS.test(action)));

  it('has no action with a wildcard', () => {
    expect(allowedTo(worker).flatMap(({ actions }) => actions.filter((action) => action.includes('*')))).toEqual([]);
  });

  it('is never every resource, but for the interfaces that Lambda itself makes in the VPC', () => {
    expect(changes.filter(({ resources }) => resources.includes('*')).map(({ sid }) => sid)).toEqual(
      worker === 'ProvisionRole' ? [] : ['NetworkInterfaces'],
    );
  });

  it('of EC2 is held to the tag of clusters', () => {
    const ofEc2 = changes.filter(({ actions, sid }) => sid !== 'NetworkInterfaces' && actions.some((action) => action.startsWith('ec2:')));
    expect(ofEc2.filter((statement) => heldBy(statement) === undefined)).toEqual([]);
  });

  it('of queues and tables is named', () => {
    const named = changes.filter(({ actions }) => actions.some((action) => /^(sqs|dynamodb|logs):/.test(action)));
    for (const { resources } of named) for (const resource of resources) expect(resource).toMatch(/^<ControlPlane\w+\.Arn>$/);
  });
});

describe('interfaces of functions in the VPC', () => {
  it.each(['HealthCheckRole', 'FailoverRole'])(
    "are out of reach for the code that has %s: Lambda's own calls alone are let through",
    (worker) => {
      const made = withAction(worker, 'ec2:CreateNetworkInterface').flatMap(({ actions }) =>
        actions.filter((action) => !READS.test(action)),
      );
      const denied = statementsOf(template, worker).filter(({ effect }) => effect === 'Deny');
      expect(denied).toEqual([
        expect.objectContaining({ resources: ['*'], conditions: { Null: { 'lambda:SourceFunctionArn': 'false' } } }),
      ]);
      expect(denied[0]?.actions.sort()).toEqual(made.sort());
    },
  );
});

describe('the right to change the world', () => {
  const holders = (action: string) => WORKERS.filter((worker) => withAction(worker, action).length > 0);

  it.each([
    ['ec2:RunInstances', ['ProvisionRole']],
    ['ec2:TerminateInstances', ['ProvisionRole']],
    ['ec2:AllocateAddress', ['ProvisionRole']],
    ['ec2:AssociateAddress', ['FailoverRole']],
    ['ssm:SendCommand', ['ProvisionRole']],
    ['ssm:PutParameter', ['ProvisionRole']],
    ['iam:PassRole', ['ProvisionRole']],
  ])('%s has one holder', (action, expected) => {
    expect(holders(action)).toEqual(expected);
  });

  it('gives private addresses to interfaces that carry the tag, from the provision worker alone', () => {
    const [statement, ...others] = withAction('ProvisionRole', 'ec2:AssignPrivateIpAddresses');
    expect(others).toEqual([]);
    expect(statement?.resources).toEqual(['arn:partition:ec2:region:accountid:network-interface/*']);
    expect(statement && heldBy(statement)).toBe('carries the tag');
    for (const worker of ['HealthCheckRole', 'FailoverRole'])
      expect(withAction(worker, 'ec2:AssignPrivateIpAddresses').map(({ sid }) => sid)).toEqual(['NetworkInterfaces']);
  });

  it('passes the node roles, by name, to EC2 alone', () => {
    const [statement, ...others] = withAction('ProvisionRole', 'iam:PassRole');
    expect(others).toEqual([]);
    expect(statement?.conditions).toEqual({ StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } });
    const roles = ROLES.map((role) => `<${theResource(template, 'AWS::IAM::Role', `Nodes${inIds(role)}Role`).id}.Arn>`);
    expect(statement?.resources.sort()).toEqual(roles.sort());
  });

  it('runs four documents on nodes of clusters and nothing else', () => {
    const statements = withAction('ProvisionRole', 'ssm:SendCommand');
    const documents = resourcesOf(template, 'AWS::SSM::Document').map(({ id }) => `arn:partition:ssm:region:accountid:document/<${id}>`);
    expect(documents).toHaveLength(4);
    expect(statements.flatMap(({ resources }) => resources).sort()).toEqual(
      [...documents, 'arn:partition:ec2:region:accountid:instance/*'].sort(),
    );
  });

  it('of each worker stands in one policy: CDK parts those that it reckons too long', () => {
    expect(resourcesOf(template, 'AWS::IAM::ManagedPolicy')).toEqual([]);
    expect(resourcesOf(template, 'AWS::IAM::Policy').filter(({ id }) => WORKERS.some((worker) => id.includes(worker)))).toHaveLength(3);
  });

  it('of each worker fits what IAM takes of one role, 10,240 characters', () => {
    // What the template has no value for yet: ids of EC2, and names of CloudFormation's making with a dozen characters more.
    const filled = (resource: string) =>
      resource.replace(/<[^>]+>/g, (name) => (resource.includes(':ec2:') ? 'x'.repeat(24) : `${name}${'x'.repeat(24 + 64)}`));
    for (const worker of WORKERS) {
      const text = JSON.stringify(
        statementsOf(template, worker).map((statement) => ({ ...statement, resources: statement.resources.map(filled) })),
      );
      expect(text.length).toBeLessThan(10_240);
    }
  });

  it('writes specs below their own path', () => {
    const resources = withAction('ProvisionRole', 'ssm:PutParameter').flatMap((statement) => statement.resources);
    expect(resources).toEqual(['arn:partition:ssm:region:accountid:parameter/fiware-ha/clusters/*']);
  });

  it.each([
    ['HealthCheckRole', ['FailoverQueue', 'HealthCheckQueue', 'ProvisionQueue']],
    ['ProvisionRole', ['HealthCheckQueue']],
    ['FailoverRole', ['HealthCheckQueue']],
  ])('%s sends to %j', (worker, queues) => {
    const sends = withAction(worker, 'sqs:SendMessage').flatMap(({ resources }) => resources);
    expect(sends.map((arn) => /ControlPlane(\w+Queue)/.exec(arn)?.[1]).sort()).toEqual(queues);
  });

  it('moves and frees an address through interfaces that carry the tag', () => {
    const onInterfaces = (worker: string, action: string) =>
      withAction(worker, action).filter(({ resources }) => resources.some((resource) => resource.includes(':network-interface/')));
    for (const [worker, action] of [
      ['ProvisionRole', 'ec2:DisassociateAddress'],
      ['FailoverRole', 'ec2:AssociateAddress'],
    ] as const) {
      const statements = onInterfaces(worker, action);
      expect(statements.map(heldBy)).toEqual(['carries the tag']);
    }
  });
});

describe('nodes', () => {
  const policiesOf = (id: string) =>
    resourcesOf(template, 'AWS::IAM::Policy').filter(({ properties: { Roles } }) => JSON.stringify(Roles).includes(id));

  it.each([...ROLES])('of role %s may be managed by SSM', (role) => {
    const { properties } = theResource(template, 'AWS::IAM::Role', `Nodes${inIds(role)}Role`);
    expect(JSON.stringify(properties.ManagedPolicyArns)).toMatch(/^\[[^[\]]*\[[^[\]]*\[[^[\]]*AmazonSSMManagedInstanceCore"\]\]\}\]$/);
    expect(properties.Policies).toBeUndefined();
  });

  const allowedToNodes = (role: Role) => statementsOf(template, `Nodes${inIds(role)}Role`).filter(({ effect }) => effect === 'Allow');

  it.each(ROLES.filter((role) => role !== 'lb'))('of role %s may do nothing else', (role) => {
    expect(policiesOf(theResource(template, 'AWS::IAM::Role', `Nodes${inIds(role)}Role`).id)).toHaveLength(1);
    expect(allowedToNodes(role)).toEqual([]);
  });

  it.each([...ROLES])('of role %s read no parameter, though the policy of SSM would let them read all', (role) => {
    expect(statementsOf(template, `Nodes${inIds(role)}Role`).filter(({ effect }) => effect === 'Deny')).toEqual([
      { sid: 'NoParameters', effect: 'Deny', actions: ['ssm:GetParameter', 'ssm:GetParameters'], resources: ['*'], conditions: {} },
    ]);
  });

  it('of role lb may put a claim on the failover queue, and nothing else', () => {
    expect(policiesOf(theResource(template, 'AWS::IAM::Role', 'NodeslbRole').id)).toHaveLength(1);
    expect(allowedToNodes('lb')).toEqual([
      {
        sid: 'ClaimAddress',
        effect: 'Allow',
        actions: ['sqs:SendMessage'],
        resources: [expect.stringMatching(/^<ControlPlaneFailoverQueue\w+\.Arn>$/)],
        conditions: {},
      },
    ]);
  });

  it('claim on a queue that needs no key of its own', () => {
    const { properties } = theResource(template, 'AWS::SQS::Queue', 'FailoverQueue');
    expect(properties).toMatchObject({ SqsManagedSseEnabled: true });
    expect(properties.KmsMasterKeyId).toBeUndefined();
  });
});
