/** How running a job ended. A type only. */
import type { JobOutput } from '../core/observation';

/** How a job ended, or that a command of it is under way. */
export type Result =
  | { is: 'done' | 'already'; output?: JobOutput }
  | { is: 'started'; commandId: string; instanceId: string }
  | { is: 'stale' | 'refused'; reason: string }
  | { is: 'failed'; reason: string; zoneFull?: string }
  /** The node is not installed yet: nothing went wrong, it is tried again soon. */
  | { is: 'waiting'; reason: string };
