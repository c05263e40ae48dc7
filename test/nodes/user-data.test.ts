import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ROLES, type Role } from '../../lambdas/core/names';
import { USER_DATA_MAX_BYTES, userData } from '../../nodes/user-data';
import { describeWith, NODES, run } from './tools';

const folder = mkdtempSync(join(tmpdir(), 'fiware-ha-user-data-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface CloudConfig {
  write_files: { path: string; content: string }[];
  runcmd: string[];
}

/** Unpacks as cloud-init would, but below `root`; answers the files that came out, by their path. */
function unpack(role: Role, root: string): string[] {
  const config = JSON.parse(userData(role).replace('#cloud-config\n', '')) as CloudConfig;
  const script = gunzipSync(Buffer.from(config.write_files[0]?.content ?? '', 'base64')).toString('utf8');
  mkdirSync(root, { recursive: true });
  const path = join(root, 'unpack.sh');
  writeFileSync(
    path,
    script.replace(/(mkdir -p|^cat >|^chmod 0755) ?.*$/gm, (line) => line.replaceAll('/opt/fiware-ha', root)),
  );
  expect(run('bash', ['-e', path])).toMatchObject({ code: 0, stderr: '' });
  rmSync(path);
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(root, name)).isFile());
}

describe.each([...ROLES])('user data of %s', (role) => {
  it('fits what EC2 takes, with room to grow', () => {
    expect(Buffer.byteLength(userData(role))).toBeLessThan(USER_DATA_MAX_BYTES * 0.9);
  });

  it('brings the very scripts that a lab image installs, and runs the same installation', () => {
    const root = join(folder, role);
    const files = unpack(role, root);
    expect(files).toEqual(expect.arrayContaining(['install.sh', 'bin/apply-config', 'bin/restart-role']));
    for (const file of files) {
      const there = readFileSync(join(NODES, file), 'utf8').split('\n');
      // Scripts for mongosh come without comments and indentation, others without lines of comment, and all with every other line.
      const isComment = (line: string, i: number) => i > 0 && !file.endsWith('.lua') && /^ *#/.test(line);
      const lines = file.endsWith('.js')
        ? there.filter((line) => !/^\s*(\/\*\*|\*[ /]|\*$|\/\/)/.test(line)).map((line) => line.split(' // ')[0]?.trimStart())
        : there.filter((line, i) => !isComment(line, i));
      expect(readFileSync(join(root, file), 'utf8').split('\n')).toEqual(lines);
    }
    expect(statSync(join(root, 'bin/apply-config')).mode & 0o777).toBe(0o755);
    expect(userData(role)).toContain(`/opt/fiware-ha/install.sh ${role}`);
  });
});

describeWith(['cloud-init'], 'cloud-init schema', () => {
  it.each([...ROLES])('takes the user data of %s', (role) => {
    const path = join(folder, `${role}.yaml`);
    writeFileSync(path, userData(role));
    const { code, stdout, stderr } = run('cloud-init', ['schema', '--config-file', path]);
    expect({ code, said: `${stdout}${stderr}` }).toEqual({ code: 0, said: expect.stringContaining('Valid') });
  });
});
