/** A simulated world as its parts and its watchers see it. Types only; world.ts builds one. */
import type { JournalEntry, Settings } from '../lambdas/app/ports';
import type { QueueName } from '../lambdas/core/jobs';
import type { Cloud } from './cloud';
import type { Commands } from './commands';
import type { DataPath } from './data-path';
import type { Faults } from './faults';
import type { MessageQueues } from './message-queues';
import type { Random } from './random';
import type { ReplicaSets } from './replica-sets';
import type { Scheduler } from './scheduler';
import type { StoredState } from './stores';

/** Whether a worker still lives; a crash ends it between two calls. */
export interface Invocation {
  dead: boolean;
}

export interface SimWorld {
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly state: StoredState;
  readonly counters: Map<string, number>;
  /** Clusters somebody asked to delete, with confirmation. */
  readonly deleted: Set<string>;
  readonly cloud: Cloud;
  readonly replicaSets: ReplicaSets;
  readonly dataPath: DataPath;
  readonly commands: Commands;
  readonly queues: MessageQueues;
  readonly settings: Settings;
  /** Told of each journal entry as it is written. */
  onJournal?: (cluster: string, entry: JournalEntry) => void;
  /** Told before a confirmed deletion is sent: the last moment to look at the data. */
  onDeletion?: (cluster: string) => void;
  onLog?: (level: string, message: string, fields: Record<string, unknown>) => void;
  onCrash(invocation: Invocation): void;
  /** Puts a body on a queue: an object as JSON, a text as it is. */
  send(queue: QueueName, body: unknown, delayS?: number): string;
}
