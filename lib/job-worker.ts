/** One queue and the function it feeds: dead letters, partial batches, alarms. Used three times; knows nothing of what the jobs do. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { ISecurityGroup, IVpc } from 'aws-cdk-lib/aws-ec2';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, type Code, Function as LambdaFunction, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { runbook } from './runbook';

export interface JobWorkerProps {
  /** The bundled function. */
  code: Code;
  timeoutS: number;
  /** Messages one invocation takes; they run side by side. */
  batchSize: number;
  /** Invocations at once; keeps a flood from becoming a storm of API calls. */
  maxConcurrency: number;
  description: string;
  /** Stands in the VPC's private subnets, to reach nodes. */
  inVpc?: { vpc: IVpc; securityGroup: ISecurityGroup };
}

/** AWS' advice for queues that feed functions: visibility six times the timeout. */
const VISIBILITY_FACTOR = 6;
const RECEIVES_MAX = 3;

const INTERFACE_CHANGES = [
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/**
 * What AWSLambdaVPCAccessExecutionRole grants, without its right to write to any log group. Lambda checks for all resources here,
 * so the same calls are denied to the function's code, which alone makes them with lambda:SourceFunctionArn set.
 */
function allowInterfaces(role: Role): void {
  const resources = ['*'];
  const actions = [...INTERFACE_CHANGES, 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets'];
  role.addToPolicy(new PolicyStatement({ sid: 'NetworkInterfaces', actions, resources }));
  role.addToPolicy(
    new PolicyStatement({
      sid: 'NotByCode',
      effect: Effect.DENY,
      actions: INTERFACE_CHANGES,
      resources,
      conditions: { Null: { 'lambda:SourceFunctionArn': 'false' } },
    }),
  );
}

export class JobWorker extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly function: LambdaFunction;
  readonly alarms: Alarm[];

  constructor(scope: Construct, id: string, props: JobWorkerProps) {
    super(scope, id);
    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.seconds(props.timeoutS * VISIBILITY_FACTOR),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: RECEIVES_MAX },
    });
    this.function = this.makeFunction(props);
    this.function.addEventSource(
      new SqsEventSource(this.queue, { batchSize: props.batchSize, maxConcurrency: props.maxConcurrency, reportBatchItemFailures: true }),
    );
    this.alarms = [
      this.alarm(
        'DeadLettersAlarm',
        this.deadLetters.metricApproximateNumberOfMessagesVisible(),
        1,
        runbook('dead-letters', 'A job was given up after three tries'),
      ),
      this.alarm(
        'OldMessagesAlarm',
        this.queue.metricApproximateAgeOfOldestMessage(),
        300,
        runbook('old-messages', 'Jobs wait for more than five minutes'),
      ),
      this.alarm(
        'ErrorsAlarm',
        this.function.metricErrors({ period: Duration.minutes(5) }),
        3,
        runbook('function-errors', 'The function failed three times in five minutes'),
      ),
    ];
  }

  private makeFunction({ code, timeoutS, description, inVpc }: JobWorkerProps): LambdaFunction {
    const logGroup = new LogGroup(this, 'LogGroup', { retention: RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    if (inVpc) allowInterfaces(role);
    const fn = new LambdaFunction(this, 'Function', {
      code,
      description,
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      timeout: Duration.seconds(timeoutS),
      role: role.withoutPolicyUpdates(),
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      ...(inVpc ? { vpc: inVpc.vpc, securityGroups: [inVpc.securityGroup] } : {}),
    });
    // What the mapping itself does, as in AWSLambdaSQSQueueExecutionRole; the code receives nothing by itself.
    const actions = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
    role.addToPolicy(new PolicyStatement({ sid: 'TakeFromQueue', actions, resources: [this.queue.queueArn] }));
    fn.node.addDependency(role);
    return fn;
  }

  /** The function's role; the statements it needs are added by whoever knows its job. */
  get role(): Role {
    return this.node.findChild('Role') as Role;
  }

  private alarm(id: string, metric: ReturnType<Queue['metric']>, threshold: number, alarmDescription: string): Alarm {
    return new Alarm(this, id, {
      metric,
      threshold,
      alarmDescription,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}
