/** A simulated cluster for tests: creates one, waits, and reads what anybody outside could read. Asserts nothing. */
import type { JournalEntry } from '../../lambdas/app/ports';
import type { ClusterRow } from '../../lambdas/core/memory';
import { World, type WorldOptions } from '../../sim/world';

export const CREATE_WITHIN_S = 900;

export function rowOf(world: World, cluster = 'city'): ClusterRow | undefined {
  return world.state.rows.get(cluster);
}

export function isSettled(world: World, cluster = 'city'): boolean {
  const row = rowOf(world, cluster);
  return row?.status?.converged === true && Object.keys(row.memory.inFlight).length === 0;
}

/** A world whose clusters are created and as they should be; throws where one is not so in time. */
export async function aWorldWith(clusters: string[], options: WorldOptions): Promise<World> {
  const world = new World(options);
  for (const cluster of clusters) world.send('provision', { kind: 'createCluster', cluster });
  const areSettled = (): boolean => clusters.every((cluster) => isSettled(world, cluster));
  if (!(await world.pass(CREATE_WITHIN_S, areSettled))) throw new Error(`not settled within ${CREATE_WITHIN_S} simulated seconds`);
  return world;
}

export function journalOf(world: World, cluster = 'city'): JournalEntry[] {
  return world.state.journal.filter((entry) => entry.cluster === cluster);
}
