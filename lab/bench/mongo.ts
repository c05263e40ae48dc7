/** `lab bench mongo`: a replica set under a steady writer, its members killed, replaced, scaled and frozen. Says in which order; the acts are in mongo-acts.ts. */
import { cpus, loadavg } from 'node:os';
import { operatorPorts } from '../../lambdas/runtime';
import { thawAll } from '../frozen';
import type { Lab } from '../lab';
import { LabError } from '../lab-error';
import { runCli } from '../project-cli';
import type { BenchContext, BenchResult, LabBench } from './bench';
import { type ActContext, freezeVoter, killVoter, openActs, replaceLiving, scaleTo, WRITES_A_SECOND } from './mongo-acts';
import { type MongoFigures, mongoSummary, wrongs } from './mongo-figures';
import { renderMongo } from './mongo-report';

const CLUSTER = 'bench';
const CREATE_S = 240;
const DELETE_S = 120;

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

/** Creates the cluster as a person would, and starts writing to it. */
async function createAndOpen({ lab, say, atEnd }: BenchContext): Promise<ActContext> {
  if (await (await operatorPorts()).rows.get(CLUSTER))
    throw new LabError(`${CLUSTER}: exists already; delete it first: fiware-ha delete ${CLUSTER} --confirm ${CLUSTER} --wait`);
  atEnd(() => clearAway(lab, say));
  say(`fiware-ha create ${CLUSTER} --orion 1 --mongo 3 --wait`);
  const args = ['create', CLUSTER, '--orion', '1', '--mongo', '3', '--wait', '--timeout', String(CREATE_S)];
  await runCli(lab.endpoint, args, () => undefined);
  return openActs({ lab, say }, CLUSTER);
}

type Acts = Pick<MongoFigures, 'kills' | 'changes' | 'freezes' | 'stoppedBy'>;

/** One act after the other. One that the cluster does not get over ends them; what was measured until then stays. */
async function act(context: ActContext, runs: number): Promise<Acts> {
  const done: Acts = { kills: [], changes: [], freezes: [] };
  try {
    for (let run = 1; run <= runs; run++) {
      context.say(`run ${run} of ${runs}`);
      done.kills.push(await killVoter(context, 'primary'));
      done.kills.push(await killVoter(context, 'secondary'));
    }
    done.changes.push(await replaceLiving(context));
    for (const count of [5, 3]) done.changes.push(await scaleTo(context, count));
    for (const victim of ['secondary', 'primary'] as const) done.freezes.push(await freezeVoter(context, victim));
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    context.say(error.message);
    done.stoppedBy = error.message;
  }
  return done;
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

async function clearAway(lab: Lab, say: (line: string) => void): Promise<void> {
  await thawAll();
  if (!(await (await operatorPorts()).rows.get(CLUSTER))) return;
  say(`fiware-ha delete ${CLUSTER} --confirm ${CLUSTER} --wait`);
  await runCli(lab.endpoint, ['delete', CLUSTER, '--confirm', CLUSTER, '--wait', '--timeout', String(DELETE_S)], () => undefined);
}

export const mongoBench: LabBench = {
  name: 'mongo',
  about: 'kills, replaces, scales and freezes replica-set members under a majority writer; counts lost writes',
  help: HELP,
  runsDefault: 3,
  measure,
};
