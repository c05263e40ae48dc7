import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Authorization } from '../../lab/iam/authorizations';
import type { Statement } from '../../lab/iam/deployment';
import { isAllowed } from '../../lab/iam/verdicts';
import { PortError } from '../../lambdas/app/ports';
import { ROLES } from '../../lambdas/core/names';
import { ACCOUNT, ec2Arn, REGION, WORKERS, type Worker } from './deployment';
import { GuardedAws } from './guarded-aws';
import { OPERATIONS, type Operation } from './operations';

let aws: GuardedAws;

beforeAll(async () => {
  aws = await GuardedAws.start();
}, 60_000);

afterAll(() => aws.stop());

/** What an operation asked of the policies, and how it failed, if it did. */
async function attempt(worker: Worker, { run }: Operation, statements?: Statement[]) {
  const { ports, asked } = aws.as(worker, statements);
  const error = await run(ports).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { asked, error };
}

describe.each(WORKERS)('%s, by its own policies,', (worker) => {
  it('may do all it does', async () => {
    const refused: unknown[] = [];
    for (const operation of OPERATIONS[worker]) {
      const { asked, error } = await attempt(worker, operation);
      if (error !== undefined || asked.length === 0) refused.push([operation.name, error]);
    }
    expect(refused).toEqual([]);
  }, 60_000);
});

describe('what is not a cluster’s', () => {
  it.each<[string, Worker, Operation['run'], string]>([
    ['an instance without the tag is not terminated', 'Provision', (p) => p.compute.terminateNode('i-0fff'), 'instance/i-0fff'],
    ['an instance of another account is not terminated', 'Provision', (p) => p.compute.terminateNode('i-0eee'), 'instance/i-0eee'],
    [
      'an instance without the tag gets no command',
      'Provision',
      (p) => p.commands.send('i-0fff', 'city', { name: 'restart-role', role: 'lb' }),
      'instance/i-0fff',
    ],
    [
      'no interface without the tag gets an address',
      'Provision',
      (p) => p.compute.addPrivateAddress('i-0fff'),
      'network-interface/eni-0fff',
    ],
    ['an address without the tag is not released', 'Provision', (p) => p.addresses.release('eipalloc-0fff'), 'elastic-ip/eipalloc-0fff'],
    ['an address of another account is not released', 'Provision', (p) => p.addresses.release('eipalloc-0eee'), 'eipalloc-0eee'],
    [
      'a placement group without the tag is not deleted',
      'Provision',
      (p) => p.compute.deletePlacementGroups('theirs'),
      'placement-group/fiware-ha-theirs-lb',
    ],
    [
      'an address without the tag is not moved',
      'Failover',
      (p) => p.addresses.associate('eipalloc-0fff', 'i-0aaa', { mayTakeFrom: true }),
      'elastic-ip/eipalloc-0fff',
    ],
    [
      'no address is moved to an instance without the tag',
      'Failover',
      (p) => p.addresses.associate('eipalloc-0aaa', 'i-0fff', { mayTakeFrom: true }),
      'instance/i-0fff',
    ],
  ])('%s', async (_what, worker, run, resource) => {
    const { error } = await attempt(worker, { name: '', run });
    expect(error).toBeInstanceOf(PortError);
    expect(error).toMatchObject({ code: 'denied', message: expect.stringContaining(resource) });
  });
});

const arn = (service: string, resource: string, account = ACCOUNT) => `arn:aws:${service}:${REGION}:${account}:${resource}`;
const ask = (action: string, resource: string, context: Authorization['context'] = {}): Authorization => ({ action, resource, context });
const OURS = { 'aws:ResourceTag/fiware-ha:cluster': 'city' };
const NEW = { 'aws:RequestTag/fiware-ha:cluster': 'city' };
/** Of an instance that is not a cluster's, in whatever VPC. */
const UNTAGGED = ec2Arn('network-interface', 'eni-0fff');

/** What a call of a function's own code carries. */
const BY_CODE = { 'lambda:SourceFunctionArn': arn('lambda', 'function:f') };

