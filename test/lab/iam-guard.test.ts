import { beforeAll, describe, expect, it } from '@jest/globals';
import { Aspects } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { World } from '../../lab/iam/authorizations';
import { type Deployed, deployedFrom, functionKey } from '../../lab/iam/deployed';
import type { TemplateJson } from '../../lab/iam/deployment';
import { Guard, type Request, type Verdict } from '../../lab/iam/guard';
import { byRole } from '../../lambdas/core/names';
import { TakeOutForEmulator } from '../../lib/emulator';
import { Synthesized, WORKERS } from '../iam/deployment';
import { aStack } from '../lib/synthesized';

const PLACE = { account: '000000000000', region: 'us-east-1' };
const LAB = { 'fiware-ha:lab': 'true', 'fiware-ha:imageIds': JSON.stringify(byRole(() => 'ami-1')) };
const OURS = { 'fiware-ha:cluster': 'city' };
const STANDING: World['standing'] = {
  'i-0aaa': { tags: OURS },
  'i-0fff': { tags: { Name: 'somebody else’s' } },
  'eipalloc-0aaa': { tags: OURS },
  'eipalloc-0fff': { tags: {} },
  'eipassoc-0aaa': { tags: {}, associates: { allocationId: 'eipalloc-0aaa', instanceId: 'i-0aaa' } },
};

let template: TemplateJson;
let deployed: Deployed;

beforeAll(() => {
  const stack = aStack(undefined, LAB);
  Aspects.of(stack).add(new TakeOutForEmulator());
  template = Template.fromStack(stack).toJSON() as TemplateJson;
  deployed = deployedFrom(template, new Map(Object.keys(template.Resources).map((id) => [id, id])), PLACE);
}, 60_000);

function aGuard(): Guard {
  const standing = async (ids: readonly string[]) =>
    structuredClone(Object.fromEntries(Object.entries(STANDING).filter(([id]) => ids.includes(id) || id === 'i-0aaa')));
  return new Guard((key) => key === 'test', { deployed: async () => deployed, standing });
}

const idOf = (type: string, part: string) => deployed.deployment.theId(type, part);
const signed = (key: string, service: string) =>
  `AWS4-HMAC-SHA256 Credential=${key}/20260105/us-east-1/${service}/aws4_request, Signature=0`;

/** The key that the emulator gives to a worker's function. */
function keyOf(worker: string): string {
  const arn = `arn:aws:lambda:us-east-1:000000000000:function:${idOf('AWS::Lambda::Function', `${worker}Function`)}`;
  return functionKey(arn, `arn:aws:iam::000000000000:role/${idOf('AWS::IAM::Role', `${worker}Role`)}`);
}

function ec2(key: string, form: Record<string, string>): Request {
  return { authorization: signed(key, 'ec2'), target: undefined, body: new URLSearchParams(form).toString() };
}
function jsonCall(key: string, service: string, operation: string, body: unknown): Request {
  return { authorization: signed(key, service), target: `Service.${operation}`, body: JSON.stringify(body) };
}
const whyOf = (verdict: Verdict) => (verdict.is === 'refused' ? verdict.why : verdict.is);

describe('the policies the guard evaluates', () => {
  it('are those of AWS, with the conditions and resources that the emulator can not see', () => {
    const onAws = new Synthesized('http://aws');
    const shape = (statements: { Sid?: string; Action: string[]; Condition?: unknown }[]) =>
      statements.map(({ Sid, Action, Condition }) => ({ Sid, Action, Condition }));
    for (const worker of WORKERS) {
      const role = deployed.roles.get(idOf('AWS::IAM::Role', `${worker}Role`));
      expect(shape(role?.statements ?? [])).toEqual(shape(onAws.statementsOf(worker)));
    }
  });
});

