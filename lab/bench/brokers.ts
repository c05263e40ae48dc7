/** `lab bench brokers`: brokers killed beside the slides' recipe, reloaded, added, removed and replaced under traffic. Says in which order; the acts are in brokers-acts.ts. */
import { cpus, loadavg } from 'node:os';
import type { BenchContext, BenchResult, LabBench } from './bench';
import { untilStopped } from './bench-cluster';
import { BROKERS, loseBroker, reconfigureBrokers, reloadBalancers, replaceBroker, scaleIn, scaleOut } from './brokers-acts';
import { type BrokersFigures, brokersSummary, brokersWrongs, REPLACED_GOAL_S, SCALE_OUT_GOAL_S } from './brokers-figures';
import { brokersPicture, renderBrokers } from './brokers-report';
import { type EntryBench, RATE_PER_S, TIMEOUT_MS, withEntryBench } from './entry-bench';

/** One database member: brokers are measured, not the database. A person's faults come further apart than a slot's rest, so there is none. */
const SPEC = { orion: { count: BROKERS }, mongo: { count: 1 }, policy: { slotCooldownS: 0 } } as const;

const HELP = `Two clients send ${RATE_PER_S} requests a second each, at fixed times, one through our address and one through that of a second
pair in front of the same brokers, set up by the FIWARE HA slides. N times, one after the other:
  a broker is killed (docker kill) behind both pairs, until a new one serves through our address
  the balancers get a new configuration; two brokers more by a raw SQS message, and back; a healthy broker
  gets a successor; the brokers get a new setting (each restarts in turn)
A request fails after ${TIMEOUT_MS / 1000} s; no client sends one twice. Last line with --json:
  {"failedIdempotent":0,"recipeFailed":…,"replacedMedianS":…,"scaleOutMedianS":…}
  failedIdempotent  GET and PUT of ours that failed, in all acts; goal 0
  recipeFailed      requests of all kinds that failed at the recipe while a broker was dead
  replacedMedianS   broker killed until a new one serves; goal ${REPLACED_GOAL_S} s
  scaleOutMedianS   message enqueued until both new brokers have served; goal ${SCALE_OUT_GOAL_S} s
Takes about 2 minutes a run and 2 more.`;

type Measured = Pick<BrokersFigures, 'losses' | 'changes' | 'stoppedBy'>;

function act(bench: EntryBench, runs: number): Promise<Measured> {
  const done: Measured = { losses: [], changes: [] };
  return untilStopped(done, bench.say, async () => {
    for (let run = 1; run <= runs; run++) {
      bench.say(`run ${run} of ${runs}`);
      done.losses.push(await loseBroker(bench, run));
      done.changes.push(await reloadBalancers(bench));
      done.changes.push(await scaleOut(bench));
      done.changes.push(await scaleIn(bench));
      done.changes.push(await replaceBroker(bench, run));
      done.changes.push(await reconfigureBrokers(bench));
    }
  });
}

async function measure(context: BenchContext): Promise<BenchResult> {
  const { runs } = context;
  const { result, delays, recipeVersions } = await withEntryBench(context, SPEC, (bench) => act(bench, runs));
  const machine = { cores: cpus().length, load: loadavg()[0] ?? Number.NaN };
  const figures: BrokersFigures = { runs, ...result, delays, recipeVersions, machine };
  return {
    text: renderBrokers(figures),
    summary: brokersSummary(figures),
    isGood: brokersWrongs(figures).length === 0,
    pictures: [{ name: 'brokers', spec: brokersPicture(figures) }],
  };
}

export const brokersBench: LabBench = {
  name: 'brokers',
  about: "kills, adds, removes, replaces and reconfigures brokers under traffic; counts failed requests beside the slides' recipe",
  help: HELP,
  runsDefault: 5,
  measure,
};
