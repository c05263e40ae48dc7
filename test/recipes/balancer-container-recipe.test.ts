import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { canSandbox, Sandbox } from '../nodes/sandbox';
import { describeWith } from '../nodes/tools';
import { aRecipeSpec, compose, contentOf } from './specs';

jest.setTimeout(60_000);

const PROGRAMS = ['haproxy', 'keepalived', 'curl', 'ip', 'unshare', 'nsenter', 'pgrep'];
const ENTRY = '172.30.1.11';
const SERVICES = '172.30.2.11';

function scenarios(): void {
  const folder = mkdtempSync(join(tmpdir(), 'fiware-ha-balancer-'));
  let box: Sandbox;
  const until = (text: string) => box.sh(`for i in {1..100}; do ${text} && exit 0; sleep 0.1; done; exit 1`).code === 0;

  beforeAll(() => {
    const files = compose(aRecipeSpec());
    for (const path of ['lb/haproxy.cfg', 'lb/lb1/keepalived.conf', 'lb/run-balancer', 'lb/check-haproxy']) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), contentOf(files, path), { mode: 0o755 });
    }
    box = new Sandbox();
    box.prepare();
    // As Docker does: the interfaces in an order of its own.
    const made = box.sh(`set -e
ip address add ${SERVICES}/24 dev eth0
ip address add ${ENTRY}/24 dev eth1
mkdir -p /etc/fiware-ha /etc/haproxy
mount -t tmpfs none /usr/local/bin
cp ${folder}/lb/run-balancer ${folder}/lb/check-haproxy /usr/local/bin/
cp ${folder}/lb/haproxy.cfg /etc/haproxy/
cp ${folder}/lb/lb1/keepalived.conf /etc/fiware-ha/`);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    box.sh(`ENTRY_ADDRESS=${ENTRY} SERVICES_ADDRESS=${SERVICES} bash -c 'run-balancer; echo $? >/run/ended' >/var/log/balancer 2>&1 &`);
  });
  afterAll(() => {
    box.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('holds both virtual addresses, each on the interface of its network, whatever they are called', () => {
    expect(until('ip -br address show dev eth1 | grep -q 172.30.1.99/24')).toBe(true);
    expect(until('ip -br address show dev eth0 | grep -q 172.30.2.99/24')).toBe(true);
  });

  it('serves although no broker can be found yet', () => {
    expect(box.sh('curl -fs http://172.30.1.99:8404/fiware-ha/health').stdout).toBe('serving');
    expect(box.sh('curl -s -o /dev/null -w "%{http_code}" http://172.30.1.99:1026/version').stdout).toBe('503');
  });

  it('ends as a whole when one of the two does', () => {
    box.sh('pkill -KILL -x keepalived');
    expect(until('[ -s /run/ended ]')).toBe(true);
    expect(box.sh('pgrep -r D,R,S,T -x haproxy').stdout).toBe('');
    expect(box.sh('cat /run/ended').stdout.trim()).not.toBe('0');
  });
}

if (canSandbox()) describeWith(PROGRAMS, "a recipe's balancer in a container", scenarios);
else describe.skip("a recipe's balancer in a container (skipped: needs root and a kernel that gives namespaces)", scenarios);
