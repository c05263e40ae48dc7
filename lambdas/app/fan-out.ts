/** Fans out: a minute becomes sweeps, a sweep becomes one check a cluster. Constant work in EC2 calls, whatever the number of clusters. */
import type { CloudFacts } from '../core/facts';
import { MESSAGE_MAX_CHARS } from '../core/jobs';
import { type Context, PortError } from './ports';

/** Turns the schedule's minute into sweeps `tickEveryS` apart; SQS delays them (EventBridge is precise to a minute only). */
export async function fanOutMinute({ ports, settings }: Context): Promise<void> {
  const delaysS: number[] = [];
  for (let delayS = 0; delayS < 60; delayS += settings.tickEveryS) delaysS.push(delayS);
  await Promise.all(delaysS.map((delayS) => ports.queues.send('health-check', { kind: 'sweep' }, delayS)));
}

/** Sends one cluster its part; one that can't be sent keeps no other from its own. Facts beyond a message's size are left to the check to read. */
async function sendCheck({ ports }: Context, cluster: string, facts: CloudFacts): Promise<boolean> {
  const whole = { kind: 'check', cluster, facts };
  try {
    await ports.queues.send('health-check', JSON.stringify(whole).length > MESSAGE_MAX_CHARS ? { kind: 'check', cluster } : whole);
    return true;
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    ports.telemetry.warn('sweep: a check was not sent; the next tick tries again', { cluster, code: error.code, detail: error.message });
    return false;
  }
}

/** Reads EC2 once for all clusters and sends each its part. A failed read ends the sweep: unknown facts help nobody. */
export async function sweep(context: Context): Promise<void> {
  const { compute, specs, rows, clock, telemetry } = context.ports;
  const atMs = clock.nowMs();
  try {
    const [fleet, declared, known] = await Promise.all([compute.describeFleet(), specs.listClusters(), rows.listClusters()]);
    const clusters = [...new Set([...known, ...declared])].sort();
    const sent = await Promise.all(
      clusters.map((cluster) => {
        const instances = fleet.instances.filter((fact) => fact.cluster === cluster && fact.state !== 'terminated');
        const addresses = fleet.addresses.filter((address) => address.cluster === cluster);
        return sendCheck(context, cluster, { atMs, instances, addresses });
      }),
    );
    telemetry.count(sent.length > 0 && !sent.includes(true) ? 'SweepsFailed' : 'Sweeps');
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    telemetry.count('SweepsFailed');
    telemetry.warn('sweep: the fleet could not be read; the next tick tries again', { code: error.code, detail: error.message });
  }
}
