/** A command that takes several steps and may wait between them; the one place where waiting is modelled. Has no clock and decides no rule. */
import type { PendingCommand, ReachFunction, Reply } from './contract';
import type { RunningMember } from './running-member';

/** What a handler of a command that may wait is given. */
export interface Call {
  m: RunningMember;
  command: Record<string, unknown>;
  nowMs: number;
  reach: ReachFunction | undefined;
  /** False where the caller can't wait: every wait is over at once then. */
  canWait: boolean;
}

/** A step ends in the answer, in the next step, or in undefined: not yet. */
export type Step = (nowMs: number, pending: Pending) => Reply | Step | undefined;

/** A command that is answered at once. */
export function answered(reply: Reply): Pending {
  const pending = new Pending(() => reply, Number.NEGATIVE_INFINITY);
  pending.reply = reply;
  return pending;
}

/** When a command gives up by its own `maxTimeMS`, ms; MongoDB waits for ever where there is none. */
export function deadlineOf({ command, nowMs, canWait }: Call): number {
  if (!canWait) return nowMs;
  const maxTimeMs = Number(command.maxTimeMS);
  return maxTimeMs > 0 ? nowMs + maxTimeMs : Number.POSITIVE_INFINITY;
}

export class Pending implements PendingCommand {
  reply: Reply | undefined;
  /** Both set by its steps. */
  asks: readonly string[] = [];

  constructor(
    private step: Step,
    public untilMs: number,
  ) {}

  look(nowMs: number): Reply | undefined {
    while (!this.reply) {
      const next = this.step(nowMs, this);
      if (!next) return undefined;
      if (typeof next === 'function') this.step = next;
      else this.reply = next;
    }
    return this.reply;
  }
}
