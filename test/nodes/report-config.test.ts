import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { renderConfig } from '../../lambdas/core/config/render';
import type { NodeConfig } from '../../lambdas/core/node-config';
import { CYGNUS, MONGO, ORION } from '../node-configs';
import { canSandbox, Sandbox } from './sandbox';
import { answerOf, describeWith, NODES, payloadOf, run } from './tools';

const PORT = 18_404;
const V1 = '0000000000aaaa';
const V2 = '0000000000bbbb';
type Reporting = 'orion' | 'mongo' | 'cygnus';
const CONFIGS: Record<Reporting, NodeConfig> = { orion: ORION, mongo: MONGO, cygnus: CYGNUS };
const REPORTING = Object.keys(CONFIGS) as Reporting[];
const FILES: [Reporting, string][] = [
  ['orion', 'orion.env'],
  ['mongo', 'mongod.conf'],
  ['cygnus', 'service.env'],
  ['cygnus', 'service.conf'],
];

let root: string;
let reporter: ChildProcess | undefined;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fiware-ha-report-'));
});
afterEach(() => {
  reporter?.kill('SIGKILL');
  reporter = undefined;
  for (const role of REPORTING) {
    const pid = run('cat', [join(root, `run/fiware-ha-${role}.pid`)]).stdout.trim();
    if (pid) run('kill', ['-KILL', pid]);
  }
  rmSync(root, { recursive: true, force: true });
});

const at = (path: string) => join(root, path);
const command = (name: string, ...args: string[]) => run(at(`opt/fiware-ha/bin/${name}`), args, { FIWARE_HA_ROOT: root });

function install(role: Reporting): void {
  expect(run('bash', [join(NODES, 'install.sh'), role], { FIWARE_HA_ROOT: root, FIWARE_HA_PACKAGES: 'none' })).toMatchObject({ code: 0 });
  mkdirSync(at('opt/fiware-ha/override'), { recursive: true });
  writeFileSync(at(`opt/fiware-ha/override/${role}`), '#!/bin/sh\nexec sleep 1000\n', { mode: 0o755 });
}

const apply = (role: Reporting, version: string) =>
  answerOf(command('apply-config', payloadOf({ role, version, files: renderConfig(CONFIGS[role], version) })));

/** Starts the reporter of an installed node and waits until it answers. */
function report(): void {
  reporter = spawn(at('opt/fiware-ha/bin/report-config'), [String(PORT)], {
    env: { ...process.env, FIWARE_HA_ROOT: root },
    stdio: 'ignore',
  });
  expect(run('curl', ['-s', '--retry', '20', '--retry-delay', '0', '--retry-connrefused', `http://127.0.0.1:${PORT}/`]).code).toBe(0);
}

const get = (path: string) => run('curl', ['-s', '--max-time', '5', '-w', ' %{http_code}', `http://127.0.0.1:${PORT}${path}`]).stdout;
const version = () => get('/fiware-ha/config-version');

describeWith(['bash', 'python3', 'curl', 'flock'], 'what a node reports', () => {
  it.each(REPORTING)('is the version that the process of %s was started with', (role) => {
    install(role);
    report();
    expect(version()).toBe('nothing to tell 404');
    apply(role, V1);
    expect(version()).toBe(`${V1} 200`);
    apply(role, V2);
    expect(version()).toBe(`${V2} 200`);
  });

  it.each(FILES)('names the file that somebody edited on %s, %s, until it is put back, which restarts nothing', (role, file) => {
    install(role);
    apply(role, V1);
    report();
    const path = at(`etc/fiware-ha/${file}`);
    const [before, pid] = [readFileSync(path, 'utf8'), readFileSync(at(`run/fiware-ha-${role}.pid`), 'utf8')];
    writeFileSync(path, `${before}# a try\n`);
    expect(version()).toBe(`drifted: ${path} 200`);
    expect(apply(role, V1)).toMatchObject({ ok: true, did: 'repaired' });
    expect(version()).toBe(`${V1} 200`);
    expect(readFileSync(path, 'utf8')).toBe(before);
    expect(readFileSync(at(`run/fiware-ha-${role}.pid`), 'utf8')).toBe(pid);
  });

  it('is drift as well when the process was started with an edited file that looks untouched again', () => {
    install('orion');
    apply('orion', V1);
    report();
    const path = at('etc/fiware-ha/orion.env');
    const before = readFileSync(path, 'utf8');
    writeFileSync(path, before.replace('threadpool:1000:20', 'transient'));
    command('restart-role', payloadOf({ role: 'orion', evenIfItAnswers: true }));
    writeFileSync(path, before);
    expect(version()).toBe(`drifted: ${path} 200`);
    const pid = readFileSync(at('run/fiware-ha-orion.pid'), 'utf8');
    expect(apply('orion', V1)).toMatchObject({ ok: true, did: 'applied' });
    expect(version()).toBe(`${V1} 200`);
    expect(readFileSync(at('run/fiware-ha-orion.pid'), 'utf8')).not.toBe(pid);
  });

  it('is drift when the process was started with an edited file beside its environment', () => {
    install('cygnus');
    apply('cygnus', V1);
    report();
    const path = at('etc/fiware-ha/service.conf');
    const before = readFileSync(path, 'utf8');
    writeFileSync(path, `${before}# a try\n`);
    command('restart-role', payloadOf({ role: 'cygnus', evenIfItAnswers: true }));
    writeFileSync(path, before);
    expect(version()).toBe(`drifted: ${path} 200`);
    expect(apply('cygnus', V1)).toMatchObject({ ok: true, did: 'applied' });
    expect(version()).toBe(`${V1} 200`);
  });

  it('does not depend on what it is asked: bad requests and silent clients get nothing, others their answer', async () => {
    install('mongo');
    apply('mongo', V1);
    report();
    expect(get('/fiware-ha/config-version?file=/etc/passwd')).toBe('nothing to tell 404');
    expect(get('/../../etc/passwd')).toBe('nothing to tell 404');
    expect(get('/fiware-ha/connections')).toBe('nothing to tell 404');
    expect(run('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-X', 'POST', `http://127.0.0.1:${PORT}/`]).stdout).toBe('501');
    run('bash', ['-c', `head -c 100000 /dev/zero >/dev/tcp/127.0.0.1/${PORT}`]);
    const silent = Array.from({ length: 40 }, () => connect(PORT, '127.0.0.1').on('error', () => undefined));
    const closed = (socket: Socket) => new Promise((resolve) => socket.on('close', resolve).resume());
    await Promise.all(silent.map(closed));
    expect(version()).toBe(`${V1} 200`);
  });
});

