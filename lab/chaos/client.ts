/** The clients that run through all scenarios: one creates entities and is told of each, one reads and changes others over kept connections. */
import { createEntities } from '../load/broker-requests';
import { startLoad } from '../load/load-process';
import type { RequestRecord } from '../load/open-loop';
import { LOCAL_ENTRY } from '../local-entry';
import type { Sample } from '../outage';
import { startTraffic } from '../traffic';
import { outageSeen, type SeenOutage } from './seen-outage';

export const CREATES_PER_S = 20;
export const REQUESTS_PER_S = 30;
/** As a device or gateway would: longer than any good answer takes, short enough to notice. */
export const TIMEOUT_MS = 2_000;

export interface ChaosClient {
  /** What both felt between two times. */
  outageBetween: (fromMs: number, toMs: number) => SeenOutage;
  /** Numbers of the created entities that were acknowledged, in order; grows. */
  acknowledged: () => number[];
  /** Sends no more, and waits for what is under way. */
  stop: () => Promise<void>;
  /** Ends both without a word; for the end after a failure. */
  kill: () => void;
}

function sampleOf({ dueMs, doneMs, ok, detail, method }: RequestRecord, n: number): Sample {
  return { n, sentMs: dueMs, doneMs, ok, detail: `${method} ${detail}` };
}

/** Starts both through the first address. */
export async function startClient(): Promise<ChaosClient> {
  await createEntities(LOCAL_ENTRY);
  const load = await startLoad({ ...LOCAL_ENTRY, ratePerS: REQUESTS_PER_S, timeoutMs: TIMEOUT_MS });
  const traffic = startTraffic({ ...LOCAL_ENTRY, everyMs: 1000 / CREATES_PER_S, timeoutMs: TIMEOUT_MS });
  return {
    outageBetween: (fromMs, toMs) => {
      const isOf = ({ sentMs, doneMs }: Sample) => doneMs >= fromMs && sentMs <= toMs;
      return outageSeen([traffic.samples.filter(isOf), load.records.map(sampleOf).filter(isOf)], fromMs, toMs);
    },
    acknowledged: traffic.acknowledged,
    stop: async () => {
      await traffic.stop();
      await load.stop();
    },
    kill: () => {
      void traffic.stop();
      load.kill();
    },
  };
}
