/** Plays one scenario on a whole cluster under clients, and judges what was seen. Repairs nothing of the cluster. */
import type { ClaimStore } from '../../lambdas/app/ports';
import { LabError } from '../lab-error';
import { sleep } from '../run-command';
import { judge, wrongEnds } from './accounting';
import type { Played } from './chaos-report';
import { type ChaosClient, TIMEOUT_MS } from './client';
import type { HolderWatch } from './holder-watch';
import type { Enqueued, Scenario, Stage } from './scenario';
import { nodesOf } from './victims';
import { untilWhole } from './whole';
import type { Written } from './written';

/** The clients go on for a while after the repair, so that a late failure is seen: as long as a request may take, and some. */
const SETTLE_MS = TIMEOUT_MS + 500;
/** A cluster that is not whole within its bound is waited for on, so that the next scenario can be played. */
const WAIT_MIN_MS = 240_000;
const CLAIMS_MS = 20_000;

/** What all scenarios share. */
export interface Theatre extends Pick<Stage, 'cluster' | 'read' | 'ports' | 'gateway' | 'clients' | 'say'> {
  client: ChaosClient;
  written: Written;
  holders: HolderWatch;
  /** Jobs enqueued by hand, of all scenarios. */
  enqueued: Enqueued[];
  readClaims: ClaimStore['readMany'];
}

interface Acting {
  stage: Stage;
  harmed: Set<string>;
  enqueued: Enqueued[];
  /** When the repair's time begins, ms. */
  fromMs: () => number;
}

function setStage(theatre: Theatre, status: Stage['status']): Acting {
  const { cluster, read, ports, gateway, clients, say } = theatre;
  const harmed = new Set<string>();
  const enqueued: Enqueued[] = [];
  let fromMs = Date.now();
  const stage: Stage = {
    cluster,
    status,
    read,
    ports,
    gateway,
    clients,
    say,
    harms: (instanceId) => void harmed.add(instanceId),
    repairCountsFromNow: () => {
      fromMs = Date.now();
    },
    enqueue: async (queue, body, job, delayS = 0) => {
      if (job && !enqueued.some(({ claimKey }) => claimKey === job.claimKey)) enqueued.push(job);
      await ports.queues.send(queue, body, delayS);
    },
  };
  return { stage, harmed, enqueued, fromMs: () => fromMs };
}

/** Jobs that ended otherwise than they had to; those without an end yet get a little time. */
async function endsOf(theatre: Theatre, enqueued: readonly Enqueued[]): Promise<string[]> {
  const deadline = Date.now() + CLAIMS_MS;
  for (;;) {
    const claims = enqueued.length === 0 ? {} : await theatre.readClaims(enqueued.map(({ claimKey }) => claimKey));
    const wrong = wrongEnds(enqueued, claims);
    const isOpen = enqueued.some(({ claimKey }) => (claims[claimKey]?.is ?? 'running') === 'running');
    if (!isOpen || Date.now() > deadline) return wrong;
    await sleep(500);
  }
}

/** Why the act itself did not come off; a program error goes on. */
async function actOf(scenario: Scenario, stage: Stage): Promise<string[]> {
  try {
    await scenario.act(stage);
    return [];
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return [error.message];
  }
}

/** Slots that were there before and that another instance fills now. */
function replacedSlots(before: Stage['status'], after: Stage['status']): string[] {
  return nodesOf(before).flatMap(({ slot, instanceId }) =>
    nodesOf(after).some((node) => node.slot === slot && node.instanceId !== instanceId) ? [slot] : [],
  );
}

/** @throws LabError when the cluster does not become whole again at all; what was seen until then is told by `onPlayed` all the same */
export async function play(theatre: Theatre, scenario: Scenario, onPlayed: (played: Played) => void): Promise<void> {
  const { client, written, holders, read, say } = theatre;
  const { status } = await untilWhole(read, WAIT_MIN_MS);
  const acting = setStage(theatre, status);
  const movesBefore = holders.moves.length;
  say(`${scenario.name}: ${scenario.does}`);
  const fromMs = Date.now();
  const failedActs = await actOf(scenario, acting.stage);
  const whole = await untilWhole(read, Math.max(WAIT_MIN_MS, scenario.bounds.repairedS * 1000)).catch((error: Error) => error);
  await sleep(SETTLE_MS);
  const repairedS = whole instanceof Error ? null : Math.max(0, whole.atMs - acting.fromMs()) / 1000;
  const outage = client.outageBetween(fromMs, Date.now() - SETTLE_MS / 2);
  const lost = whole instanceof Error ? [] : await written.readBackNew();
  const wrongs = judge(scenario, {
    outage,
    repairedS,
    lost: lost.length,
    moves: holders.moves.slice(movesBefore),
    harmed: acting.harmed,
    replaced: whole instanceof Error ? [] : replacedSlots(status, whole.status),
    wrongEnds: [...failedActs, ...(await endsOf(theatre, acting.enqueued))],
  });
  theatre.enqueued.push(...acting.enqueued);
  onPlayed({ name: scenario.name, outage, repairedS, lost: lost.length, wrongs });
  if (whole instanceof Error) throw new LabError(`${scenario.name}: ${whole.message}`);
  await written.tidy(whole.status, say);
}
