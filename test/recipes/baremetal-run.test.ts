import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { canSandbox, Sandbox } from '../nodes/sandbox';
import { describeWith } from '../nodes/tools';
import { aRecipeSpec, baremetal, SLIDES_ADDRESSES } from './specs';

/** Each scenario waits for keepalived's clocks, on machines that have other work as well. */
jest.setTimeout(60_000);

const PROGRAMS = ['haproxy', 'keepalived', 'curl', 'ip', 'unshare', 'nsenter', 'python3', 'pgrep', 'sysctl'];
const { virtual, nodes } = SLIDES_ADDRESSES;
const CLIENT = '192.168.0.10';

/** A broker whose answers are files: `version` and `v2/entities`. */
const BROKER = `
import functools, sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
class Whole(SimpleHTTPRequestHandler):
    wbufsize = -1
ThreadingHTTPServer(("", 1026), functools.partial(Whole, directory=sys.argv[1])).serve_forever()
`;

/** Asks without a rest, a connection a request; writes when each was answered, or why it was not. */
const ASKING = `
import time, urllib.request
while True:
    try:
        urllib.request.urlopen("http://${virtual}:1026/version", timeout=5).read()
        print("%.3f good" % time.time(), flush=True)
    except Exception as error:
        print("%.3f bad %s" % (time.time(), error), flush=True)
    time.sleep(0.02)
`;

/** A machine under load is slow to answer checks: what matters is that it comes, and that it is bounded, seconds. */
const OUTAGE_MAX_S = 10;

