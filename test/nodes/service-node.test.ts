import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { renderConfig } from '../../lambdas/core/config/render';
import type { Role } from '../../lambdas/core/names';
import type { NodeConfig } from '../../lambdas/core/node-config';
import { MONGO, ORION } from '../node-configs';
import { answerOf, describeWith, NODES, payloadOf, type Ran, run } from './tools';

const V1 = '0000000000aaaa';
const V2 = '0000000000bbbb';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fiware-ha-node-'));
});
afterEach(() => {
  for (const role of ['orion', 'mongo']) {
    const pid = pidOf(role);
    if (pid && isRunning(pid)) process.kill(pid, 'SIGKILL');
  }
  rmSync(root, { recursive: true, force: true });
});

const at = (path: string) => join(root, path);
const textAt = (path: string) => readFileSync(at(path), 'utf8');

function pidOf(role: string): number | undefined {
  const path = at(`run/fiware-ha-${role}.pid`);
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : undefined;
}

function isRunning(pid: number): boolean {
  return /^[DRSTt]/.test(run('ps', ['-o', 'stat=', '-p', String(pid)]).stdout);
}

/** The real installation below a folder, with a process of our own in the place of Orion or mongod. */
function install(role: Role, process = '#!/bin/sh\necho "$ORION_MONGO_URI $*" >"$(dirname "$0")/started"\nexec sleep 1000\n'): void {
  const ran = run('bash', [join(NODES, 'install.sh'), role], { FIWARE_HA_ROOT: root, FIWARE_HA_PACKAGES: 'none' });
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  mkdirSync(at('opt/fiware-ha/override'), { recursive: true });
  writeFileSync(at(`opt/fiware-ha/override/${role}`), process);
  chmodSync(at(`opt/fiware-ha/override/${role}`), 0o755);
}

const command = (name: string, ...args: string[]): Ran => run(at(`opt/fiware-ha/bin/${name}`), args, { FIWARE_HA_ROOT: root });
const apply = (config: NodeConfig, version: string, files = renderConfig(config, version)) =>
  command('apply-config', payloadOf({ role: config.role, version, files }));
const restart = (role: string) => command('restart-role', payloadOf({ role }));

