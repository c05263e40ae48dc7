import { describe, expect, it } from '@jest/globals';
import { runProgram } from '../../bin/cli/program';
import { PortError } from '../../lambdas/app/ports';
import { decodeMessage } from '../../lambdas/core/jobs';
import { aCommandLine } from './command-line';

describe('fiware-ha', () => {
  it.each(['create', 'scale', 'delete'])('teaches in %s --help a message body that the queue takes', async (command) => {
    const { exitCode, out } = await aCommandLine().run(command, '--help');
    expect(exitCode).toBe(0);
    const body = /--message-body '(.*)'/.exec(out.join('\n'))?.[1] ?? '';
    expect(decodeMessage('provision', body)).toMatchObject({ ok: true });
  });

  it('names demo and lab without loading them', async () => {
    const { exitCode, out } = await aCommandLine().run('--help');
    expect(exitCode).toBe(0);
    expect(out.join('\n')).toMatch(/demo .*simulated cloud/);
  });

  it('answers an unknown command with exit code 2', async () => {
    const { exitCode, err } = await aCommandLine().run('scael', 'city');
    expect(exitCode).toBe(2);
    expect(err.join('\n')).toContain("unknown command 'scael'");
  });

  it('says in one line that the control plane is out of reach', async () => {
    const err: string[] = [];
    const exitCode = await runProgram(['status', 'city'], {
      out: () => {},
      err: (line) => void err.push(line),
      connect: async () => {
        throw new PortError('notFound', 'no control plane here');
      },
      sleep: async () => {},
      readText: () => '',
      textAt: () => undefined,
      writeText: () => {},
      newJobKey: () => 'k',
    });
    expect({ exitCode, err }).toEqual({ exitCode: 1, err: ['error: notFound: no control plane here'] });
  });
});
