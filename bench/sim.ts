/** Measures how fast virtual time passes: simulated seconds a second of CPU time, real use cases and core included. Judges no behaviour. */
import { World } from '../sim/world';
import { cpuMs } from './cpu-time';
import { type Bench, type Figure, median } from './figure';

const CLUSTER = 'bench';
const SEEDS = [1, 2, 3, 4, 5];
const HOUR_S = 3_600;
const KILL_EVERY_S = 600;
const GOAL = { atLeast: 1_000 };

async function aCity(seed: number): Promise<World> {
  const world = new World({ seed });
  world.send('provision', { kind: 'createCluster', cluster: CLUSTER });
  const isUp = await world.pass(HOUR_S, () => world.state.rows.get(CLUSTER)?.status?.converged === true);
  if (!isUp) throw new Error(`sim: the cluster did not come up within ${HOUR_S} simulated seconds, seed ${seed}`);
  return world;
}

async function calmHour(world: World): Promise<void> {
  await world.pass(HOUR_S);
}

async function hourOfKills(world: World): Promise<void> {
  for (let passedS = 0; passedS < HOUR_S; passedS += KILL_EVERY_S) {
    const broker = [...world.cloud.nodes.values()].find(({ fact }) => fact.role === 'orion' && fact.state === 'running');
    if (broker) world.cloud.terminate(broker.fact.instanceId, false);
    await world.pass(KILL_EVERY_S);
  }
}

async function simulatedSecondsASecond(hour: (world: World) => Promise<void>): Promise<number> {
  const speeds: number[] = [];
  for (const seed of SEEDS) {
    const world = await aCity(seed);
    const startMs = cpuMs();
    await hour(world);
    speeds.push(HOUR_S / ((cpuMs() - startMs) / 1000));
  }
  return Math.round(median(speeds));
}

export const sim: Bench = {
  name: 'sim',
  about: 'simulated seconds a second of CPU time, for one cluster of seven nodes',
  async run(): Promise<Figure[]> {
    const note = `median of ${SEEDS.length} seeds, an hour each`;
    const unit = 'simulated s/s';
    return [
      { what: 'a calm hour', value: await simulatedSecondsASecond(calmHour), unit, goal: GOAL, note },
      { what: 'a broker killed every 10 minutes', value: await simulatedSecondsASecond(hourOfKills), unit, goal: GOAL, note },
    ];
  },
};
