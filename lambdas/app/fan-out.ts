/** Fans out: a minute becomes sweeps, a sweep becomes one check a cluster. Constant work in EC2 calls, whatever the number of clusters. */
import { type Context, PortError } from './ports';

/** Turns the schedule's minute into sweeps `tickEveryS` apart; SQS delays them (EventBridge is precise to a minute only). */
export async function fanOutMinute({ ports, settings }: Context): Promise<void> {
  const delaysS: number[] = [];
  for (let delayS = 0; delayS < 60; delayS += settings.tickEveryS) delaysS.push(delayS);
  await Promise.all(delaysS.map((delayS) => ports.queues.send('health-check', { kind: 'sweep' }, delayS)));
}

/** Reads EC2 once for all clusters and sends each its part. A failed read ends the sweep: unknown facts help nobody. */
export async function sweep({ ports }: Context): Promise<void> {
  const { compute, specs, rows, queues, clock, telemetry } = ports;
  const atMs = clock.nowMs();
  try {
    const [fleet, declared, known] = await Promise.all([compute.describeFleet(), specs.listClusters(), rows.listClusters()]);
    const clusters = [...new Set([...known, ...declared])].sort();
    await Promise.all(
      clusters.map((cluster) => {
        const instances = fleet.instances.filter((fact) => fact.cluster === cluster && fact.state !== 'terminated');
        const addresses = fleet.addresses.filter((address) => address.cluster === cluster);
        return queues.send('health-check', { kind: 'check', cluster, facts: { atMs, instances, addresses } });
      }),
    );
    telemetry.count('Sweeps');
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    telemetry.count('SweepsFailed');
    telemetry.warn('sweep: the fleet could not be read; the next tick tries again', { code: error.code, detail: error.message });
  }
}
