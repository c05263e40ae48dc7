/** One function a queue: hands a decoded message to the use case that runs it. */
import type { FailoverJob, HealthCheckJob, ProvisionMessage } from '../core/jobs';
import type { Context } from './ports';

/** One message of the health-check queue. */
export async function runHealthCheck(_context: Context, _message: HealthCheckJob): Promise<void> {
  throw new Error('not yet');
}

/** One message of the provision queue; `messageId` becomes the job key of a user's message without one. */
export async function runProvision(_context: Context, _message: ProvisionMessage, _messageId: string): Promise<void> {
  throw new Error('not yet');
}

/** One message of the failover queue. */
export async function runFailover(_context: Context, _message: FailoverJob): Promise<void> {
  throw new Error('not yet');
}
