import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { CONTROL_PLANE_PARAMETER } from '../../lambdas/control-plane-parameter';
import { ControlPlane, type ControlPlaneProps } from '../../lib';
import { aStack, resourcesOf, shown, theResource } from './synthesized';

const template = Template.fromStack(aStack({ tickEveryS: 5 }));
const WORKERS = ['HealthCheck', 'Provision', 'Failover'];

describe.each(WORKERS)('the %s worker', (worker) => {
  const queue = theResource(template, 'AWS::SQS::Queue', `${worker}Queue`);
  const deadLetters = theResource(template, 'AWS::SQS::Queue', `${worker}DeadLetters`);
  const fn = theResource(template, 'AWS::Lambda::Function', worker);

  it('sees a message again after six times its timeout', () => {
    expect(queue.properties.VisibilityTimeout).toBe(6 * Number(fn.properties.Timeout));
  });

  it('gives a message up after three receives and keeps it for two weeks', () => {
    expect(queue.properties.RedrivePolicy).toEqual({ deadLetterTargetArn: { 'Fn::GetAtt': [deadLetters.id, 'Arn'] }, maxReceiveCount: 3 });
    expect(deadLetters.properties.MessageRetentionPeriod).toBe(14 * 24 * 3600);
  });

  it('keeps its messages encrypted and takes them over TLS alone', () => {
    for (const { id, properties } of [queue, deadLetters]) {
      expect(properties.SqsManagedSseEnabled).toBe(true);
      template.hasResourceProperties('AWS::SQS::QueuePolicy', {
        Queues: [{ Ref: id }],
        PolicyDocument: {
          Statement: Match.arrayWith([
            Match.objectLike({ Effect: 'Deny', Action: 'sqs:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          ]),
        },
      });
    }
  });

  it('answers for each message of a batch, a bounded number of batches at once', () => {
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      EventSourceArn: { 'Fn::GetAtt': [queue.id, 'Arn'] },
      FunctionName: { Ref: fn.id },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: Match.anyValue() },
    });
  });

  it('runs on Node 24 and keeps its logs for a bounded time', () => {
    expect(fn.properties.Runtime).toBe('nodejs24.x');
    const logs = theResource(template, 'AWS::Logs::LogGroup', `${worker}LogGroup`);
    expect(fn.properties.LoggingConfig).toMatchObject({ LogGroup: { Ref: logs.id } });
    expect(logs.properties.RetentionInDays).toBeGreaterThanOrEqual(14);
  });

  it('raises an alarm on the first dead letter', () => {
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [deadLetters.id, 'QueueName'] } }],
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Threshold: 1,
      EvaluationPeriods: 1,
    });
  });

  it('stands in private subnets where it looks at nodes', () => {
    const subnets = (fn.properties.VpcConfig as { SubnetIds: unknown[] } | undefined)?.SubnetIds.map(shown) ?? [];
    expect(subnets).toHaveLength(worker === 'Provision' ? 0 : 3);
    for (const subnet of subnets) expect(subnet).toContain('nodesSubnet');
  });
});

describe('queue URLs', () => {
  const urlsOf = (worker: string) => {
    const { Variables } = theResource(template, 'AWS::Lambda::Function', worker).properties.Environment as {
      Variables: Record<string, unknown>;
    };
    return Object.keys(Variables).filter((name) => name.endsWith('_QUEUE_URL'));
  };

  it('are known to the check for all queues, to executors for nudges alone', () => {
    expect(urlsOf('HealthCheck').sort()).toEqual(['FAILOVER_QUEUE_URL', 'HEALTH_CHECK_QUEUE_URL', 'PROVISION_QUEUE_URL']);
    expect(urlsOf('Provision')).toEqual(['HEALTH_CHECK_QUEUE_URL']);
    expect(urlsOf('Failover')).toEqual(['HEALTH_CHECK_QUEUE_URL']);
  });
});

