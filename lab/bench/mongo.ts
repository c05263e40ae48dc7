/** `lab bench mongo`: a replica set under a steady writer, its members killed, replaced, scaled and frozen. Says in which order; the acts are in mongo-acts.ts. */
import { parseSpec } from '../../lambdas/core/spec';
import { operatorPorts } from '../../lambdas/runtime';
import { thawAll } from '../frozen';
import type { Lab } from '../lab';
import { LabError } from '../lab-error';
import { type MongoWriter, startMongoWriter } from '../mongo-writer';
import { runCli } from '../project-cli';
import type { BenchContext, BenchResult, LabBench } from './bench';
import { type ActContext, freezeVoter, hostOfSlot, killVoter, replaceLiving, scaleTo } from './mongo-acts';
import { type Change, type Freeze, mongoSummary, type Replacement, wrongs } from './mongo-figures';
import { renderMongo } from './mongo-report';

const CLUSTER = 'bench';
const CREATE_S = 240;
const DELETE_S = 120;
const WRITES_A_SECOND = 50;

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
async function openContext({ lab, say, atEnd }: BenchContext): Promise<ActContext> {
  const ports = await operatorPorts();
  const read = async () => (await ports.rows.get(CLUSTER))?.status ?? null;
  const row = await ports.rows.get(CLUSTER);
  if (row) throw new LabError(`${CLUSTER}: exists already; delete it first: fiware-ha delete ${CLUSTER} --confirm ${CLUSTER} --wait`);
  atEnd(() => clearAway(lab, say));
  say(`fiware-ha create ${CLUSTER} --orion 1 --mongo 3 --wait`);
  const args = ['create', CLUSTER, '--orion', '1', '--mongo', '3', '--wait', '--timeout', String(CREATE_S)];
  await runCli(lab.endpoint, args, () => undefined);
  const spec = parseSpec({ name: CLUSTER });
  if (!spec.ok) throw new Error(spec.problems.join('; '));
  const status = await read();
  const members = (status?.slots ?? []).filter((slot) => slot.role === 'mongo');
  const writer = await startMongoWriter({
    seeds: members.map(hostOfSlot),
    replicaSet: spec.value.mongo.replicaSet,
    everyMs: 1000 / WRITES_A_SECOND,
  });
  const { slotCooldownS } = spec.value.policy;
  return { lab, cluster: CLUSTER, ports, writer, read, say, slotCooldownS, replacedAtMs: new Map() };
}

async function measureWith(context: ActContext, writer: MongoWriter, runs: number): Promise<BenchResult> {
  const { say, lab } = context;
  const server = await writer.serverFacts();
  say(`writing ${WRITES_A_SECOND} documents a second to ${server.version}, election timeout ${server.electionTimeoutS} s`);
  const kills: Replacement[] = [];
  for (let run = 1; run <= runs; run++) {
    say(`run ${run} of ${runs}`);
    kills.push(await killVoter(context, 'primary'));
    kills.push(await killVoter(context, 'secondary'));
  }
  const changes: Change[] = [await replaceLiving(context), await scaleTo(context, 5), await scaleTo(context, 3)];
  const freezes: Freeze[] = [await freezeVoter(context, 'secondary'), await freezeVoter(context, 'primary')];
  say('reading everything back');
  const readBack = await writer.stopAndReadBack();
  const figures = { runs, kills, changes, freezes, written: writer.written(), readBack, server, database: lab.standIns.mongo };
  return { text: renderMongo(figures), summary: mongoSummary(figures), isGood: wrongs(figures).length === 0 };
}

async function measure(bench: BenchContext): Promise<BenchResult> {
  const context = await openContext(bench);
  try {
    return await measureWith(context, context.writer, bench.runs);
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
