import { SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { NodeCommand } from '../../lambdas/app/ports';
import { type CommandDocuments, commandOutcome, encodePayload, lastJsonLine, makeCommands } from '../../lambdas/aws/ssm-commands';
import { type Answer, fakeAws, json, stopFakes } from './fake-aws';

afterEach(stopFakes);

const APPLY: NodeCommand = {
  name: 'apply-config',
  role: 'lb',
  version: 'v1',
  files: [{ name: 'haproxy.cfg', content: 'log \'a\' $(reboot) `id` \n"ü"' }],
};
const RECONFIG: NodeCommand = { name: 'replica-set', action: 'reconfig', payload: { replicaSet: 'orion_rs', change: { change: 'add' } } };
const DOCUMENTS: CommandDocuments = {
  'apply-config': 'doc-a',
  'restart-role': 'doc-r',
  'replica-set': 'doc-s',
  'repair-majority': 'doc-m',
};

function decoded(payload: string): unknown {
  return JSON.parse(Buffer.from(payload, 'base64').toString('utf8'));
}

async function someCommands(answer: Answer, documents: CommandDocuments = DOCUMENTS) {
  const fake = await fakeAws(() => answer);
  return { commands: makeCommands(new SSMClient(fake.client), documents), calls: fake.calls };
}

describe('the payload of a command', () => {
  it('is base64 of one JSON, whatever the files hold', () => {
    const payload = encodePayload(APPLY);
    expect(payload).toMatch(/^[A-Za-z0-9+/]+={0,2}$/);
    expect(decoded(payload)).toEqual({ role: 'lb', version: 'v1', files: APPLY.name === 'apply-config' ? APPLY.files : [] });
  });

  it('of the replica set names the action beside what it is about', () => {
    expect(decoded(encodePayload(RECONFIG))).toEqual({ action: 'reconfig', replicaSet: 'orion_rs', change: { change: 'add' } });
  });

  it('is refused when it is larger than the document takes', () => {
    const files = [{ name: 'haproxy.cfg', content: 'x'.repeat(40_000) }];
    expect(() => encodePayload({ name: 'apply-config', role: 'lb', version: 'v1', files })).toThrow(
      /apply-config: payload has \d+ characters, expected base64 of at most 40000/,
    );
  });
});

describe('sending a command', () => {
  const sent = json({ Command: { CommandId: 'c-1' } });

  it('names its own document and passes the payload as its one parameter', async () => {
    const { commands, calls } = await someCommands(sent);
    expect(await commands.send('i-1', 'city', APPLY)).toEqual({ commandId: 'c-1' });
    expect(calls[0]?.json).toMatchObject({
      InstanceIds: ['i-1'],
      DocumentName: 'doc-a',
      Parameters: { Payload: [encodePayload(APPLY)] },
      Comment: 'fiware-ha city apply-config',
    });
  });

  it('is one quoted shell line where only AWS-RunShellScript runs', async () => {
    const { commands, calls } = await someCommands(sent, 'shell');
    await commands.send('i-1', 'city', { name: 'restart-role', role: 'orion' });
    const payload = encodePayload({ name: 'restart-role', role: 'orion' });
    expect(calls[0]?.json).toMatchObject({
      DocumentName: 'AWS-RunShellScript',
      Parameters: { commands: [`/opt/fiware-ha/bin/restart-role '${payload}'`] },
    });
  });

  it('tells restart-role to look no further only where the process answers and is to be restarted all the same', () => {
    const decoded = (command: NodeCommand) => JSON.parse(Buffer.from(encodePayload(command), 'base64').toString('utf8'));
    expect(decoded({ name: 'restart-role', role: 'mongo' })).toEqual({ role: 'mongo' });
    expect(decoded({ name: 'restart-role', role: 'sth-comet', evenIfItAnswers: true })).toEqual({
      role: 'sth-comet',
      evenIfItAnswers: true,
    });
  });

  it('says that the node is not ready while its agent is not registered', async () => {
    const { commands } = await someCommands(json({ __type: 'InvalidInstanceId' }, 400));
    await expect(commands.send('i-1', 'city', APPLY)).rejects.toMatchObject({ code: 'notReady' });
  });
});

describe('the outcome of a command', () => {
  it('is running while SSM does not list it yet', async () => {
    const { commands } = await someCommands(json({ __type: 'InvocationDoesNotExist' }, 400));
    expect(await commands.outcome('i-1', 'c-1')).toEqual({ is: 'running' });
  });

  it('is read from SSM’s own fields', async () => {
    const answer = json({
      Status: 'Failed',
      ResponseCode: 65,
      StandardOutputContent: '{"ok":false,"error":"bad"}\n',
      StandardErrorContent: '',
    });
    const { commands } = await someCommands(answer);
    expect(await commands.outcome('i-1', 'c-1')).toEqual({
      is: 'failed',
      exitCode: 65,
      detail: 'Failed',
      output: { ok: false, error: 'bad' },
    });
  });

  it.each(['Pending', 'InProgress', 'Delayed', 'Cancelling'])('is running while SSM says %s', (status) => {
    expect(commandOutcome(status, -1, '', '')).toEqual({ is: 'running' });
  });

  it('is the last JSON line of a success', () => {
    const stdout = 'reading\n{"ok":false}\nmore words\n{"ok":true,"configVersion":"v1"}\n';
    expect(commandOutcome('Success', 0, stdout, '')).toEqual({ is: 'succeeded', output: { ok: true, configVersion: 'v1' } });
  });

  it('is a failure when the script said nothing', () => {
    expect(commandOutcome('Success', 0, 'fine, fine\n', '')).toEqual({
      is: 'failed',
      exitCode: 0,
      detail: 'the script printed no JSON result',
    });
  });

  it('has no exit code when the command was never delivered', () => {
    expect(commandOutcome('TimedOut', -1, '', '')).toEqual({ is: 'failed', exitCode: null, detail: 'TimedOut' });
  });

  it('says the last words of the error output, and not all of them', () => {
    expect(commandOutcome('Failed', 1, '', `first\n${'x'.repeat(1_000)}\n`)).toMatchObject({ detail: 'x'.repeat(300) });
  });
});

describe('the last JSON line', () => {
  it('passes over what only looks like JSON', () => {
    expect(lastJsonLine('{"a":1}\n{not json\n')).toEqual({ a: 1 });
    expect(lastJsonLine('[1]\nnull\n"{}"\n')).toBeUndefined();
    expect(lastJsonLine('')).toBeUndefined();
  });
});
