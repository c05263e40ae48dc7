import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { renderConfig } from '../../lambdas/core/config/render';
import type { RenderedFile } from '../../lambdas/core/config/rendered-file';
import { ENABLER_ROLES, type EnablerRole } from '../../lambdas/core/names';
import { anEnabler, CYGNUS } from '../node-configs';
import { answerOf, describeWith, NODES, payloadOf, type Ran, run } from './tools';

const V1 = '0000000000aaaa';
const V2 = '0000000000bbbb';

let root: string;
let role: EnablerRole;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fiware-ha-service-'));
  role = 'cygnus';
});
afterEach(() => {
  const pid = pidOf();
  if (pid) run('kill', ['-KILL', String(pid)]);
  rmSync(root, { recursive: true, force: true });
});

const at = (path: string) => join(root, path);
const textAt = (path: string) => readFileSync(at(path), 'utf8');
const pidOf = () => (existsSync(at(`run/fiware-ha-${role}.pid`)) ? Number(textAt(`run/fiware-ha-${role}.pid`)) : undefined);
const isRunning = () => /^[DRSTt]/.test(run('ps', ['-o', 'stat=', '-p', String(pidOf() ?? 0)]).stdout);
const configOf = (of: EnablerRole) => (of === 'cygnus' ? CYGNUS : anEnabler(of));

function install(process?: string): void {
  const ran = run('bash', [join(NODES, 'install.sh'), role], { FIWARE_HA_ROOT: root, FIWARE_HA_PACKAGES: 'none' });
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  if (process === undefined) return;
  mkdirSync(at('opt/fiware-ha/override'), { recursive: true });
  writeFileSync(at(`opt/fiware-ha/override/${role}`), process, { mode: 0o755 });
}

/** Stands for Docker: notes what it is asked; has the images that are named in a file, and fetches any but one called `nowhere`. */
const DOCKER = `#!/bin/sh
echo "$*" >>"$DOCKER_NOTES"
case $1 in
  image) grep -qxF "$3" "$DOCKER_NOTES.images" ;;
  pull) case $3 in *nowhere*) echo "manifest unknown" >&2; exit 1 ;; esac; echo "$3" >>"$DOCKER_NOTES.images" ;;
  run) exec sleep 1000 ;;
esac
`;
const notes = () => textAt('docker-notes').trim().split('\n');

function installDocker(): void {
  mkdirSync(at('bin'));
  writeFileSync(at('bin/docker'), DOCKER, { mode: 0o755 });
  writeFileSync(at('docker-notes.images'), '');
}

function apply(files: RenderedFile[], version = V1): Ran {
  const env = { FIWARE_HA_ROOT: root, PATH: `${at('bin')}:${process.env.PATH}`, DOCKER_NOTES: at('docker-notes') };
  return run(at('opt/fiware-ha/bin/apply-config'), [payloadOf({ role, version, files })], env);
}

/** The files with another environment: lines added, or some replaced. */
const withEnvironment = (change: (text: string) => string) =>
  renderConfig(CYGNUS, V2).map(({ name, content }) => ({ name, content: name === 'service.env' ? change(content) : content }));

const NOTES_ENV = '#!/bin/sh\nenv >"$(dirname "$0")/environment"\ncp "$FIWARE_HA_CONF_FILE" "$(dirname "$0")/conf"\nexec sleep 1000\n';
const TOOLS = ['bash', 'python3', 'flock', 'ps'];

