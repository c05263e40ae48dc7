/** A story: acts on one cluster, each waited for until all is well again, with what was seen from outside. Acts only through queues and faults. */
import type { JournalEntry } from '../../lambdas/app/ports';
import type { Violation } from '../checkers/checker';
import { openJobs } from '../checkers/jobs';
import { watch } from '../checkers/watch';
import { Client } from '../client';
import { START_MS, World } from '../world';

export const CLUSTER = 'city';
/** Longest virtual time an act may take until all is well, seconds. */
const BOUND_S = 1_800;
/** Calm after each act, so that the next finds a settled cluster, seconds. */
const CALM_S = 45;

/** One act: what happens, and how. `act` answers what it hit, for people. */
export interface Act {
  name: string;
  /** A fault is detected and repaired; a request is carried out. */
  isFault: boolean;
  act(world: World): string;
  /** Ends the fault after this long, seconds. */
  endsAfterS?: number;
  end?(world: World): void;
}

/** How an act went; all times are virtual seconds. */
export interface Recovery {
  fault: string;
  target: string;
  isFault: boolean;
  /** From the act until the first job was planned for it. */
  detectedS: number | null;
  /** From the act until everything was as it should be again. */
  recoveredS: number | null;
  /** Seconds in which the client's request failed. */
  outageS: number;
  reason: string;
}

export interface Ending {
  seed: number;
  converged: boolean;
  violations: Violation[];
  recoveries: Recovery[];
  /** Virtual seconds the whole story took. */
  virtualS: number;
  journal: JournalEntry[];
}

export interface StoryListener {
  onAct?(atS: number, act: Act, target: string): void;
  onJournal?(atS: number, entry: JournalEntry): void;
  onRecovery?(atS: number, recovery: Recovery): void;
}

/** Virtual seconds since the beginning. */
function secondsOf(atMs: number): number {
  return (atMs - START_MS) / 1000;
}

function isWell(world: World): boolean {
  if (world.deleted.has(CLUSTER)) return !world.state.rows.has(CLUSTER);
  return world.state.rows.get(CLUSTER)?.status?.converged === true;
}

function rounded(ms: number): number {
  return Math.round(ms / 100) / 10;
}

async function perform(world: World, client: Client, act: Act, listener: StoryListener): Promise<Recovery> {
  const fromMs = world.scheduler.nowMs;
  const journaled = world.state.journal.length;
  const target = act.act(world);
  listener.onAct?.(secondsOf(fromMs), act, target);
  const first = () => world.state.journal.slice(journaled).find((entry) => entry.event === 'planned');
  // A look that was under way when the fault struck does not count: something must have been planned since.
  const isWellAgain = () => isWell(world) && first() !== undefined;
  let recovered = await world.pass(act.endsAfterS ?? BOUND_S, isWellAgain);
  let recoveredMs = world.scheduler.nowMs;
  if (act.endsAfterS !== undefined) {
    await world.pass(act.endsAfterS - (recoveredMs - fromMs) / 1000);
    act.end?.(world);
    const wellAfter = await world.pass(BOUND_S, isWellAgain);
    if (!recovered) recoveredMs = world.scheduler.nowMs;
    recovered = wellAfter;
  }
  const seen = first();
  const recovery: Recovery = {
    fault: act.name,
    target,
    isFault: act.isFault,
    detectedS: seen ? rounded(seen.atMs - fromMs) : null,
    recoveredS: recovered ? rounded(recoveredMs - fromMs) : null,
    outageS: client.failedSeconds(fromMs, recoveredMs),
    reason: seen?.text ?? 'nothing was planned',
  };
  listener.onRecovery?.(secondsOf(recoveredMs), recovery);
  if (!world.deleted.has(CLUSTER)) await world.pass(CALM_S);
  return recovery;
}

/** Plays the acts in a new world; the same seed and acts give the same ending. */
export async function play(seed: number, acts: readonly Act[], listener: StoryListener = {}): Promise<Ending> {
  const world = new World({ seed });
  world.onJournal = (_cluster, entry) => listener.onJournal?.(secondsOf(entry.atMs), entry);
  const client = new Client(world, CLUSTER);
  const watching = watch(world, [client]);
  const recoveries: Recovery[] = [];
  for (const act of acts) {
    if (act.name === 'delete') {
      client.stop();
      await world.pass(CALM_S);
    }
    recoveries.push(await perform(world, client, act, listener));
    if (recoveries.length === 1) client.start();
    if (recoveries.at(-1)?.recoveredS === null) break;
  }
  client.stop();
  const virtualS = Math.round(secondsOf(world.scheduler.nowMs));
  // The last messages, doubles and redeliveries come to their ends.
  await world.pass(BOUND_S, () => openJobs(world).length === 0);
  watching.end();
  const converged = recoveries.length === acts.length && recoveries.every((recovery) => recovery.recoveredS !== null);
  return { seed, converged, violations: watching.violations, recoveries, virtualS, journal: world.state.journal };
}
