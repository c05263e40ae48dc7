/** `lab bench failover`: the holder of the address killed and hung, ours and the slides' recipe side by side. Says in which order; the acts are in failover-acts.ts. */
import { cpus, loadavg } from 'node:os';
import type { BenchContext, BenchResult, LabBench } from './bench';
import { untilStopped } from './bench-cluster';
import { type EntryBench, RATE_PER_S, TIMEOUT_MS, withEntryBench } from './entry-bench';
import { makeDeaf, stopProxies, takeOver } from './failover-acts';
import { ADDRESS_GOAL, type FailoverFigures, failoverSummary, failoverWrongs } from './failover-figures';
import { failoverPicture, renderFailover } from './failover-report';

/**
 * One database member: the entry is measured, not the database. The policy makes the pair whole again sooner between two runs; how fast
 * the address moves does not depend on it, because a claim is decided by the failover worker's own looks.
 */
const SPEC = {
  orion: { count: 2 },
  mongo: { count: 1 },
  policy: { deadAfterS: 5, restartsBeforeReplace: 0, slotCooldownS: 0 },
} as const;

const HELP = `Two clients send ${RATE_PER_S} requests a second each, at fixed times, one through our address and one through that of a second
pair in front of the same brokers, set up by the FIWARE HA slides (tcp mode, advertisement 1 s, killall -0 every 2 s), while
  N times   both holders are killed (docker kill), and both are hung (docker pause): until the first request is served
  once      the balancers of each pair are kept from hearing each other for 30 s, all of them healthy;
            HAProxy alone is stopped on both holders (SIGSTOP), which killall -0 does not see
A request fails after ${TIMEOUT_MS / 1000} s; no client sends one twice. Last line with --json:
  {"addressP50S":…,"addressP99S":…,"recipeP50S":…,"hungP50S":…,"runs":N}
  addressP50S, addressP99S  ours killed; goals ${ADDRESS_GOAL.p50S} s and ${ADDRESS_GOAL.p99S} s, and ${ADDRESS_GOAL.timesAsFast} times as fast as the recipe
  recipeP50S                the recipe killed
  hungP50S                  ours hung; goal ${ADDRESS_GOAL.hungS} s at most in each run
Takes about half a minute a run and 3 minutes more.`;

type Measured = Pick<FailoverFigures, 'takeovers' | 'deafness' | 'stuckProxy' | 'stoppedBy'>;

function act(bench: EntryBench, runs: number): Promise<Measured> {
  const done: Measured = { takeovers: [], deafness: null, stuckProxy: null };
  return untilStopped(done, bench.say, async () => {
    for (let run = 1; run <= runs; run++) {
      bench.say(`run ${run} of ${runs}`);
      for (const fault of ['killed', 'hung'] as const) done.takeovers.push(await takeOver(bench, fault));
    }
    done.deafness = await makeDeaf(bench);
    done.stuckProxy = await stopProxies(bench);
  });
}

async function measure(context: BenchContext): Promise<BenchResult> {
  const { runs } = context;
  const { result, delays, recipeVersions } = await withEntryBench(context, SPEC, (bench) => act(bench, runs));
  const machine = { cores: cpus().length, load: loadavg()[0] ?? Number.NaN };
  const figures: FailoverFigures = { runs, ...result, delays, recipeVersions, machine };
  return {
    text: renderFailover(figures),
    summary: failoverSummary(figures),
    isGood: failoverWrongs(figures).length === 0,
    pictures: [{ name: 'failover', spec: failoverPicture(figures) }],
  };
}

export const failoverBench: LabBench = {
  name: 'failover',
  about: "kills and hangs the holder of the address under traffic, side by side with the slides' recipe",
  help: HELP,
  runsDefault: 5,
  measure,
};
