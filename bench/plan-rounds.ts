/** The program that bench/plans.ts bundles and runs: plans again and again, prints plans a second by situation as JSON. Uses core alone. */
import { plan } from '../lambdas/core/plan/plan';
import { aHealthyWorld, change, dead, NOW_MS, type World } from '../test/builders';
import { cpuMs } from './cpu-time';
import { median } from './figure';

const ROUNDS = 5;
const ROUND_MS = 400;
/** Calls between two looks at the clock. */
const BATCH = 50;

function twelveNodes(): World {
  const world = aHealthyWorld({ orion: { count: 7 } });
  if (world.nodes.length !== 12) throw new Error(`plans: expected 12 nodes; got ${world.nodes.length}`);
  return world;
}

function worlds(): { what: string; world: World; jobs: number }[] {
  const well = twelveNodes();
  return [
    { what: 'all well', world: well, jobs: 0 },
    { what: 'a broker dead', world: change(well, 'ctx3', (node) => dead(node)), jobs: 1 },
    { what: 'the address holder dead', world: change(well, 'lb1', (node) => dead(node)), jobs: 1 },
    { what: 'a replica-set member dead', world: change(well, 'mdb2', (node) => dead(node)), jobs: 1 },
  ];
}

function planOnce({ spec, observation, memory }: World) {
  return plan(spec, 'active', observation, memory, NOW_MS);
}

function plansASecond(world: World): number {
  const round = () => {
    const startMs = cpuMs();
    let plans = 0;
    let tookMs = 0;
    while (tookMs < ROUND_MS) {
      for (let i = 0; i < BATCH; i++) planOnce(world);
      plans += BATCH;
      tookMs = cpuMs() - startMs;
    }
    return (plans / tookMs) * 1000;
  };
  round();
  return Math.round(median(Array.from({ length: ROUNDS }, round)));
}

const measured = worlds().map(({ what, world, jobs }) => {
  const planned = planOnce(world).jobs;
  // A plan that does not see the trouble would be fast for the wrong reason.
  if (planned.length < jobs || (jobs === 0 && planned.length > 0))
    throw new Error(
      `plans: ${what}: expected ${jobs === 0 ? 'no job' : 'a job'}; got ${planned.map((job) => job.kind).join(', ') || 'none'}`,
    );
  return { what, plansASecond: plansASecond(world) };
});
console.log(JSON.stringify(measured));
