import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ensureVenv } from '../emulator';
import { LAB_DIR, PROJECT } from '../paths';

/** The lab's venv always has cfn-lint, so here, other than in `npm test`, it is never left out. */
describe('the template for AWS', () => {
  const outDir = mkdtempSync(join(tmpdir(), 'fiware-ha-template-'));
  const bare = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(AWS|CDK)_/.test(key)));

  beforeAll(ensureVenv);
  afterAll(() => rmSync(outDir, { recursive: true, force: true }));

  it('is synthesized by the real CDK CLI without credentials, and cfn-lint finds nothing in it', () => {
    const synth = spawnSync(join(PROJECT, 'node_modules', '.bin', 'cdk'), ['synth', '-q', '--output', outDir], {
      cwd: PROJECT,
      env: bare,
      encoding: 'utf8',
    });
    expect(synth.status).toBe(0);
    const cfnLint = join(LAB_DIR, 'venv', 'bin', 'cfn-lint');
    // W3005: CDK lets every function depend on its role in words as well as by reference, for the sake of the role's policies.
    const options = ['--non-zero-exit-code', 'warning', '--ignore-checks', 'W3005'];
    const lint = spawnSync(cfnLint, [...options, '--', join(outDir, 'FiwareHa.template.json')], { encoding: 'utf8' });
    expect(lint.error).toBeUndefined();
    expect(`${lint.stdout}${lint.stderr}`.match(/^[EW]\d{4}.*$/gm) ?? []).toEqual([]);
    expect(lint.status).toBe(0);
  });
});
