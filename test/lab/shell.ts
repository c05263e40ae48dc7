/** The `db` that mongosh gives nodes/mongo/replica-set.js, with others who act at a chosen moment in between. Answers nothing itself. */
import { OUTCOME_OF_CODE, run } from '../nodes/scripted-db';
import type { Answer, Command } from './sync-driver';

/** What happens just before the script's `nth` command of a name is sent; it may send another command in its place. */
export type Meanwhile = Record<string, (command: Command, nth: number) => Command | undefined>;

/** Runs one step of the script and answers with its result, and with the codes that its commands ended with. */
export function runStep(
  ask: (command: Command) => Answer,
  step: { action: string; payload: unknown; meanwhile?: Meanwhile },
): { result: Answer; codes: unknown[] } {
  const { action, payload, meanwhile = {} } = step;
  const asked: Record<string, number> = {};
  const codes: unknown[] = [];
  const adminCommand = (command: Command): Answer => {
    const [name = ''] = Object.keys(command);
    asked[name] = (asked[name] ?? 0) + 1;
    const sent = meanwhile[name]?.(command, asked[name]) ?? command;
    try {
      const reply = ask(sent);
      if (reply.ok !== 1) codes.push(reply.code);
      return reply;
    } catch (error) {
      codes.push((error as { code?: number }).code);
      throw error;
    }
  };
  return { result: run({ adminCommand }, action, payload), codes };
}

export { OUTCOME_OF_CODE };