describeWith(TOOLS, 'a node of a role of the catalogue', () => {
  it.each([...ENABLER_ROLES])('runs %s with the very environment and file that its entry gives', (of) => {
    role = of;
    install(NOTES_ENV);
    const [conf, env] = renderConfig(configOf(of), V1);
    expect(answerOf(apply([conf, env] as RenderedFile[]))).toEqual({ ok: true, configVersion: V1, did: 'applied' });
    expect([textAt('etc/fiware-ha/service.conf'), textAt('etc/fiware-ha/service.env')]).toEqual([conf?.content, env?.content]);
    const seen = textAt('opt/fiware-ha/override/environment').split('\n');
    expect(seen).toEqual(expect.arrayContaining(env?.content.trim().split('\n') ?? []));
    expect(seen).toContain(`FIWARE_HA_CONF_FILE=${at('etc/fiware-ha/service.conf')}`);
    expect(textAt('opt/fiware-ha/override/conf')).toBe(conf?.content);
    expect(isRunning()).toBe(true);
  });

  it('does nothing when the configuration runs already, and starts anew for another file alone', () => {
    install(NOTES_ENV);
    apply(renderConfig(CYGNUS, V1));
    const before = pidOf();
    expect(answerOf(apply(renderConfig(CYGNUS, V1)))).toMatchObject({ did: 'already' });
    expect(pidOf()).toBe(before);
    const other = renderConfig(CYGNUS, V1).map((file) => (file.name === 'service.conf' ? { ...file, content: '# other\n' } : file));
    expect(answerOf(apply(other))).toMatchObject({ ok: true, did: 'applied' });
    expect(pidOf()).not.toBe(before);
    expect(textAt('opt/fiware-ha/override/conf')).toBe('# other\n');
  });

  it('fetches the image while the old process serves, then runs it on the network of the node with its file and its folder', () => {
    install();
    installDocker();
    expect(answerOf(apply(renderConfig(CYGNUS, V1)))).toMatchObject({ ok: true, did: 'applied' });
    const image = 'fiware/cygnus-ngsi:3.17.0';
    const started = `run --rm --name fiware-ha-cygnus --network host --ulimit nofile=65536:65536 --stop-timeout 30 --env-file ${at('etc/fiware-ha/service.env')} -v ${at('etc/fiware-ha/service.conf')}:/opt/apache-flume/conf/agent-fiware-ha.conf:ro -v ${at('var/lib/fiware-ha/keeps/var/lib/cygnus')}:/var/lib/cygnus ${image}`;
    expect(notes()).toEqual([`image inspect ${image}`, `pull --quiet ${image}`, 'rm -f fiware-ha-cygnus', started]);
    expect(statSync(at('var/lib/fiware-ha/keeps')).mode & 0o777).toBe(0o700);
    writeFileSync(at('var/lib/fiware-ha/keeps/var/lib/cygnus/event'), 'waits');
    const before = pidOf();
    const gone = withEnvironment((text) => text.replace(image, 'fiware/nowhere:3.17.0'));
    expect(answerOf(apply(gone, V2))).toMatchObject({ ok: false, outcome: 'refused', error: expect.stringContaining('manifest unknown') });
    expect([pidOf(), isRunning()]).toEqual([before, true]);
    const newer = { ...CYGNUS, version: '3.16.0', options: { channel: 'memory' as const } };
    expect(answerOf(apply(renderConfig(newer, V2), V2))).toMatchObject({ ok: true, configVersion: V2 });
    expect(notes().at(-1)).not.toContain('service.conf');
    expect(notes().at(-1)).toMatch(/ fiware\/cygnus-ngsi:3\.16\.0$/);
    expect(textAt('var/lib/fiware-ha/keeps/var/lib/cygnus/event')).toBe('waits');
  });

  const line = (key: string, value: string) => (text: string) =>
    text.replace(new RegExp(`^FIWARE_HA_${key}=.*$`, 'm'), `FIWARE_HA_${key}=${value}`);
  const BAD: [string, (text: string) => string, string][] = [
    ['with what a shell would run', (text) => `${text}A=$(id)\n`, 'expected KEY=VALUE lines; got '],
    ['with a space in a value', (text) => `${text}A=b -v /:/host\n`, 'expected KEY=VALUE lines; got '],
    ['with an option for an image', line('IMAGE', '--privileged'), 'FIWARE_HA_IMAGE: expected an image as repository:tag; got'],
    ['with an image without a tag', line('IMAGE', 'fiware/cygnus-ngsi'), 'FIWARE_HA_IMAGE: expected'],
    [
      'without an image',
      (text) => text.replace(/^FIWARE_HA_IMAGE=.*\n/m, ''),
      "FIWARE_HA_IMAGE: expected an image as repository:tag; got ''",
    ],
    ['with a port that is none', line('PORTS', '5051,http'), 'FIWARE_HA_PORTS: expected ports with commas between them'],
    ['with a port too high', line('PORTS', '5051,70000'), 'FIWARE_HA_PORTS: expected ports up to 65535; got 70000'],
    ['with a path that leads upwards', line('CONF_PATH', '/opt/../etc/shadow'), 'FIWARE_HA_CONF_PATH: expected an absolute path'],
    ['with a path and options', line('CONF_PATH', '/opt/a:rw'), 'FIWARE_HA_CONF_PATH: expected'],
    ['that keeps the root', line('KEEPS', '/'), 'FIWARE_HA_KEEPS: expected absolute folders'],
    ['that keeps what is beside', line('KEEPS', '/var/lib/cygnus,/../mongo'), 'FIWARE_HA_KEEPS: expected absolute folders'],
    ['with another version', line('CONFIG_VERSION', 'latest'), 'FIWARE_HA_CONFIG_VERSION: expected 4 to 32 hex digits'],
    ['with a setting nobody knows', (text) => `${text}FIWARE_HA_OPTIONS=x\n`, 'got FIWARE_HA_OPTIONS=x'],
    ['with a key twice', (text) => `${text}FIWARE_HA_IMAGE=fiware/other:1\n`, 'expected each key once; got FIWARE_HA_IMAGE twice'],
  ];

  it('keeps the old configuration when a line or a value is not what it should be, and says which', () => {
    install(NOTES_ENV);
    apply(renderConfig(CYGNUS, V1));
    const [before, pid] = [textAt('etc/fiware-ha/service.env'), pidOf()];
    for (const [what, change, words] of BAD) {
      const ran = apply(withEnvironment(change), V2);
      expect({ what, ...answerOf(ran) }).toMatchObject({ what, ok: false, outcome: 'refused', error: expect.stringContaining(words) });
      expect(ran.code).toBe(65);
    }
    expect([textAt('etc/fiware-ha/service.env'), pidOf(), isRunning()]).toEqual([before, pid, true]);
  });

  it('takes its two files, and neither one alone nor another role’s', () => {
    install(NOTES_ENV);
    const [conf, env] = renderConfig(CYGNUS, V1) as [RenderedFile, RenderedFile];
    for (const files of [[conf], [env], [conf, env, env], [conf, { ...env, name: 'orion.env' }]])
      expect(answerOf(apply(files))).toMatchObject({
        ok: false,
        error: expect.stringContaining('expected exactly service.conf, service.env'),
      });
    expect(pidOf()).toBeUndefined();
  });
});

describeWith(['bash'], 'install.sh', () => {
  it.each(['', 'Cygnus', 'c', '-c', '../lb', 'a b', 'x'.repeat(32), 'lb;id'])('takes no role %j', (name) => {
    const ran = run('bash', [join(NODES, 'install.sh'), name], { FIWARE_HA_ROOT: root, FIWARE_HA_PACKAGES: 'none' });
    expect(ran).toMatchObject({ code: 64, stderr: expect.stringContaining('usage: install.sh ROLE') });
    expect(existsSync(at('var/lib/fiware-ha/role'))).toBe(false);
  });
});