describeWith(['bash', 'python3', 'flock', 'ps'], 'a broker node', () => {
  it('takes its first configuration and starts the broker with it', () => {
    install('orion');
    const ran = apply(ORION, V1);
    expect(answerOf(ran)).toEqual({ ok: true, configVersion: V1, did: 'applied' });
    expect(ran.code).toBe(0);
    expect(textAt('etc/fiware-ha/orion.env')).toBe(renderConfig(ORION, V1)[0]?.content);
    expect(isRunning(pidOf('orion') ?? 0)).toBe(true);
    expect(textAt('opt/fiware-ha/override/started')).toContain('mongodb://10.0.3.11:27017/?replicaSet=orion_rs');
  });

  it('starts the broker with the file descriptors its settings ask for, and not with what is no number', () => {
    install('orion', '#!/bin/sh\nulimit -n >"$(dirname "$0")/files"\nexec sleep 1000\n');
    expect(answerOf(apply({ ...ORION, settings: { ...ORION.settings, fileDescriptors: 4096 } }, V1))).toMatchObject({ ok: true });
    expect(textAt('opt/fiware-ha/override/files')).toBe('4096\n');
    const files = renderConfig(ORION, V2).map(({ name, content }) => ({ name, content: content.replace('=65536', '=many') }));
    expect(answerOf(apply(ORION, V2, files))).toEqual({
      ok: false,
      outcome: 'refused',
      error: expect.stringContaining('FIWARE_HA_FILE_DESCRIPTORS: expected 4 to 7 digits; got'),
    });
  });

  it('does nothing when the configuration runs already', () => {
    install('orion');
    apply(ORION, V1);
    const before = pidOf('orion');
    expect(answerOf(apply(ORION, V1))).toEqual({ ok: true, configVersion: V1, did: 'already' });
    expect(pidOf('orion')).toBe(before);
  });

  it('starts the broker anew for another configuration', () => {
    install('orion');
    apply(ORION, V1);
    const before = pidOf('orion') ?? 0;
    expect(answerOf(apply({ ...ORION, seeds: ['10.0.3.12:27017'] }, V2))).toMatchObject({ ok: true, configVersion: V2 });
    expect(isRunning(before)).toBe(false);
    expect(isRunning(pidOf('orion') ?? 0)).toBe(true);
    expect(textAt('opt/fiware-ha/override/started')).toContain('10.0.3.12');
  });

  it('keeps the old configuration when the new one has a line a shell or Docker could mistake', () => {
    install('orion');
    apply(ORION, V1);
    const [before, pid] = [textAt('etc/fiware-ha/orion.env'), pidOf('orion')];
    const ran = apply(ORION, V2, [{ name: 'orion.env', content: 'ORION_MONGO_DB=$(id)\n' }]);
    expect(ran.code).toBe(65);
    expect(answerOf(ran)).toMatchObject({
      ok: false,
      error: expect.stringContaining('expected KEY=VALUE lines; got 1:ORION_MONGO_DB=$(id)'),
    });
    expect([textAt('etc/fiware-ha/orion.env'), pidOf('orion')]).toEqual([before, pid]);
    expect(isRunning(pid ?? 0)).toBe(true);
  });

  it('goes back to the old configuration when the broker does not start with the new one', () => {
    install('orion', '#!/bin/sh\ncase $ORION_MONGO_URI in *10.0.9.9*) echo "no such database" >&2; exit 1 ;; esac\nexec sleep 1000\n');
    apply(ORION, V1);
    const before = textAt('etc/fiware-ha/orion.env');
    const ran = apply({ ...ORION, seeds: ['10.0.9.9:27017'] }, V2);
    expect(ran.code).toBe(1);
    expect(answerOf(ran)).toMatchObject({
      ok: false,
      outcome: 'refused',
      error: expect.stringMatching(/the old one is back: .*no such database/),
    });
    expect(textAt('etc/fiware-ha/orion.env')).toBe(before);
    expect(isRunning(pidOf('orion') ?? 0)).toBe(true);
    expect(textAt('var/lib/fiware-ha/config-version').trim()).toBe(V1);
  });

  it('leaves a killed broker dead until it is told to restart it', () => {
    install('orion');
    apply(ORION, V1);
    const before = pidOf('orion') ?? 0;
    process.kill(before, 'SIGKILL');
    run('sleep', ['1']);
    expect(isRunning(pidOf('orion') ?? 0)).toBe(false);
    expect(answerOf(restart('orion'))).toEqual({ ok: true, did: 'restarted' });
    expect(pidOf('orion')).not.toBe(before);
    expect(isRunning(pidOf('orion') ?? 0)).toBe(true);
  });

  it('restarts a hung broker as well', () => {
    install('orion');
    apply(ORION, V1);
    const before = pidOf('orion') ?? 0;
    process.kill(before, 'SIGSTOP');
    expect(answerOf(restart('orion'))).toMatchObject({ ok: true });
    expect(isRunning(before)).toBe(false);
    expect(isRunning(pidOf('orion') ?? 0)).toBe(true);
  });

  it('is installed twice without losing anything', () => {
    install('orion');
    apply(ORION, V1);
    install('orion');
    expect(answerOf(apply(ORION, V1))).toMatchObject({ did: 'already' });
  });
});

describeWith(['bash', 'python3', 'flock', 'ps'], 'a database node', () => {
  it('never starts on a folder that holds data already, and wipes nothing', () => {
    install('mongo');
    mkdirSync(at('var/lib/fiware-ha/mongo'), { recursive: true });
    writeFileSync(at('var/lib/fiware-ha/mongo/WiredTiger'), 'of somebody');
    const ran = apply(MONGO, V1);
    expect(ran.code).toBe(65);
    expect(answerOf(ran)).toMatchObject({
      ok: false,
      error: expect.stringContaining('holds data of an earlier database, expected an empty folder'),
    });
    expect(pidOf('mongo')).toBeUndefined();
    expect(textAt('var/lib/fiware-ha/mongo/WiredTiger')).toBe('of somebody');
  });

  it('starts again on the data of its own', () => {
    install('mongo');
    apply(MONGO, V1);
    writeFileSync(at('var/lib/fiware-ha/mongo/WiredTiger'), 'of its own');
    expect(answerOf(apply(MONGO, V2))).toMatchObject({ ok: true, configVersion: V2 });
  });

  it('starts mongod with its configuration and its own folder for data', () => {
    install('mongo');
    expect(answerOf(apply(MONGO, V1))).toMatchObject({ ok: true, configVersion: V1 });
    expect(textAt('opt/fiware-ha/override/started').trim()).toBe(
      `--config ${at('etc/fiware-ha/mongod.conf')} --dbpath ${at('var/lib/fiware-ha/mongo')}`,
    );
  });

  it('does not take a configuration that names no replica set', () => {
    install('mongo');
    const ran = apply(MONGO, V1, [{ name: 'mongod.conf', content: 'net:\n  port: 27017\n' }]);
    expect(answerOf(ran)).toMatchObject({ ok: false, error: expect.stringContaining('expected a line replSetName') });
    expect(existsSync(at('etc/fiware-ha/mongod.conf'))).toBe(false);
    expect(pidOf('mongo')).toBeUndefined();
  });

  it.each(['replica-set', 'repair-majority'])(
    '%s hands a step to mongosh by its file, the payload beside it, and answers with its last line',
    (script) => {
      install('mongo');
      const bin = at('bin');
      mkdirSync(bin);
      writeFileSync(join(bin, 'mongosh'), '#!/bin/sh\necho "a greeting"\nprintf \'{"ok":true,"did":"%s"}\\n\' "$FIWARE_HA_PAYLOAD"\n', {
        mode: 0o755,
      });
      const payload = payloadOf({ action: 'initiate', replicaSet: 'orion_rs', members: [] });
      const env = { FIWARE_HA_ROOT: root, PATH: `${bin}:${process.env.PATH}` };
      expect(answerOf(run(at(`opt/fiware-ha/bin/${script}`), [payload], env))).toEqual({ ok: true, did: payload });
      writeFileSync(join(bin, 'mongosh'), '#!/bin/sh\necho "connect ECONNREFUSED" >&2\nexit 1\n');
      const refused = run(at(`opt/fiware-ha/bin/${script}`), [payload], env);
      expect(refused.code).toBe(75);
      expect(answerOf(refused)).toMatchObject({ ok: false, error: expect.stringContaining('ECONNREFUSED') });
    },
  );
});

