/** How a command ends when it can't do what was asked: messages for people and an exit code. Never carries a stack to the reader. */

/** 0: done. 1: the control plane refused, or it took too long, or it could not be reached. 2: the command line was wrong. */
export type ExitCode = 0 | 1 | 2;

export class CommandError extends Error {
  /** @param problems each names the field, the value and what is allowed */
  constructor(
    readonly exitCode: ExitCode,
    readonly problems: string[],
  ) {
    super(problems.join('; '));
    this.name = 'CommandError';
  }
}

/** A mistake on the command line; nothing was sent. */
export function mistake(...problems: string[]): CommandError {
  return new CommandError(2, problems);
}
