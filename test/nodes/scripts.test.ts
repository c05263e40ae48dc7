import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { describeWith, NODES, nodeScripts, run } from './tools';

const paths = (language: string) =>
  nodeScripts()
    .filter((script) => script.language === language)
    .map(({ path }) => join(NODES, path));

describeWith(['shellcheck'], 'shellcheck', () => {
  it('finds nothing in any shell script of the nodes', () => {
    expect(paths('shell').length).toBeGreaterThan(5);
    const { code, stdout, stderr } = run('shellcheck', ['--external-sources', '--source-path', join(NODES, '..'), ...paths('shell')]);
    expect(`${stdout}${stderr}`).toBe('');
    expect(code).toBe(0);
  });
});

describeWith(['python3'], 'python3', () => {
  it.each(paths('python'))('compiles %s', (path) => {
    expect(run('python3', ['-c', 'import ast, sys; ast.parse(open(sys.argv[1]).read())', path])).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('commands', () => {
  it('may be executed', () => {
    for (const name of [
      'apply-config',
      'restart-role',
      'replica-set',
      'repair-majority',
      'role-process',
      'run-role',
      'check-haproxy',
      'notify-entry',
      'report-config',
    ])
      expect(statSync(join(NODES, 'bin', name)).mode & 0o111).toBe(0o111);
  });
});