describeWith(['bash', 'python3', 'flock'], 'a payload', () => {
  const [file] = renderConfig(ORION, V1);
  const good = { role: 'orion', version: V1, files: [file] };
  const bad: [string, string, RegExp][] = [
    ['that is no base64', '$(id)', /payload: expected base64 of JSON/],
    ['that is no JSON', Buffer.from('not JSON').toString('base64'), /payload: expected base64 of JSON/],
    ['that is no object', payloadOf([1]), /payload.role: expected orion/],
    ['for another role', payloadOf({ ...good, role: 'mongo' }), /payload.role: expected orion, the role of this node; got "mongo"/],
    ['with a version that is none', payloadOf({ ...good, version: '../1' }), /payload.version: expected 4 to 32 hex digits; got "..\/1"/],
    [
      'with a path for a file name',
      payloadOf({ ...good, files: [{ name: '../../etc/passwd', content: '' }] }),
      /expected exactly orion.env/,
    ],
    ['with a file too many', payloadOf({ ...good, files: [file, { name: 'run-role', content: '' }] }), /expected exactly orion.env/],
    ['with a file twice', payloadOf({ ...good, files: [file, file] }), /expected exactly orion.env/],
    ['without files', payloadOf({ ...good, files: [] }), /expected exactly orion.env/],
    ['with content that is no text', payloadOf({ ...good, files: [{ name: 'orion.env', content: 5 }] }), /orion.env: expected text/],
  ];

  it.each(bad)('%s is refused with the reason, and nothing is written', (_what, payload, words) => {
    const ran = run('python3', [join(NODES, 'bin', 'decode_payload.py'), 'orion', root], { PAYLOAD: payload });
    expect(ran.code).toBe(65);
    expect(ran.stderr).toMatch(words);
    expect(readdirSync(root)).toEqual([]);
  });

  it('that is refused is answered in one JSON line, whatever is in the words, and starts nothing', () => {
    install('orion');
    const ran = command('apply-config', payloadOf({ ...good, version: 'a"b\\c\nd' }));
    expect(ran.code).toBe(65);
    expect(answerOf(ran)).toEqual({ ok: false, error: 'payload.version: expected 4 to 32 hex digits; got "a\\"b\\\\c\\nd"' });
    expect(existsSync(at('etc/fiware-ha/orion.env'))).toBe(false);
    expect(pidOf('orion')).toBeUndefined();
  });

  it('comes too early for a node that is still being installed: exit code 75, try later', () => {
    install('orion');
    rmSync(at('var/lib/fiware-ha/role'));
    for (const ran of [apply(ORION, V1), restart('orion')]) {
      expect(ran.code).toBe(75);
      expect(answerOf(ran)).toMatchObject({ ok: false, error: expect.stringContaining('not installed yet') });
    }
  });

  it('to restart what has no configuration yet, or is another role, is refused', () => {
    install('orion');
    expect(restart('orion').code).toBe(75);
    expect(answerOf(restart('lb'))).toMatchObject({ ok: false, error: expect.stringContaining('expected orion') });
    expect(command('restart-role', 'nonsense').code).toBe(65);
  });
});