describe('the table', () => {
  it('is encrypted, restorable, forgets what expires, and is kept when the stack goes', () => {
    template.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Retain',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        SSESpecification: { SSEEnabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      },
    });
  });
});

describe('what makes the control plane look', () => {
  const healthCheck = { 'Fn::GetAtt': [theResource(template, 'AWS::SQS::Queue', 'HealthCheckQueue').id, 'Arn'] };

  it('is a message each minute', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Targets: Match.arrayWith([Match.objectLike({ Arn: healthCheck, Input: '{"kind":"minute"}' })]),
    });
  });

  it('keeps the failover worker started by a message of the same minute', () => {
    const failover = { 'Fn::GetAtt': [theResource(template, 'AWS::SQS::Queue', 'FailoverQueue').id, 'Arn'] };
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      Targets: [Match.objectLike({ Arn: healthCheck }), Match.objectLike({ Arn: failover, Input: '{"kind":"stayReady"}' })],
    });
  });

  it('is a sweep when EC2, and nobody else, says that an instance changed its state', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { source: ['aws.ec2'], 'detail-type': ['EC2 Instance State-change Notification'] },
      Targets: [Match.objectLike({ Arn: healthCheck, Input: '{"kind":"sweep"}' })],
    });
  });

  it('is missed: no sweep at all counts as an alarm', () => {
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Namespace: 'fiware-ha',
      MetricName: 'Sweeps',
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    });
  });
});