/** Opens connections to a broker and keeps them for a while. */
const HOLD =
  'import socket, sys, time; held = [socket.create_connection((sys.argv[1], int(sys.argv[3]))) for _ in range(int(sys.argv[2]))]; time.sleep(60)';
/** Takes connections at the ports it is given. */
const PROCESS =
  'import socket, sys, time; s = [socket.create_server(("::", int(p)), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64) for p in sys.argv[1:]]; time.sleep(600)';

function countsConnections(role: Reporting, ports: [number, ...number[]]): void {
  let box: Sandbox;
  const hex = ports[0].toString(16).toUpperCase().padStart(4, '0');
  const count = () => box.sh('curl -s --max-time 5 http://127.0.0.1:8404/fiware-ha/connections').stdout;
  const until = (wanted: string) => {
    for (let tries = 0; tries < 50 && count() !== wanted; tries++) box.sh('sleep 0.1');
    return count();
  };
  const hold = (address: string, number: number, port: number) => `python3 -c '${HOLD}' ${address} ${number} ${port} >/dev/null 2>&1 &`;

  beforeAll(() => {
    box = new Sandbox();
    box.prepare();
    expect(box.sh(`FIWARE_HA_PACKAGES=none bash ${join(NODES, 'install.sh')} ${role}`)).toMatchObject({ code: 0, stderr: '' });
    box.sh(
      `mkdir /opt/fiware-ha/override; printf '#!/bin/sh\nexec sleep 1000\n' >/opt/fiware-ha/override/${role}; chmod 755 /opt/fiware-ha/override/${role}`,
    );
    box.sh('/opt/fiware-ha/bin/report-config >/dev/null 2>&1 &');
    const applied = box.run('/opt/fiware-ha/bin/apply-config', payloadOf({ role, version: V1, files: renderConfig(CONFIGS[role], V1) }));
    expect(answerOf(applied)).toMatchObject({ ok: true });
    box.sh(`python3 -c '${PROCESS}' 27017 ${ports.join(' ')} >/dev/null 2>&1 &`);
    // A second machine at the other end of the cable.
    box.sh('unshare --net sleep 300 >/dev/null 2>&1 & sleep 0.3; echo $! >/run/other; ip link set eth1 netns $!');
    box.sh('nsenter --target $(cat /run/other) --net sh -c "ip address add 10.99.0.2/24 dev eth1; ip link set eth1 up; ip link set lo up"');
  });
  afterAll(() => box.remove());

  it('is none while nobody but the node itself is connected', () => {
    expect(until('0')).toBe('0');
    box.sh(hold('127.0.0.1', 2, ports[0]));
    box.sh(hold('10.99.0.1', 2, ports[0]));
    box.sh(`for i in {1..50}; do [ $(grep -c " 0100007F:${hex} .* 01 \\|:${hex} .* 01 " /proc/net/tcp6) -ge 4 ] && break; sleep 0.1; done`);
    expect(count()).toBe('0');
  });

  it('is that of other machines to its own ports, and falls as they leave', () => {
    const others = [27_017, ...ports].map(
      (port) => `nsenter --target $(cat /run/other) --net ${hold('10.99.0.1', 3, port)} echo $! >>/run/holders`,
    );
    box.sh(others.join('\n'));
    const wanted = String(3 * ports.length);
    expect(until(wanted)).toBe(wanted);
    box.sh('kill $(cat /run/holders)');
    expect(until('0')).toBe('0');
  });
}

const NEEDS = ['unshare', 'nsenter', 'ip', 'python3', 'curl'];
const CLIENTS_OF: [Reporting, [number, ...number[]]][] = [
  ['orion', [1026]],
  ['cygnus', [5051]],
];
for (const [role, ports] of CLIENTS_OF) {
  const title = `the number of connections that a node of ${role} reports`;
  if (canSandbox()) describeWith(NEEDS, title, () => countsConnections(role, ports));
  else describe.skip(`${title} (skipped: needs root and a kernel that gives namespaces)`, () => countsConnections(role, ports));
}
