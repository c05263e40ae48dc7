/** Alarms on the control plane as a whole and on what it can't mend. Each text says where to read on. */
import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { runbook } from './runbook';

/** Powertools' namespace and the dimension it adds. */
function counted(metricName: string, service: string, minutes: number): Metric {
  return new Metric({
    namespace: 'fiware-ha',
    metricName,
    dimensionsMap: { service },
    statistic: 'Sum',
    period: Duration.minutes(minutes),
  });
}

export class PlaneAlarms extends Construct {
  readonly alarms: Alarm[];

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const missingTicks = new Alarm(this, 'MissingTicks', {
      metric: counted('Sweeps', 'health-check', 3),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: TreatMissingData.BREACHING,
      alarmDescription: runbook('missing-ticks', 'No cluster was looked at for three minutes'),
    });
    this.alarms = [
      missingTicks,
      this.onCount('MajorityLost', runbook('majority-lost', 'A replica set has lost its majority; nothing is forced')),
      this.onCount(
        'AllBrokersSick',
        runbook('all-brokers-sick', 'No broker of a cluster is well; they are not replaced for what they share'),
      ),
      this.onCount('RolloutStopped', runbook('rollout-stopped', 'New settings made a node unhealthy, or were refused')),
      this.onCount('BreakerOpen', runbook('breaker-open', 'So much of a cluster looks sick that nothing is taken down')),
      this.onCount('BlockedDecisions', runbook('blocked-decisions', 'Something should be done and may not, for a quarter of an hour'), 15),
      this.onCount('TicksCut', runbook('old-messages', 'Looks come so late that newer ones have overtaken them'), 3),
      this.onCount('MessagesCut', runbook('function-errors', 'A check hangs each time and is cut; others go on'), 3),
    ];
  }

  /** Alarms when a counter of the health-check function is above zero in so many minutes running. */
  private onCount(metricName: string, alarmDescription: string, minutes = 2): Alarm {
    return new Alarm(this, metricName, {
      metric: counted(metricName, 'health-check', 1),
      threshold: 1,
      evaluationPeriods: minutes,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription,
    });
  }
}
