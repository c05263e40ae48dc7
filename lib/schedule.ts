/** What makes the control plane look: each minute, and when EC2 says that an instance changed its state. Sends messages, runs nothing. */
import { Duration } from 'aws-cdk-lib';
import { Schedule as EventSchedule, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface ScheduleProps {
  healthCheckQueue: Queue;
  /** Hears each minute as well, so that its worker is started when a balancer's claim comes. */
  failoverQueue: Queue;
  /** Event sources beside `aws.ec2`; EventBridge takes no others' events under an `aws.` name, so an emulator has its own. */
  extraSources: string[];
}

export class Schedule extends Construct {
  constructor(scope: Construct, id: string, { healthCheckQueue, failoverQueue, extraSources }: ScheduleProps) {
    super(scope, id);
    const message = (kind: 'minute' | 'sweep' | 'stayReady') => ({ message: RuleTargetInput.fromObject({ kind }) });
    new Rule(this, 'EachMinute', {
      schedule: EventSchedule.rate(Duration.minutes(1)),
      targets: [new SqsQueue(healthCheckQueue, message('minute')), new SqsQueue(failoverQueue, message('stayReady'))],
    });
    new Rule(this, 'StateChanges', {
      eventPattern: { source: ['aws.ec2', ...extraSources], detailType: ['EC2 Instance State-change Notification'] },
      targets: [new SqsQueue(healthCheckQueue, message('sweep'))],
    });
  }
}