describe.each(WORKERS)('%s can not', (worker) => {
  it.each<[string, Authorization]>([
    ['launch an instance without the tag', ask('ec2:RunInstances', ec2Arn('instance', 'i-1'))],
    ['launch with an empty tag', ask('ec2:RunInstances', ec2Arn('instance', 'i-1'), { 'aws:RequestTag/fiware-ha:cluster': '' })],
    ['launch from another template', ask('ec2:RunInstances', ec2Arn('launch-template', 'lt-0fff'))],
    ['launch into another subnet', ask('ec2:RunInstances', ec2Arn('subnet', 'subnet-0fff'))],
    ['launch with another security group', ask('ec2:RunInstances', ec2Arn('security-group', 'sg-0fff'))],
    ['launch with a volume without the tag', ask('ec2:RunInstances', ec2Arn('volume', 'vol-1'))],
    ['launch with an interface without the tag', ask('ec2:RunInstances', UNTAGGED)],
    ['launch into another placement group', ask('ec2:RunInstances', ec2Arn('placement-group', 'theirs'))],
    ['launch with somebody’s key', ask('ec2:RunInstances', ec2Arn('key-pair', 'theirs'))],
    ['make an instance a cluster’s by tagging it', ask('ec2:CreateTags', ec2Arn('instance', 'i-0fff'), NEW)],
    ['make an address a cluster’s by tagging it', ask('ec2:CreateTags', ec2Arn('elastic-ip', 'eipalloc-0fff'), NEW)],
    [
      'tag what it makes without the cluster',
      ask('ec2:CreateTags', ec2Arn('instance', 'i-1'), { 'ec2:CreateAction': 'RunInstances', 'aws:RequestTag/Name': 'x' }),
    ],
    ['tag what another call makes', ask('ec2:CreateTags', ec2Arn('instance', 'i-1'), { ...NEW, 'ec2:CreateAction': 'CreateImage' })],
    ['take a tag away', ask('ec2:DeleteTags', ec2Arn('instance', 'i-0aaa'), OURS)],
    ['stop an instance of a cluster', ask('ec2:StopInstances', ec2Arn('instance', 'i-0aaa'), OURS)],
    ['change an instance of a cluster', ask('ec2:ModifyInstanceAttribute', ec2Arn('instance', 'i-0aaa'), OURS)],
    ['make a placement group without the tag', ask('ec2:CreatePlacementGroup', ec2Arn('placement-group', 'fiware-ha-x-lb'))],
    ['make a placement group of another name', ask('ec2:CreatePlacementGroup', ec2Arn('placement-group', 'theirs'), NEW)],
    ['delete a placement group of another name', ask('ec2:DeletePlacementGroup', ec2Arn('placement-group', 'theirs'), OURS)],
    ['allocate an address without the tag', ask('ec2:AllocateAddress', ec2Arn('elastic-ip', 'eipalloc-1'))],
    ['free an address from an interface without the tag', ask('ec2:DisassociateAddress', UNTAGGED)],
    ['move an address through an interface without the tag', ask('ec2:AssociateAddress', UNTAGGED)],
    ['give a private address to an interface without the tag', ask('ec2:AssignPrivateIpAddresses', UNTAGGED, BY_CODE)],
    [
      'take a private address away',
      ask('ec2:UnassignPrivateIpAddresses', ec2Arn('network-interface', 'eni-0aaa'), { ...OURS, ...BY_CODE }),
    ],
    ['make an interface by its own code', ask('ec2:CreateNetworkInterface', ec2Arn('network-interface', 'eni-1'), BY_CODE)],
    ['run a shell script of its own', ask('ssm:SendCommand', arn('ssm', 'document/AWS-RunShellScript', ''))],
    ['run another document', ask('ssm:SendCommand', arn('ssm', 'document/theirs'))],
    ['open a session', ask('ssm:StartSession', ec2Arn('instance', 'i-0aaa'), { 'ssm:resourceTag/fiware-ha:cluster': 'city' })],
    ['read another parameter', ask('ssm:GetParameter', arn('ssm', 'parameter/theirs/password'))],
    ['read a parameter beside the specs', ask('ssm:GetParameter', arn('ssm', 'parameter/fiware-ha/clusters-theirs'))],
    ['write the parameter of the deployment', ask('ssm:PutParameter', arn('ssm', 'parameter/fiware-ha/control-plane'))],
    ['delete another parameter', ask('ssm:DeleteParameter', arn('ssm', 'parameter/theirs'))],
    ['list other parameters', ask('ssm:GetParametersByPath', arn('ssm', 'parameter/theirs'))],
    ['read another table', ask('dynamodb:GetItem', arn('dynamodb', 'table/theirs'))],
    ['write another table', ask('dynamodb:PutItem', arn('dynamodb', 'table/theirs'))],
    ['send to another queue', ask('sqs:SendMessage', arn('sqs', 'theirs'))],
    [
      'pass a role of its own to EC2',
      ask('iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/admin`, { 'iam:PassedToService': 'ec2.amazonaws.com' }),
    ],
  ])('%s', async (_what, authorization) => {
    expect(await isAllowed(aws.deployment.roleArn(worker), aws.deployment.statementsOf(worker), authorization)).toBe(false);
  });

  it('pass a node’s role to another service', async () => {
    const authorization = ask('iam:PassRole', aws.deployment.roleArn('Nodeslb'), { 'iam:PassedToService': 'lambda.amazonaws.com' });
    expect(await isAllowed(aws.deployment.roleArn(worker), aws.deployment.statementsOf(worker), authorization)).toBe(false);
  });

  it('delete or scan the table it uses', async () => {
    const table = arn('dynamodb', `table/${aws.deployment.environmentOf(worker).TABLE_NAME}`);
    for (const action of ['dynamodb:DeleteTable', 'dynamodb:Scan', 'dynamodb:UpdateTable'])
      expect(await isAllowed(aws.deployment.roleArn(worker), aws.deployment.statementsOf(worker), ask(action, table))).toBe(false);
  });
});

/** Used by AWS on a function's behalf, not by its code; each with who uses it. */
const IMPLICIT: Record<string, (action: string, sid?: string) => boolean> = {
  'Lambda writes the function’s log': (action) => /^logs:(CreateLogStream|PutLogEvents)$/.test(action),
  'the event source mapping takes messages': (action) => /^sqs:(ReceiveMessage|DeleteMessage|GetQueueAttributes)$/.test(action),
  'Lambda makes the function’s interfaces in the VPC': (_action, sid) => sid === 'NetworkInterfaces',
};
const isImplicit = (action: string, sid?: string) => Object.values(IMPLICIT).some((isOne) => isOne(action, sid));

interface Permission {
  at: number;
  action: string;
  resource: string;
}

/** Every action on every resource that the statements allow and the code uses. */
function permissionsOf(statements: readonly Statement[]): Permission[] {
  return statements.flatMap(({ Effect, Action, Resource, Sid }, at) =>
    Effect === 'Deny'
      ? []
      : Action.flatMap((action) => (isImplicit(action, Sid) ? [] : Resource.map((resource) => ({ at, action, resource })))),
  );
}

/** The statements with one permission less: the statement goes on for its other actions and its other resources. */
function without(statements: readonly Statement[], { at, action, resource }: Permission): Statement[] {
  return statements.flatMap((statement, i) => {
    if (i !== at) return [statement];
    const others = { ...statement, Action: statement.Action.filter((one) => one !== action) };
    const elsewhere = { ...statement, Action: [action], Resource: statement.Resource.filter((one) => one !== resource) };
    return [others, elsewhere].filter(({ Action, Resource }) => Action.length > 0 && Resource.length > 0);
  });
}

/** Whether a resource is one of a statement's; `*` stands for any text, as in IAM. */
function isOf(resource: string, pattern: string): boolean {
  const escaped = pattern.split('*').map((part) => part.replace(/[.?+^$()[\]{}|\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`).test(resource);
}

describe.each(WORKERS)('each permission of %s', (worker) => {
  it('is needed by something; without it exactly that fails, and the error names the action and the resource', async () => {
    const statements = aws.deployment.statementsOf(worker);
    const needs = new Map<Operation, Authorization[]>();
    for (const operation of OPERATIONS[worker])
      needs.set(
        operation,
        (await attempt(worker, operation)).asked.map(({ authorization }) => authorization),
      );
    const tried = new Set<string>();
    for (const permission of permissionsOf(statements)) {
      const { action, resource } = permission;
      const left = without(statements, permission);
      const failed: string[] = [];
      // The first time an action lacks, all else must go on; then only what asks for it is of interest.
      const those = OPERATIONS[worker].filter((one) => !tried.has(action) || needs.get(one)?.some((need) => need.action === action));
      tried.add(action);
      for (const operation of those) {
        const { error, asked } = await attempt(worker, operation, left);
        if (error === undefined) continue;
        failed.push(operation.name);
        const denied = asked.find(({ allowed }) => !allowed)?.authorization;
        expect(denied?.action).toBe(action);
        expect(error).toBeInstanceOf(PortError);
        expect(error).toMatchObject({ code: 'denied', message: expect.stringContaining(action) });
        if (denied && denied.resource !== '*') expect((error as PortError).message).toContain(denied.resource);
      }
      const expected = OPERATIONS[worker].filter((operation) =>
        needs.get(operation)?.some((need) => need.action === action && isOf(need.resource, resource)),
      );
      expect({ without: `${action} on ${resource}`, failed }).toEqual({
        without: `${action} on ${resource}`,
        failed: expected.map(({ name }) => name),
      });
      expect({ unused: failed.length === 0 ? `${action} on ${resource}` : undefined }).toEqual({ unused: undefined });
    }
  }, 240_000);
});

describe.each(ROLES.map((role) => `Nodes${role.replaceAll('-', '')}`))('the code on %s', (role) => {
  const can = (authorization: Authorization) => isAllowed(aws.deployment.roleArn(role), aws.deployment.statementsOf(role), authorization);
  const queueOf = (url = '') => arn('sqs', url.slice(url.lastIndexOf('/') + 1));

  it('sends to the failover queue where it is a balancer, and to no other queue', async () => {
    const { HEALTH_CHECK_QUEUE_URL, PROVISION_QUEUE_URL, FAILOVER_QUEUE_URL } = aws.deployment.environmentOf('HealthCheck');
    expect(await can(ask('sqs:SendMessage', queueOf(FAILOVER_QUEUE_URL)))).toBe(role === 'Nodeslb');
    for (const url of [HEALTH_CHECK_QUEUE_URL, PROVISION_QUEUE_URL]) expect(await can(ask('sqs:SendMessage', queueOf(url)))).toBe(false);
    for (const action of ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:PurgeQueue'])
      expect(await can(ask(action, queueOf(FAILOVER_QUEUE_URL)))).toBe(false);
  });

  it.each<[string, Authorization]>([
    ['end a node', ask('ec2:TerminateInstances', ec2Arn('instance', 'i-0aaa'), OURS)],
    ['move an address', ask('ec2:AssociateAddress', ec2Arn('elastic-ip', 'eipalloc-0aaa'), OURS)],
    ['command another node', ask('ssm:SendCommand', ec2Arn('instance', 'i-0aaa'), { 'ssm:resourceTag/fiware-ha:cluster': 'city' })],
    ['read a spec', ask('ssm:GetParameter', arn('ssm', 'parameter/fiware-ha/clusters/city/spec'))],
    ['write a spec', ask('ssm:PutParameter', arn('ssm', 'parameter/fiware-ha/clusters/city/spec'))],
    ['pass a role', ask('iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/admin`, { 'iam:PassedToService': 'ec2.amazonaws.com' })],
  ])('can not %s', async (_what, authorization) => {
    expect(await can(authorization)).toBe(false);
  });
});
