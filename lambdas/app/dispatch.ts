/** One function a queue: hands a decoded message to the use case that runs it. */
import type { FailoverMessage, HealthCheckJob, ProvisionMessage } from '../core/jobs';
import { FACTS_MAX_AGE_MS } from '../core/plan/gates';
import { hearClaim } from './address-claims';
import { checkCluster } from './check';
import { executeJob } from './execute';
import { fanOutMinute, sweep } from './fan-out';
import type { Context } from './ports';
import { carryOut } from './requests';

/** A check that takes longer is cut: the next tick looks anew, and no cluster may keep a worker from the others, ms. */
export const CHECK_MAX_MS = 10_000;

/** A minute or sweep sent this long ago is over: newer ones are there. A sweep waits up to a minute by its own delay, ms. */
const OVER_AFTER_MS = { minute: 90_000, sweep: 120_000 } as const;

/** Whether a message has been overtaken, so that a backlog is passed over and not worked off: a late look helps nobody. */
function isOver(message: HealthCheckJob, sentAtMs: number, nowMs: number): boolean {
  switch (message.kind) {
    case 'minute':
    case 'sweep':
      return nowMs - sentAtMs > OVER_AFTER_MS[message.kind];
    case 'check':
      return message.facts !== undefined && nowMs - message.facts.atMs > FACTS_MAX_AGE_MS;
    default:
      return false;
  }
}

/** One message of the health-check queue; `sentAtMs`: when it was sent, now where that is not known. */
export async function runHealthCheck(context: Context, message: HealthCheckJob, sentAtMs?: number): Promise<void> {
  const { clock, telemetry } = context.ports;
  const nowMs = clock.nowMs();
  if (isOver(message, sentAtMs ?? nowMs, nowMs)) {
    telemetry.count('TicksCut');
    telemetry.warn('tick: cut, a newer one is under way', {
      kind: message.kind,
      ...('cluster' in message ? { cluster: message.cluster } : {}),
    });
    return;
  }
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
