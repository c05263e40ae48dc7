/** `lab bench mongo`: a replica set under a steady writer, its members killed, replaced, scaled and frozen. Says in which order; the acts are in mongo-acts.ts. */
import { cpus, loadavg } from 'node:os';
import { thawAll } from '../frozen';
import type { BenchContext, BenchResult, LabBench } from './bench';
import { CLUSTER, createCluster, untilStopped } from './bench-cluster';
import { type ActContext, freezeVoter, killVoter, openActs, replaceLiving, scaleTo, WRITES_A_SECOND } from './mongo-acts';
import { type MongoFigures, mongoSummary, wrongs } from './mongo-figures';
import { renderMongo } from './mongo-report';

const HELP = `A writer with MongoDB's own driver inserts ${WRITES_A_SECOND} documents a second, majority-acknowledged, while
  N times   the primary is killed (docker kill), then a secondary: until its replacement votes
  once      a living secondary is terminated through EC2; the set is scaled 3 -> 5 -> 3; a secondary
            and then the primary are frozen (docker pause) until the set is without them, and thawed
In the end every document is read back. Last line with --json:
  {"lostWrites":0,"replaceMedianS":…,"failoverMedianS":…,"runs":N,"mongod":"real"|"stand-in"}
  lostWrites       acknowledged and not there
  replaceMedianS   voter killed until its replacement votes; goal: 30 s at most, without the sync's time
  failoverMedianS  primary killed until the next acknowledged write; the set's election, nothing of ours
Takes about 2 minutes a run and 6 more. Set MONGOD or MONGO_IMAGE for a real mongod (see lab/README.md).`;

/** Creates the cluster, and starts writing to it. */
async function createAndOpen(context: BenchContext): Promise<ActContext> {
  await createCluster(context, ['--orion', '1', '--mongo', '3'], '--orion 1 --mongo 3 --wait');
  return openActs(context, CLUSTER);
}

type Acts = Pick<MongoFigures, 'kills' | 'changes' | 'freezes' | 'stoppedBy'>;

function act(context: ActContext, runs: number): Promise<Acts> {
  const done: Acts = { kills: [], changes: [], freezes: [] };
  return untilStopped(done, context.say, async () => {
    for (let run = 1; run <= runs; run++) {
      context.say(`run ${run} of ${runs}`);
      done.kills.push(await killVoter(context, 'primary'));
      done.kills.push(await killVoter(context, 'secondary'));
    }
    done.changes.push(await replaceLiving(context));
    for (const count of [5, 3]) done.changes.push(await scaleTo(context, count));
    for (const victim of ['secondary', 'primary'] as const) done.freezes.push(await freezeVoter(context, victim));
  });
}

async function measureWith(context: ActContext, runs: number): Promise<BenchResult> {
  const { say, lab, writer } = context;
  const server = await writer.serverFacts();
  say(`writing ${WRITES_A_SECOND} documents a second to ${server.version}, election timeout ${server.electionTimeoutS} s`);
  const acts = await act(context, runs);
  await thawAll();
  say('reading everything back');
  const readBack = await writer.stopAndReadBack();
  const machine = { cores: cpus().length, load: loadavg()[0] ?? Number.NaN };
  const figures = { ...acts, runs, written: writer.written(), readBack, server, database: lab.standIns.mongo, machine };
  return { text: renderMongo(figures), summary: mongoSummary(figures), isGood: wrongs(figures).length === 0 };
}

async function measure(bench: BenchContext): Promise<BenchResult> {
  const context = await createAndOpen(bench);
  try {
    return await measureWith(context, bench.runs);
  } finally {
    await thawAll();
    await context.writer.close();
  }
}

export const mongoBench: LabBench = {
  name: 'mongo',
  about: 'kills, replaces, scales and freezes replica-set members under a majority writer; counts lost writes',
  help: HELP,
  runsDefault: 3,
  measure,
};
