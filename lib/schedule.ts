/** What makes the control plane look: each minute, and when EC2 says that an instance changed its state. Sends messages, runs nothing. */
import { Duration } from 'aws-cdk-lib';
import { Schedule as EventSchedule, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface ScheduleProps {
  healthCheckQueue: Queue;
  /** Event sources beside `aws.ec2`; EventBridge takes no others' events under an `aws.` name, so an emulator has its own. */
  extraSources: string[];
}

export class Schedule extends Construct {
  constructor(scope: Construct, id: string, { healthCheckQueue, extraSources }: ScheduleProps) {
    super(scope, id);
    const target = (kind: 'minute' | 'sweep') => new SqsQueue(healthCheckQueue, { message: RuleTargetInput.fromObject({ kind }) });
    new Rule(this, 'EachMinute', { schedule: EventSchedule.rate(Duration.minutes(1)), targets: [target('minute')] });
    new Rule(this, 'StateChanges', {
      eventPattern: { source: ['aws.ec2', ...extraSources], detailType: ['EC2 Instance State-change Notification'] },
      targets: [target('sweep')],
    });
  }
}