describe('the guard before the emulator', () => {
  it.each<[string, string, Record<string, string>, RegExp]>([
    ['ends a node', 'Provision', { Action: 'TerminateInstances', 'InstanceId.1': 'i-0aaa' }, /^allowed$/],
    ['ends nobody else’s instance', 'Provision', { Action: 'TerminateInstances', 'InstanceId.1': 'i-0fff' }, /instance\/i-0fff/],
    [
      'ends nothing when one of several is not a node',
      'Provision',
      { Action: 'TerminateInstances', 'InstanceId.1': 'i-0aaa', 'InstanceId.2': 'i-0fff' },
      /instance\/i-0fff/,
    ],
    ['ends nothing by another worker', 'Failover', { Action: 'TerminateInstances', 'InstanceId.1': 'i-0aaa' }, /ec2:TerminateInstances/],
    ['releases no address without the tag', 'Provision', { Action: 'ReleaseAddress', AllocationId: 'eipalloc-0fff' }, /eipalloc-0fff/],
    ['makes no address without the tag', 'Provision', { Action: 'AllocateAddress', Domain: 'vpc' }, /ec2:AllocateAddress/],
    [
      'launches from no template of somebody else’s',
      'Provision',
      { Action: 'RunInstances', 'LaunchTemplate.LaunchTemplateId': 'lt-0fff', SubnetId: 'subnet-1' },
      /launch-template\/lt-0fff/,
    ],
    [
      'launches with no role named beside the template',
      'Provision',
      { Action: 'RunInstances', 'LaunchTemplate.LaunchTemplateId': 'lt-1', 'IamInstanceProfile.Name': 'admin' },
      /IamInstanceProfile\.Name: the adapters never name it/,
    ],
    ['knows no call that no adapter makes', 'Provision', { Action: 'StopInstances', 'InstanceId.1': 'i-0aaa' }, /ec2:StopInstances/],
  ])('%s', async (_what, worker, form, expected) => {
    expect(whyOf(await aGuard().judge(ec2(keyOf(worker), form)))).toMatch(expected);
  });

  it('refuses in the words of the service, with the resource in them', async () => {
    const verdict = await aGuard().judge(ec2(keyOf('Provision'), { Action: 'TerminateInstances', 'InstanceId.1': 'i-0fff' }));
    expect(verdict).toMatchObject({ is: 'refused', answer: { status: 403 } });
    expect(verdict.is === 'refused' && verdict.answer.body).toMatch(
      /<Code>UnauthorizedOperation<.*TerminateInstances on resource: .*i-0fff/,
    );
    const command = { DocumentName: 'AWS-RunShellScript', InstanceIds: ['i-0fff'] };
    const sent = await aGuard().judge(jsonCall(keyOf('Provision'), 'ssm', 'SendCommand', command));
    expect(sent).toMatchObject({ is: 'refused', answer: { status: 400, body: expect.stringContaining('AccessDeniedException') } });
  });

  it('lets root pass, and leaves unsigned requests to the emulator', async () => {
    expect(await aGuard().judge(ec2('test', { Action: 'StopInstances' }))).toEqual({ is: 'root' });
    expect(await aGuard().judge({ authorization: undefined, target: undefined, body: '' })).toEqual({ is: 'root' });
  });

  it('refuses keys it has seen nobody get, and sessions of roles that are not the stack’s', async () => {
    const guard = aGuard();
    expect(whyOf(await guard.judge(ec2('ASIA0', { Action: 'DescribeInstances' })))).toContain('ASIA0');
    guard.noteAnswer(
      ec2('test', { Action: 'AssumeRole', RoleArn: 'arn:aws:iam::000000000000:role/admin' }),
      '<AccessKeyId>ASIA1</AccessKeyId>',
    );
    expect(whyOf(await guard.judge(ec2('ASIA1', { Action: 'DescribeInstances' })))).toContain('ASIA1');
  });

  it('knows nodes by the sessions of their roles: a balancer sends to the failover queue alone, a broker nowhere', async () => {
    const guard = aGuard();
    for (const role of ['lb', 'orion']) {
      const RoleArn = `arn:aws:iam::000000000000:role/${idOf('AWS::IAM::Role', `Nodes${role}Role`)}`;
      guard.noteAnswer(ec2('test', { Action: 'AssumeRole', RoleArn }), `<AccessKeyId>ASIA${role}</AccessKeyId>`);
    }
    const send = async (role: string, queue: string) => {
      const QueueUrl = `http://emulator/000000000000/${idOf('AWS::SQS::Queue', `${queue}Queue`)}`;
      return (await guard.judge(jsonCall(`ASIA${role}`, 'sqs', 'SendMessage', { QueueUrl }))).is;
    };
    expect(await send('lb', 'Failover')).toBe('allowed');
    expect(await send('lb', 'Provision')).toBe('refused');
    expect(await send('orion', 'Failover')).toBe('refused');
    expect(guard.counts[idOf('AWS::IAM::Role', 'NodeslbRole')]).toEqual({ 'sqs:SendMessage': { allowed: 1, refused: 1 } });
  });

  it('knows the queue of a claim as balancers send it: a form, to the address of the queue', async () => {
    const guard = aGuard();
    const RoleArn = `arn:aws:iam::000000000000:role/${idOf('AWS::IAM::Role', 'NodeslbRole')}`;
    guard.noteAnswer(ec2('test', { Action: 'AssumeRole', RoleArn }), '<AccessKeyId>ASIAlb</AccessKeyId>');
    const claim = (queue: string, more: Record<string, string> = {}): Request => ({
      ...ec2('ASIAlb', { Action: 'SendMessage', MessageBody: '{}', ...more }),
      authorization: signed('ASIAlb', 'sqs'),
      path: `/000000000000/${idOf('AWS::SQS::Queue', `${queue}Queue`)}`,
    });
    expect(whyOf(await guard.judge(claim('Failover')))).toBe('allowed');
    expect(whyOf(await guard.judge(claim('Provision')))).toMatch(/ProvisionQueue/);
    expect((await guard.judge(claim('Failover', { QueueUrl: 'http://emulator/000000000000/other' }))).is).toBe('refused');
  });

  it('refuses a call whose address says more than its body', async () => {
    const twice = { ...ec2(keyOf('Provision'), { Action: 'DescribeInstances' }), path: '/?Action=TerminateInstances&InstanceId.1=i-0fff' };
    expect(whyOf(await aGuard().judge(twice))).toContain('in its address');
  });

  it('gives an address through an interface only when its launch asked for the tag on it', async () => {
    const associate = ec2(keyOf('Failover'), { Action: 'AssociateAddress', AllocationId: 'eipalloc-0aaa', InstanceId: 'i-0aaa' });
    const launch = (tags: Record<string, string>) => ec2('test', { Action: 'RunInstances', ...tags });
    const guard = aGuard();
    guard.noteAnswer(launch({}), '<instanceId>i-0aaa</instanceId>');
    expect(whyOf(await guard.judge(associate))).toContain('network-interface/eni-0aaa');
    const tagged = { 'TagSpecification.1.ResourceType': 'network-interface', 'TagSpecification.1.Tag.1.Key': 'fiware-ha:cluster' };
    guard.noteAnswer(launch({ ...tagged, 'TagSpecification.1.Tag.1.Value': 'city' }), '<instanceId>i-0aaa</instanceId>');
    expect(whyOf(await guard.judge(associate))).toBe('allowed');
  });

  it('refuses while the stack is not known yet', async () => {
    const guard = new Guard((key) => key === 'test', {
      deployed: () => Promise.reject(new Error('Queue1 is not deployed yet')),
      standing: async () => ({}),
    });
    expect(whyOf(await guard.judge(ec2('ASIA0', { Action: 'DescribeInstances' })))).toContain('not deployed yet');
    expect(() => deployedFrom(template, new Map(), PLACE)).toThrow(/is not deployed yet/);
  });
});