function scenarios(): void {
  const folder = mkdtempSync(join(tmpdir(), 'fiware-ha-recipe-'));
  let box: Sandbox;

  /** Runs in a machine's network, its own /etc, and a /run that nobody shares. */
  const on = (slot: string, text: string) => `ip netns exec ${slot} bash -c 'mount -t tmpfs none /run; mkdir -p /run/haproxy; ${text}'`;
  const begin = (slot: string, text: string) => box.sh(`${on(slot, `exec ${text}`)} >/var/log/${slot}-$RANDOM.log 2>&1 &`);
  const startHaproxy = (slot: string) => begin(slot, 'haproxy -W -db -f /etc/haproxy/haproxy.cfg');
  const holders = () =>
    Object.keys(nodes).filter(
      (slot) => slot.startsWith('lb') && box.sh(`ip -n ${slot} -br address show dev eth0`).stdout.includes(`${virtual}/`),
    );
  const until = (isSo: () => boolean) => {
    for (let tries = 0; tries < 100 && !isSo(); tries++) box.sh('sleep 0.1');
    return isSo();
  };
  const pidsIn = (slot: string, program: string) =>
    box
      .sh(`for pid in $(ip netns pids ${slot}); do [ "$(cat /proc/$pid/comm)" = ${program} ] && echo $pid; done; true`)
      .stdout.trim()
      .split(/\s+/)
      .join(' ');
  const now = () => Number(box.sh('date +%s.%N').stdout);
  const asked = (fromS: number) =>
    box
      .sh('cat /var/log/asked')
      .stdout.trim()
      .split('\n')
      .map((line) => ({ atS: Number(line.split(' ')[0]), isGood: line.includes(' good'), line }))
      .filter(({ atS }) => atS >= fromS);
  const failed = (fromS: number) =>
    asked(fromS)
      .filter(({ isGood }) => !isGood)
      .map(({ line }) => line);
  /** The longest time without an answer since a moment, seconds. */
  const outageS = (fromS: number) => {
    const good = [fromS, ...asked(fromS).flatMap(({ atS, isGood }) => (isGood ? [atS] : []))];
    return Math.max(...good.slice(1).map((atS, i) => atS - (good[i] ?? atS)), now() - (good.at(-1) ?? 0));
  };
  /** The balancer that holds the address, once exactly one does, and the other one. */
  const pair = () => {
    expect(until(() => holders().length === 1)).toBe(true);
    const [holder = ''] = holders();
    return { holder, other: holder === 'lb1' ? 'lb2' : 'lb1' };
  };
  const isAnsweredSince = (fromS: number) => asked(fromS).filter(({ isGood }) => isGood).length > 20;

  const machine = (slot: string, ip: string) => `
ip netns add ${slot}
ip link add v-${slot} type veth peer name eth0 netns ${slot}
ip link set v-${slot} master br0 up
ip -n ${slot} address add ${ip}/24 dev eth0
ip -n ${slot} link set eth0 up
ip -n ${slot} link set lo up
mkdir -p /etc/netns/${slot}
[ ! -d ${folder}/${slot}/etc ] || cp -r ${folder}/${slot}/etc/. /etc/netns/${slot}/
`;

  beforeAll(() => {
    for (const { path, content, executable } of baremetal(aRecipeSpec())) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content, { mode: executable ? 0o755 : 0o644 });
    }
    writeFileSync(join(folder, 'broker.py'), BROKER);
    writeFileSync(join(folder, 'asking.py'), ASKING);
    box = new Sandbox();
    box.prepare();
    const machines = Object.entries({ ...nodes, client: CLIENT }).filter(([slot]) => !slot.startsWith('mdb'));
    const made = box.sh(`set -e
ip link add br0 type bridge
ip link set br0 up
mount -t tmpfs none /usr/local/bin
cp ${folder}/lb1/usr/local/bin/check-haproxy /usr/local/bin/
${machines.map(([slot, ip]) => machine(slot, ip)).join('')}
for lb in lb1 lb2; do ip netns exec $lb sysctl -q -p /etc/sysctl.d/60-fiware-ha.conf; done`);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    for (const slot of ['ctx1', 'ctx2']) {
      box.sh(`mkdir -p /var/lib/${slot}/v2; cd /var/lib/${slot}; echo "{}" >version; echo "[]" >v2/entities; echo ${slot} >who`);
      begin(slot, `python3 ${folder}/broker.py /var/lib/${slot}`);
    }
    // A broker that HAProxy's first check finds deaf is given its share of the requests only slowly.
    const answers = (slot: string) => box.sh(`ip netns exec ${slot} curl -fs http://127.0.0.1:1026/version`).code === 0;
    expect(until(() => answers('ctx1') && answers('ctx2'))).toBe(true);
    for (const slot of ['lb1', 'lb2']) {
      startHaproxy(slot);
      begin(slot, 'keepalived --dont-fork --log-console --use-file /etc/keepalived/keepalived.conf');
    }
    until(() => holders().length === 1);
    box.sh(`for i in {1..50}; do ip netns exec client curl -fs --max-time 1 http://${virtual}:1026/version && break; sleep 0.1; done`);
    box.sh(`ip netns exec client python3 ${folder}/asking.py >/var/log/asked 2>&1 &`);
    expect(until(() => asked(0).length > 20)).toBe(true);
  });
  afterAll(() => {
    box.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('serves both brokers at the virtual address, which one balancer holds', () => {
    pair();
    const who = box.sh(`for i in {1..8}; do ip netns exec client curl -fs http://${virtual}:1026/who; done | sort -u`).stdout;
    expect(who).toBe('ctx1\nctx2\n');
  });

  it('moves the address when HAProxy dies there, and leaves it where it went when HAProxy is back', () => {
    const { holder, other } = pair();
    const killedAtS = now();
    box.sh(`kill -KILL ${pidsIn(holder, 'haproxy')}`);
    expect(until(() => holders().join() === other)).toBe(true);
    const movedAtS = now();
    expect(until(() => isAnsweredSince(movedAtS))).toBe(true);
    expect(failed(killedAtS).length).toBeGreaterThan(0);
    expect(outageS(killedAtS)).toBeLessThan(OUTAGE_MAX_S);
    startHaproxy(holder);
    expect(until(() => box.sh(`ip netns exec ${holder} curl -fs --max-time 1 http://127.0.0.1:8404/fiware-ha/health`).code === 0)).toBe(
      true,
    );
    box.sh('sleep 4');
    expect(holders()).toEqual([other]);
  });

  it('moves the address when the link of its holder goes down, and goes on answering when it is back', () => {
    const { holder, other } = pair();
    const cutAtS = now();
    box.sh(`ip link set v-${holder} down`);
    expect(until(() => holders().includes(other))).toBe(true);
    const movedAtS = now();
    expect(until(() => isAnsweredSince(movedAtS))).toBe(true);
    expect(outageS(cutAtS)).toBeLessThan(OUTAGE_MAX_S);
    box.sh(`ip link set v-${holder} up; sleep 3`);
    expect(holders()).toEqual([other]);
  });

  it('fails no request when a broker dies', () => {
    const killedAtS = now();
    box.sh(`kill -KILL ${pidsIn('ctx1', 'python3')}; sleep 3`);
    expect(until(() => isAnsweredSince(killedAtS))).toBe(true);
    expect(failed(killedAtS)).toEqual([]);
  });
}

if (canSandbox()) describeWith(PROGRAMS, 'a bare-metal recipe', scenarios);
else describe.skip('a bare-metal recipe (skipped: needs root and a kernel that gives namespaces)', scenarios);
