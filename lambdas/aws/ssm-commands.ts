/** SSM Run Command, as the node-commands port. Sends one base64 payload a command; a shell never sees anything else of ours. */
import { GetCommandInvocationCommand, SendCommandCommand, type SSMClient } from '@aws-sdk/client-ssm';
import type { CommandOutcome, NodeCommand, NodeCommands } from '../app/ports';
import { PortError } from '../app/ports';
import { callAws, callAwsUnless } from './port-errors';

/** Names of the custom documents, or `shell` where only AWS-RunShellScript runs (emulators). */
export type CommandDocuments = Record<NodeCommand['name'], string> | 'shell';

/** SSM gives a command up that was not delivered within this, seconds (30 is the least it takes). */
const DELIVERY_TIMEOUT_S = 30;
/** How long a script may run on a node, seconds. */
const RUN_TIMEOUT_S = 120;
const PAYLOAD_MAX_CHARS = 40_000;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The payload of a command: one JSON, base64, nothing a shell could mistake. */
export function encodePayload(command: NodeCommand): string {
  const { name, ...rest } = command;
  const value = name === 'replica-set' && 'payload' in rest ? { action: rest.action, ...rest.payload } : rest;
  const payload = Buffer.from(JSON.stringify(value), 'utf8').toString('base64');
  if (!BASE64.test(payload) || payload.length > PAYLOAD_MAX_CHARS)
    throw new PortError('invalid', `${name}: payload has ${payload.length} characters, expected base64 of at most ${PAYLOAD_MAX_CHARS}`);
  return payload;
}

/** The last line of an output that is a JSON object. */
export function lastJsonLine(output: string): Record<string, unknown> | undefined {
  for (const line of output.split('\n').reverse()) {
    if (!line.trim().startsWith('{')) continue;
    try {
      const value: unknown = JSON.parse(line);
      if (value !== null && typeof value === 'object') return value as Record<string, unknown>;
    } catch {}
  }
  return undefined;
}

const RUNNING: ReadonlySet<string> = new Set(['Pending', 'InProgress', 'Delayed', 'Cancelling']);

/** What SSM's status and output mean. */
export function commandOutcome(status: string, exitCode: number | undefined, stdout: string, stderr: string): CommandOutcome {
  if (RUNNING.has(status)) return { is: 'running' };
  const output = lastJsonLine(stdout);
  if (status === 'Success' && output) return { is: 'succeeded', output };
  const words = (stderr.trim().split('\n').at(-1) || status).slice(0, 300);
  const detail = status === 'Success' ? 'the script printed no JSON result' : words;
  return { is: 'failed', exitCode: exitCode === undefined || exitCode < 0 ? null : exitCode, detail, ...(output ? { output } : {}) };
}

/** The node-commands port over SSM. */
export function makeCommands(client: SSMClient, documents: CommandDocuments): NodeCommands {
  return {
    send: async (instanceId, cluster, command) => {
      const payload = encodePayload(command);
      const isShell = documents === 'shell';
      const { Command } = await callAws(`SendCommand ${command.name} to ${instanceId}`, () =>
        client.send(
          new SendCommandCommand({
            InstanceIds: [instanceId],
            DocumentName: isShell ? 'AWS-RunShellScript' : documents[command.name],
            Parameters: isShell
              ? { commands: [`/opt/fiware-ha/bin/${command.name} '${payload}'`], executionTimeout: [String(RUN_TIMEOUT_S)] }
              : { Payload: [payload] },
            TimeoutSeconds: DELIVERY_TIMEOUT_S,
            Comment: `fiware-ha ${cluster} ${command.name}`.slice(0, 100),
          }),
        ),
      );
      if (!Command?.CommandId) throw new PortError('unavailable', 'SendCommand answered without a command id');
      return { commandId: Command.CommandId };
    },
    outcome: async (InstanceId, CommandId) => {
      // SSM lists an invocation only some moments after SendCommand; who asks gives up on a command that never ends.
      const seen = await callAwsUnless('notFound', null, `GetCommandInvocation ${CommandId}`, () =>
        client.send(new GetCommandInvocationCommand({ InstanceId, CommandId })),
      );
      if (!seen) return { is: 'running' };
      return commandOutcome(seen.Status ?? '', seen.ResponseCode, seen.StandardOutputContent ?? '', seen.StandardErrorContent ?? '');
    },
  };
}
