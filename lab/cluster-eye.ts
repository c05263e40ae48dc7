/** Watches one cluster from outside: its status row, its containers, its client's view. Never changes anything. */
import type { SlotSummary, StatusSummary } from '../lambdas/core/memory';
import { LabError } from './lab-error';
import { sleep } from './run-command';

/** Reads the cluster's status as the last check wrote it; null while there is none. */
export type ReadStatus = () => Promise<StatusSummary | null>;

const LOOK_EVERY_MS = 200;

/** The node that fills a slot, as the status shows it. */
export function nodeIn(status: StatusSummary | null, slot: string): SlotSummary | undefined {
  return status?.slots.find((summary) => summary.slot === slot);
}

/** Looks until `isSo`; answers when that was, ms. @throws LabError with the last status' sentence when it takes longer than `timeoutMs`. */
export async function watchUntil(
  what: string,
  read: ReadStatus,
  isSo: (status: StatusSummary) => boolean,
  timeoutMs: number,
): Promise<{ status: StatusSummary; atMs: number }> {
  const deadline = Date.now() + timeoutMs;
  let last: StatusSummary | null = null;
  while (Date.now() < deadline) {
    last = await read();
    if (last && isSo(last)) return { status: last, atMs: Date.now() };
    await sleep(LOOK_EVERY_MS);
  }
  const unwell = last?.slots.filter((slot) => slot.health !== 'healthy').map((slot) => `${slot.slot} ${slot.health} ${slot.detail ?? ''}`);
  throw new LabError(
    `${what}: not within ${Math.round(timeoutMs / 1000)} s. Last said: ${last?.sentence ?? 'nothing'}; not well: ${unwell?.join(', ') || 'none'}`,
  );
}