describe('alarms', () => {
  const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm');
  const runbook = readFileSync(join(__dirname, '..', '..', 'docs', 'runbook.md'), 'utf8');
  const anchors = [...runbook.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading?.toLowerCase().replaceAll(' ', '-'));

  it('each link a heading of the runbook, and each of its headings has one', () => {
    const linked = alarms.map(({ properties }) => /docs\/runbook\.md#([a-z-]+)$/.exec(String(properties.AlarmDescription))?.[1]);
    expect(linked).not.toContain(undefined);
    for (const anchor of linked) expect(anchors).toContain(anchor);
    for (const anchor of anchors) if (anchor !== 'before-you-start') expect(linked).toContain(anchor);
  });

  it('all go to the topic that was given', () => {
    const stack = new Stack(new App({ builtinCloudFormationValidation: false }), 'Theirs');
    const alarmTopic = new Topic(stack, 'Topic');
    new ControlPlane(stack, 'ControlPlane', { alarmTopic });
    const actions = resourcesOf(Template.fromStack(stack), 'AWS::CloudWatch::Alarm').map(({ properties }) => properties.AlarmActions);
    expect(actions).toHaveLength(alarms.length);
    for (const action of actions) expect(action).toEqual([{ Ref: stack.getLogicalId(alarmTopic.node.defaultChild as never) }]);
  });
});

describe('the network', () => {
  const zonesOf = (found: Template, part: string) =>
    resourcesOf(found, 'AWS::EC2::Subnet').flatMap(({ id, properties }) =>
      id.includes(part) ? [JSON.stringify(properties.AvailabilityZone)] : [],
    );

  it.each([2, 3])('has a public and a private subnet in each of %i zones', (zones) => {
    const found = Template.fromStack(aStack({ zones }));
    for (const part of ['entrySubnet', 'nodesSubnet']) expect(new Set(zonesOf(found, part)).size).toBe(zones);
    expect(resourcesOf(found, 'AWS::EC2::Subnet')).toHaveLength(2 * zones);
  });

  it('reaches the table without a NAT gateway', () => {
    const services = resourcesOf(template, 'AWS::EC2::VPCEndpoint').map(({ properties }) => shown(properties.ServiceName));
    expect(services.some((name) => name.endsWith('.dynamodb'))).toBe(true);
  });
});

describe('another CDK app', () => {
  it('can hold the control plane in a stack of its own and finds its parameter', () => {
    const stack = new Stack(new App({ builtinCloudFormationValidation: false }), 'Theirs', {
      env: { account: '123456789012', region: 'eu-west-1' },
    });
    const controlPlane = new ControlPlane(stack, 'Fiware', { zones: 2, tickEveryS: 30 });
    const theirs = Template.fromStack(stack);
    expect(controlPlane.workers).toHaveLength(3);
    const { properties } = theResource(theirs, 'AWS::SSM::Parameter', '');
    expect(properties.Name).toBe(CONTROL_PLANE_PARAMETER);
    expect(shown(properties.Value)).toContain('"tickEveryS":30');
  });

  const aVpc = (stack: Stack, subnetTypes: SubnetType[]) =>
    new Vpc(stack, 'Theirs', { maxAzs: 2, subnetConfiguration: subnetTypes.map((subnetType) => ({ name: subnetType, subnetType })) });
  const aForeignStack = () => new Stack(new App({ builtinCloudFormationValidation: false }), 'Theirs');

  it('can give it a VPC: nodes and functions stand in its subnets and no other is made', () => {
    const stack = aForeignStack();
    const vpc = aVpc(stack, [SubnetType.PUBLIC, SubnetType.PRIVATE_WITH_EGRESS]);
    new ControlPlane(stack, 'Fiware', { vpc });
    const theirs = Template.fromStack(stack);
    theirs.resourceCountIs('AWS::EC2::VPC', 1);
    const { properties } = theResource(theirs, 'AWS::Lambda::Function', 'Provision');
    const { SUBNETS } = (properties.Environment as { Variables: Record<string, unknown> }).Variables;
    for (const { subnetId } of [...vpc.publicSubnets, ...vpc.privateSubnets])
      expect(shown(SUBNETS)).toContain(shown(stack.resolve(subnetId)));
  });

  it('is told what its VPC lacks', () => {
    const stack = aForeignStack();
    const vpc = aVpc(stack, [SubnetType.PUBLIC]);
    expect(() => new ControlPlane(stack, 'Fiware', { vpc })).toThrow(
      /^vpc: expected a public subnet and a private one .* found them in: none/,
    );
    expect(() => new ControlPlane(stack, 'Again', { vpc, zones: 2 })).toThrow(/^zones: expected nothing beside vpc, got 2/);
  });

  const WRONG: [ControlPlaneProps, RegExp][] = [
    [{ zones: 4 }, /^zones: expected 2 or 3, got 4/],
    [{ tickEveryS: 0 }, /^tickEveryS: .*1 to 60, got 0/],
    [{ tickEveryS: 2.5 }, /^tickEveryS: .*got 2\.5/],
    [{ terminationsPer10Min: 0 }, /^terminationsPer10Min: .*at least 1, got 0/],
    [{ entryPorts: [80] }, /^entryPorts: expected ports from 1024 to 65535, got 80; name those where specs offer roles elsewhere/],
    [{ entryPorts: [2026, 65_536] }, /^entryPorts: .*got 65536/],
    [{ entryCidrs: ['0.0.0.0'] }, /^entryCidrs: .*203\.0\.113\.0\/24, got "0\.0\.0\.0"/],
  ];

  it.each(WRONG)('is told what is wrong with %j at synth', (props, message) => {
    expect(() => aStack(props)).toThrow(message);
  });

  it.each([
    [{ 'fiware-ha:tickEveryS': 'often' }, /fiware-ha:tickEveryS: expected a whole number, got "often"/],
    [{ 'fiware-ha:lab': 'true', 'fiware-ha:imageIds': 'ami-1' }, /fiware-ha:imageIds: expected JSON with an AMI/],
    [{ 'fiware-ha:lab': 'true' }, /fiware-ha:imageIds: expected JSON with an AMI for each of lb, orion, mongo, .*cygnus/],
    [{ 'fiware-ha:entryPorts': '2026,http' }, /^entryPorts: expected ports from 1024 to 65535, got NaN/],
  ])('is told what is wrong with the context %j', (context, message) => {
    expect(() => aStack(undefined, context as unknown as Record<string, string>)).toThrow(message);
  });
});
