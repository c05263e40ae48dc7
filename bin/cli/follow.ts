/** Follows one request: prints each change of the cluster, one line a change, until it is reached, refused or too late. Only reads. */
import { type JournalEntry, PortError } from '../../lambdas/app/ports';
import type { ClusterRow, SlotSummary } from '../../lambdas/core/memory';
import type { CliContext, OperatorPorts } from './context';

const LOOK_EVERY_MS = 2_000;
/** Journal entries read a look; a burst larger than this loses its oldest lines on the screen, not in the journal. */
const ENTRIES_A_LOOK = 100;
const RETRYABLE: ReadonlySet<string> = new Set(['throttled', 'unavailable']);

export interface Goal {
  cluster: string;
  jobKey: string;
  /** Called only once the request was accepted; null: the cluster has no row. */
  isReached(row: ClusterRow | null): boolean;
}

export type Ending = { tookMs: number } & ({ is: 'converged' } | { is: 'refused' | 'timedOut'; reason: string });

export interface FollowOptions {
  json?: boolean;
  /** Seconds. */
  timeout: number;
}

/** What tells two journal entries apart. */
export function entryKey(entry: JournalEntry): string {
  return JSON.stringify([entry.atMs, entry.topic, entry.event, entry.text, entry.jobKey]);
}

/** A journal entry without its time: `launchNode planned: ctx3 is missing`. */
export function entryText(entry: JournalEntry): string {
  return `${entry.topic} ${entry.event}: ${entry.text}`;
}

function slotKey(slot: SlotSummary): string {
  return slot.incarnation === undefined || slot.incarnation === 1 ? slot.slot : `${slot.slot} (incarnation ${slot.incarnation})`;
}

/** Looks again and again; remembers what it has printed already. */
class Watch {
  private readonly printed = new Set<string>();
  private readonly health = new Map<string, string>();
  private readonly startMs: number;
  private request: JournalEntry | undefined;
  private row: ClusterRow | null = null;
  private lookFailure: string | undefined;

  constructor(
    private readonly context: CliContext,
    private readonly ports: OperatorPorts,
    private readonly goal: Goal,
    private readonly options: FollowOptions,
  ) {
    this.startMs = ports.clock.nowMs();
  }

  /** Takes what is there before the request is sent, so that only news are printed. */
  async takeBaseline(): Promise<void> {
    const [entries, row] = await this.read();
    for (const entry of entries) this.printed.add(entryKey(entry));
    for (const slot of row?.status?.slots ?? []) this.health.set(slotKey(slot), slot.health);
  }

  async untilEnd(): Promise<Ending> {
    for (;;) {
      await this.look();
      const tookMs = this.ports.clock.nowMs() - this.startMs;
      const { request } = this;
      if (request && request.event !== 'done') return { is: 'refused', reason: request.text, tookMs };
      if (request && this.lookFailure === undefined && this.goal.isReached(this.row)) return { is: 'converged', tookMs };
      if (tookMs >= this.options.timeout * 1000) return { is: 'timedOut', reason: this.whyNotYet(), tookMs };
      await this.context.sleep(LOOK_EVERY_MS);
    }
  }

  private read(): Promise<[JournalEntry[], ClusterRow | null]> {
    const { cluster } = this.goal;
    return Promise.all([this.ports.journal.read(cluster, ENTRIES_A_LOOK), this.ports.rows.get(cluster)]);
  }

  private async look(): Promise<void> {
    try {
      const [entries, row] = await this.read();
      this.lookFailure = undefined;
      this.row = row;
      for (const entry of entries.reverse()) this.printEntry(entry);
      for (const slot of row?.status?.slots ?? []) this.printHealth(slot);
    } catch (error) {
      if (!(error instanceof PortError) || !RETRYABLE.has(error.code)) throw error;
      this.lookFailure = error.message;
    }
  }

  private printEntry(entry: JournalEntry): void {
    const key = entryKey(entry);
    if (this.printed.has(key)) return;
    this.printed.add(key);
    if (entry.topic === 'request' && entry.jobKey === this.goal.jobKey) this.request = entry;
    this.print({ entry }, entryText(entry));
  }

  private printHealth(slot: SlotSummary): void {
    const key = slotKey(slot);
    const was = this.health.get(key);
    if (was === slot.health) return;
    this.health.set(key, slot.health);
    this.print({ slot: slot.slot, health: slot.health, was: was ?? null }, `${key} ${slot.health}${was ? ` (was ${was})` : ''}`);
  }

  private print(machine: Record<string, unknown>, people: string): void {
    const afterS = (this.ports.clock.nowMs() - this.startMs) / 1000;
    this.context.out(this.options.json ? JSON.stringify({ afterS, ...machine }) : `${afterS.toFixed(1).padStart(7)}s  ${people}`);
  }

  private whyNotYet(): string {
    const within = `within ${this.options.timeout} s`;
    if (this.lookFailure !== undefined) return `the state could not be read ${within}: ${this.lookFailure}`;
    if (!this.request)
      return `no worker took the request ${within}; it may wait in the provision queue or its dead-letter queue: docs/runbook.md#dead-letters`;
    const status = this.row?.status;
    if (!status) return `accepted, but no check has looked at the cluster ${within}: docs/runbook.md#missing-ticks`;
    if (status.converged) return `accepted, but the cluster converged to something else: somebody changed its spec in between`;
    return `accepted, but not converged ${within}; the last plan said: ${status.sentence}`;
  }
}

/** Starts to follow a request that is about to be sent; `untilEnd` on what comes back goes on from there. */
export async function follow(context: CliContext, ports: OperatorPorts, goal: Goal, options: FollowOptions): Promise<Watch> {
  const watch = new Watch(context, ports, goal, options);
  await watch.takeBaseline();
  return watch;
}
