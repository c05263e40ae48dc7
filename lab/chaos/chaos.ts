/** `lab chaos`: one cluster, clients through its address, and one scenario after the other. Says in which order; what they do is in on-*.ts. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { Table } from '../../lambdas/aws/table';
import { makeClaims } from '../../lambdas/aws/table-stores';
import type { SpecInput } from '../../lambdas/core/spec';
import { operatorPorts } from '../../lambdas/runtime';
import type { BenchContext, BenchResult, LabBench } from '../bench/bench';
import { CLUSTER, createCluster, untilStopped, writeSpec } from '../bench/bench-cluster';
import { errorsInWords } from '../bench/figures-text';
import { makeClients } from '../clients';
import { knownJobs, lostJobs } from './accounting';
import { type ChaosFigures, chaosSummary, isChaosGood, type Played, renderChaos, scenarioLine } from './chaos-report';
import { type ChaosClient, CREATES_PER_S, REQUESTS_PER_S, startClient, TIMEOUT_MS } from './client';
import { watchHolders } from './holder-watch';
import { thawApis } from './plane-hands';
import { play, type Theatre } from './play';
import type { Scenario } from './scenario';
import { untilWhole } from './whole';
import { watchWritten } from './written';

const REPLICA_SET = 'orion_rs';
/** A person waits: dead after 5 s instead of 15, and no rest of a slot, because the scenarios come closer than faults do. */
const SPEC: SpecInput = {
  name: CLUSTER,
  orion: { count: 2 },
  mongo: { count: 3, replicaSet: REPLICA_SET },
  enablers: { 'iotagent-json': {} },
  policy: { deadAfterS: 5, slotCooldownS: 0 },
};
const WHOLE_MS = 240_000;
/** More than all scenarios write. */
const JOURNAL_ENTRIES = 20_000;

async function openTheatre({ lab, say }: BenchContext, client: ChaosClient): Promise<Theatre> {
  const ports = await operatorPorts();
  const clients = makeClients(lab.endpoint);
  const claims = makeClaims(new Table(new DynamoDBClient({}), ports.controlPlane.tableName), Date.now);
  return {
    cluster: CLUSTER,
    read: async () => (await ports.rows.get(CLUSTER))?.status ?? null,
    ports,
    gateway: new URL(lab.endpoint).hostname,
    clients,
    say,
    holders: await watchHolders(clients, CLUSTER),
    client,
    written: watchWritten(client, REPLICA_SET),
    enqueued: [],
    readClaims: claims.readMany,
  };
}

function sayHowItWent({ say }: Theatre, { outage, repairedS, lost, wrongs }: Played): void {
  const repaired = repairedS === null ? 'not whole again' : `whole after ${repairedS.toFixed(1)} s`;
  say(
    `  ${repaired}; ${outage.gapS.toFixed(1)} s without an answer, failures in ${outage.disturbedS} s (${errorsInWords(outage)}), ${lost} lost`,
  );
  for (const wrong of wrongs) say(`  WRONG: ${wrong}`);
}

/** What became of all jobs since the cluster was made. */
async function accountForJobs({ ports, enqueued, readClaims }: Theatre): Promise<{ jobs: number; lost: string[] }> {
  const [journal, row] = await Promise.all([ports.journal.read(CLUSTER, JOURNAL_ENTRIES), ports.rows.get(CLUSTER)]);
  const keys = knownJobs({ journal, enqueued });
  const inFlight = new Set(Object.keys(row?.memory.inFlight ?? {}));
  return { jobs: keys.length, lost: lostJobs({ journal, enqueued, claims: await readClaims(keys), inFlight }) };
}

async function playAll(theatre: Theatre, scenarios: readonly Scenario[]): Promise<ChaosFigures> {
  const startMs = Date.now();
  const played: Played[] = [];
  const { stoppedBy } = await untilStopped<{ stoppedBy?: string }>({}, theatre.say, async () => {
    for (const scenario of scenarios)
      await play(theatre, scenario, (outcome) => {
        played.push(outcome);
        sayHowItWent(theatre, outcome);
      });
    await untilWhole(theatre.read, WHOLE_MS);
  });
  const tookS = (Date.now() - startMs) / 1000;
  const notPlayed = scenarios.filter(({ name }) => !played.some((one) => one.name === name)).map(({ name }) => name);
  await theatre.client.stop();
  const acknowledged = theatre.client.acknowledged().length;
  theatre.say('reading back what stayed');
  const lostWrites = await theatre.written.readBackAll();
  const { jobs, lost } = await accountForJobs(theatre);
  return {
    played,
    notPlayed: stoppedBy === undefined ? [] : notPlayed,
    acknowledged,
    lostWrites,
    jobs,
    lostJobs: lost,
    tookS,
  };
}

async function measure(context: BenchContext, scenarios: readonly Scenario[], json: boolean): Promise<BenchResult> {
  context.atEnd(async () => thawApis());
  await createCluster(context, ['--spec', writeSpec(SPEC)], `--spec … --wait (${JSON.stringify(SPEC)})`);
  const client = await startClient();
  let theatre: Theatre | undefined;
  try {
    theatre = await openTheatre(context, client);
    const figures = await playAll(theatre, scenarios);
    const lines = json ? figures.played.map(scenarioLine) : [];
    return { text: [...lines, renderChaos(figures)].join('\n'), summary: chaosSummary(figures), isGood: isChaosGood(figures) };
  } finally {
    thawApis();
    client.kill();
    await theatre?.holders.stop();
  }
}

/** What `--help` says of it. */
export const CHAOS_HELP = `
One cluster (2 balancers, 2 brokers, 3 members, 2 IoT agents) is made and used for all scenarios. Two clients go through its address all the
time: one creates ${CREATES_PER_S} entities a second, which are read back after each scenario (every tenth stays and is read again at the end);
one sends ${REQUESTS_PER_S} GET, PUT and POST a second. A request fails after ${TIMEOUT_MS / 1000} s; no client sends one twice. Before each scenario the cluster is
whole; meanwhile and after it, this must hold:
  time without one good answer, seconds with failures, time until whole again: each at most what --list says
  no acknowledged entity is lost; no job is without an end (done, refused, stale, failed, or a dead letter)
  the address left no holder that the scenario did not harm; where nobody is dead, no node was replaced

With --json each scenario is one line, and the last line is
  {"scenarios":N,"passed":N,"lostWrites":0,"lostJobs":0}

Progress goes to standard error, the table to standard output. Exit code 1 when a scenario failed or was not played. A lab that
runs already is used and left running, without the cluster; otherwise one is brought up and taken down again, whatever happens.

Examples:
  npm run lab -- chaos --list
  npm run lab -- chaos --only holder-killed --only primary-hung
  npm run -s lab -- chaos --json | tail -1
`;

/** These scenarios in the frame of the benches, which makes, clears away and tells. */
export function chaosOf(scenarios: readonly Scenario[], json: boolean): LabBench {
  return {
    name: 'chaos',
    about: 'one fault after the other under clients',
    help: CHAOS_HELP,
    runsDefault: 1,
    measure: (context) => measure(context, scenarios, json),
  };
}
