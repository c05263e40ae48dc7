/** Options and help texts that several commands share. Defines them; reads nothing. */
import { type Command, InvalidArgumentError } from 'commander';
import { decodeMessage, type UserJob } from '../../lambdas/core/jobs';

const TIMEOUT_MAX_S = 86_400;
/** A cluster from nothing: instances boot, install, sync; rarely more than ten minutes, seconds. */
const TIMEOUT_S = 900;

function timeoutS(text: string): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > TIMEOUT_MAX_S) throw new InvalidArgumentError(`expected whole seconds from 1 to ${TIMEOUT_MAX_S}.`);
  return value;
}

/** Adds `--wait`, `--timeout` and `--json`. */
export function withWaiting(command: Command): Command {
  return command
    .option('--wait', 'print each change until the cluster is as asked; exit code 1 when refused or too late')
    .option('--timeout <seconds>', 'how long --wait waits', timeoutS, TIMEOUT_S)
    .option('--json', 'one JSON document a line');
}

/** How to ask for the same with the AWS CLI; the body is checked against the queue's schema. */
export function sendMessageExample(job: UserJob): string {
  const body = JSON.stringify(job);
  const decoded = decodeMessage('provision', body);
  if (!decoded.ok) throw new Error(`help text: ${decoded.problems.join('; ')}`);
  return `
The same without this tool:
  aws sqs send-message --queue-url "$(aws ssm get-parameter --name /fiware-ha/control-plane \\
    --query Parameter.Value --output text | jq -r .queues.provision)" \\
    --message-body '${body}'
`;
}
