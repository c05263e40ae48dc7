/** A simulated cluster for tests: creates one, waits, and reads what anybody outside could read. Asserts nothing. */
import type { JournalEntry } from '../../lambdas/app/ports';
import type { ClusterRow } from '../../lambdas/core/memory';
import type { Role } from '../../lambdas/core/names';
import type { SimNode } from '../../sim/sim-node';
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

/** Edits the stored spec as a person would. @throws where there is none */
export function changeSpec(world: World, edit: (spec: Record<string, unknown>) => Record<string, unknown>): void {
  const stored = world.state.specs.get('city');
  if (!stored) throw new Error('no spec is stored');
  world.state.specs.set('city', { ...stored, text: JSON.stringify(edit(JSON.parse(stored.text))), version: stored.version + 1 });
}

/** Lets time pass until all is as it should be. @throws with the last plan's words where it is not in time */
export async function settle(world: World, withinS = 1_800): Promise<void> {
  await world.pass(20);
  if (!(await world.pass(withinS, () => isSettled(world)))) throw new Error(`not settled: ${rowOf(world)?.status?.sentence}`);
}

/** Nodes of a role that are not gone, in the order of their launch. */
export function nodesOf(world: World, role: Role): SimNode[] {
  return [...world.cloud.nodes.values()].filter(({ fact }) => fact.role === role && fact.state !== 'terminated');
}

/** Slots of a role that have such a node, sorted. */
export function slotsOf(world: World, role: Role): string[] {
  return nodesOf(world, role)
    .map(({ fact }) => fact.slot)
    .sort();
}

/** The node that fills a slot. @throws where nobody does */
export function nodeIn(world: World, role: Role, slot: string): SimNode {
  const node = nodesOf(world, role).find(({ fact }) => fact.slot === slot);
  if (!node) throw new Error(`no ${role} fills ${slot}`);
  return node;
}
