/** One function a queue: hands a decoded message to the use case that runs it. */
import type { FailoverMessage, HealthCheckJob, ProvisionMessage } from '../core/jobs';
import { hearClaim } from './address-claims';
import { checkCluster } from './check';
import { executeJob } from './execute';
import { fanOutMinute, sweep } from './fan-out';
import type { Context } from './ports';
import { carryOut } from './requests';

/** One message of the health-check queue. */
export async function runHealthCheck(context: Context, message: HealthCheckJob): Promise<void> {
  switch (message.kind) {
    case 'minute':
      return fanOutMinute(context);
    case 'sweep':
      return sweep(context);
    case 'check':
      return checkCluster(context, message.cluster, message.facts);
    case 'repairMajority':
      return carryOut(context, message, message.jobKey);
  }
}

/** One message of the provision queue; `messageId` becomes the job key of a user's message without one. */
export async function runProvision(context: Context, message: ProvisionMessage, messageId: string): Promise<void> {
  switch (message.kind) {
    case 'createCluster':
    case 'scale':
    case 'deleteCluster':
      return carryOut(context, message, messageId);
    case 'repairMajority':
      // It looks at members and plans: the health-check function alone has the way to them and may send what is planned.
      return context.ports.queues.send('health-check', { ...message, jobKey: message.jobKey ?? messageId });
    default:
      return executeJob(context, message);
  }
}

/** One message of the failover queue. */
export async function runFailover(context: Context, message: FailoverMessage): Promise<void> {
  switch (message.kind) {
    case 'claimAddress':
      return hearClaim(context, message);
    case 'stayReady':
      return;
    default:
      return executeJob(context, message);
  }
}
