import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { renderConfig } from '../../lambdas/core/config/render';
import type { NodeConfig } from '../../lambdas/core/node-config';
import { aBalancerOf, BALANCER_PROGRAMS, installBalancer } from './a-balancer';
import { canSandbox, Sandbox } from './sandbox';
import { answerOf, describeWith, payloadOf } from './tools';

const V1 = '0000000000aaaa';
const V2 = '0000000000bbbb';
/** Brokers on addresses of the loopback network, so that they need no machine of their own. */
const CTX1 = { slot: 'ctx1', ip: '127.0.0.2' };
const CTX2 = { slot: 'ctx2', ip: '127.0.0.3' };
const aConfig = (brokers = [CTX1, CTX2]): NodeConfig => ({
  ...aBalancerOf(brokers),
  claims: { cluster: 'city', queueUrl: 'http://127.0.0.1:9324/000000000000/failover' },
});

/** A broker that answers in one piece: one killed between header and body has failed a request that no balancer may repeat. */
const BROKER = `
import functools, sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
class Whole(SimpleHTTPRequestHandler):
    wbufsize = -1
ThreadingHTTPServer((sys.argv[4], 1026), functools.partial(Whole, directory=sys.argv[2])).serve_forever()
`;

/** Four clients with a connection a request; prints how many were answered, and what became of the others. */
const CLIENTS = `
import sys, threading, time, urllib.request
end, good, bad = time.time() + float(sys.argv[1]), [], []
def ask():
    while time.time() < end:
        try:
            good.append(urllib.request.urlopen("http://127.0.0.1:8026/version", timeout=5).read())
        except Exception as error:
            bad.append(str(error))
threads = [threading.Thread(target=ask) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(good), bad)
`;

function scenarios(): void {
  let box: Sandbox;
  const apply = (version: string, files = renderConfig(aConfig(), version)) =>
    box.run('/opt/fiware-ha/bin/apply-config', payloadOf({ role: 'lb', version, files }));
  const restart = (more = {}) => answerOf(box.run('/opt/fiware-ha/bin/restart-role', payloadOf({ role: 'lb', ...more })));
  const versionServed = () => box.sh('curl -fs --max-time 2 http://127.0.0.1:8404/fiware-ha/config-version').stdout;
  const pidsOf = (program: string) => box.run('pgrep', '-r', 'D,R,S,T', '-x', program).stdout;
  /** What keepalived said of its changes, once the last one is that state, or after 20 s, which no change takes on the slowest machine. */
  const changesUntil = (state: string): string => {
    const changes = 'grep keepalived: /var/log/fiware-ha-entry.log';
    box.sh(`end=$((SECONDS + 20)); until ${changes} | tail -n 1 | grep -q ${state} || [ $SECONDS -ge $end ]; do sleep 0.1; done`);
    return box.sh(changes).stdout;
  };
  const startBroker = (ip: string) => box.sh(`python3 -c '${BROKER}' --directory /run/www/${ip} --bind ${ip} >/dev/null 2>&1 &`);

  beforeAll(() => {
    box = new Sandbox();
    expect(installBalancer(box)).toMatchObject({ code: 0, stderr: '' });
    for (const { ip, slot } of [CTX1, CTX2])
      box.sh(`mkdir -p /run/www/${ip}/v2; cd /run/www/${ip}; echo "{}" >version; echo ${slot} >who; echo "[]" >v2/entities`);
    startBroker(CTX1.ip);
    startBroker(CTX2.ip);
  });
  afterAll(() => box.remove());

  it('starts HAProxy and keepalived with its first configuration, and serves the brokers', () => {
    expect(answerOf(apply(V1))).toEqual({ ok: true, configVersion: V1, did: 'applied' });
    expect(versionServed()).toBe(V1);
    expect(box.sh('curl -fs http://127.0.0.1:8404/fiware-ha/health').stdout).toBe('serving');
    expect(box.sh('curl -fs http://127.0.0.1:8404/metrics').stdout).toContain('haproxy_server_status{proxy="ctx_pool",server="ctx2"');
    expect(box.sh('curl -fs --retry 10 --retry-delay 1 http://127.0.0.1:8026/version').stdout.trim()).toBe('{}');
  });

  it('speaks up for itself, takes the lead where no other balancer does, and writes it down', () => {
    for (const token of ['169.254.51.1/32', '169.254.52.1/32'])
      expect(box.sh(`for i in {1..50}; do ip -br address show lo | grep -o ${token} && break; sleep 0.1; done`).stdout).toContain(token);
    expect(changesUntil('MASTER')).toMatch(/entry is now MASTER\n$/);
  });

  it('does nothing for the same configuration', () => {
    const before = pidsOf('haproxy');
    expect(answerOf(apply(V1))).toEqual({ ok: true, configVersion: V1, did: 'already' });
    expect(pidsOf('haproxy')).toBe(before);
  });

  it.each([
    ['haproxy.cfg', 'frontend entry\n  bind :8026\n  balance nonsense\n', /haproxy.cfg:3\] : balance only supports/],
    ['keepalived.conf', 'vrrp_instance entry {\n  interface nowhere\n}\n', /nowhere|interface/],
  ])('keeps the old configuration when %s is not valid', (name, content, words) => {
    const files = renderConfig(aConfig(), V2).map((file) => (file.name === name ? { name, content } : file));
    const before = [pidsOf('haproxy'), box.sh('cat /etc/haproxy/haproxy.cfg /etc/keepalived/keepalived.conf').stdout];
    const ran = apply(V2, files);
    expect(ran.code).toBe(65);
    expect(answerOf(ran)).toMatchObject({ ok: false, outcome: 'refused', error: expect.stringMatching(words) });
    expect([pidsOf('haproxy'), box.sh('cat /etc/haproxy/haproxy.cfg /etc/keepalived/keepalived.conf').stdout]).toEqual(before);
    expect(versionServed()).toBe(V1);
  });

  it('goes back to the old configuration when HAProxy can not serve the new one', () => {
    const files = renderConfig(aConfig(), V2).map(({ name, content }) => ({
      name,
      content: content.replace('bind :8026', 'bind 10.88.0.1:8026'),
    }));
    const ran = apply(V2, files);
    expect(ran.code).toBe(1);
    expect(answerOf(ran)).toMatchObject({ ok: false, outcome: 'refused', error: expect.stringContaining('the old one is back') });
    expect(versionServed()).toBe(V1);
    expect(answerOf(apply(V1))).toMatchObject({ did: 'already' });
  });

  it.each(['/etc/haproxy/haproxy.cfg', '/etc/keepalived/keepalived.conf'])('tells that somebody edited %s, and repairs it', (path) => {
    const before = box.sh(`cat ${path}`).stdout;
    box.sh(`echo '# just a try' >>${path}`);
    expect(versionServed()).toBe(`drifted: ${path}`);
    box.sh('kill -USR2 $(cat /run/haproxy.pid); sleep 0.5');
    expect(versionServed()).toBe(`drifted: ${path}`);
    expect(answerOf(apply(V1))).toEqual({ ok: true, configVersion: V1, did: 'applied' });
    expect(versionServed()).toBe(V1);
    expect(box.sh(`cat ${path}`).stdout).toBe(before);
  });

  it.each(['KILL', 'STOP'])('tells that keepalived was sent SIG%s, and starts it again while HAProxy serves on', (signal) => {
    box.sh(`pkill -${signal} -x keepalived; sleep 0.2`);
    expect(versionServed()).toBe('drifted: keepalived');
    expect(answerOf(apply(V1))).toEqual({ ok: true, configVersion: V1, did: 'applied' });
    expect(versionServed()).toBe(V1);
    expect(box.run('pgrep', '-r', 'S,R', '-x', 'keepalived').stdout).not.toBe('');
    expect(box.sh('curl -fs http://127.0.0.1:8404/fiware-ha/health').stdout).toBe('serving');
  });

  it('asks no broker that lost the database while another has it, and all of them when none has', () => {
    const database = (ip: string) => `/run/www/${ip}/v2/entities`;
    const whoAnswers = () =>
      box.sh('for i in {1..8}; do curl -s --max-time 5 http://127.0.0.1:8026/who || echo none; done | sort -u').stdout;
    const until = (who: string) => {
      for (let tries = 0; tries < 40 && whoAnswers() !== who; tries++) box.sh('sleep 0.2');
      return whoAnswers();
    };
    box.sh(`mv ${database(CTX2.ip)} /run/www/lost`);
    expect(until('ctx1\n')).toBe('ctx1\n');
    box.sh(`mv ${database(CTX1.ip)} /run/www/lost1`);
    expect(until('ctx1\nctx2\n')).toBe('ctx1\nctx2\n');
    box.sh(`mv /run/www/lost ${database(CTX2.ip)}; mv /run/www/lost1 ${database(CTX1.ip)}`);
    expect(
      box.sh(
        'for i in {1..60}; do curl -s http://127.0.0.1:8404/metrics | grep -q \'backend_active_servers{proxy="ctx_pool"} 2\' && echo both && break; sleep 0.2; done',
      ).stdout,
    ).toBe('both\n');
  });

  it('fails no request while configurations change and a broker dies', () => {
    box.sh(`python3 -c '${CLIENTS}' 6 >/run/clients 2>&1 &`);
    const keepalived = pidsOf('keepalived');
    apply(V2, renderConfig(aConfig([CTX1]), V2));
    apply(V1);
    box.sh(`pkill -KILL -f 'bind ${CTX2.ip}'`);
    box.sh('for i in {1..100}; do [ -s /run/clients ] && break; sleep 0.1; done');
    expect(box.sh('cat /run/clients').stdout).toMatch(/^[1-9]\d* \[\]$/m);
    expect(pidsOf('keepalived')).toBe(keepalived);
    expect(versionServed()).toBe(V1);
  });

  it('answers at a second private address once its configuration names it, also where the system had it, and leaves VRRP alone', () => {
    const second = '10.99.0.77';
    const config = { ...aConfig(), secondaryIps: [second] } as NodeConfig;
    const at = (ip: string) => box.sh(`curl -fs --max-time 2 http://${ip}:8404/fiware-ha/health`).stdout;
    const until = (ip: string, said: string) => {
      for (let tries = 0; tries < 30 && at(ip) !== said; tries++) box.sh('sleep 0.1');
      return at(ip);
    };
    const changes = () => box.sh('cat /var/log/fiware-ha-entry.log').stdout;
    const [before, keepalived] = [changes(), pidsOf('keepalived')];
    expect(at(second)).toBe('');
    expect(answerOf(apply(V2, renderConfig(config, V2)))).toMatchObject({ ok: true, did: 'applied' });
    expect(until(second, 'serving')).toBe('serving');
    // A new list of brokers, and a repeated configuration, leave it as it is.
    apply(V1, renderConfig({ ...config, brokers: [CTX1] } as NodeConfig, V1));
    expect(at(second)).toBe('serving');
    expect([changes(), pidsOf('keepalived')]).toEqual([before, keepalived]);
    expect(answerOf(apply(V2))).toMatchObject({ ok: true });
    expect(until(second, '')).toBe('');
    box.sh(`ip address add ${second}/24 dev eth0`);
    expect(answerOf(apply(V1, renderConfig(config, V1)))).toMatchObject({ ok: true });
    expect(until(second, 'serving')).toBe('serving');
    expect(answerOf(apply(V1))).toMatchObject({ ok: true });
  });

  it('lets the lead go when HAProxy hangs, and serves again after restart-role', () => {
    // keepalived was told a new configuration a moment ago: it leads again before there is a lead to let go.
    expect(changesUntil('MASTER')).toMatch(/entry is now MASTER\n$/);
    box.sh('pkill -STOP -x haproxy');
    expect(changesUntil('FAULT')).toMatch(/entry is now FAULT\n$/);
    // Its own sign of life ends as well, so that the peer misses it.
    expect(box.sh('ip -br address show lo').stdout).not.toContain('169.254.51.1/32');
    expect(restart()).toEqual({ ok: true, did: 'restarted' });
    expect(versionServed()).toBe(V1);
  });

  it('is left alone by restart-role when HAProxy answers and keepalived runs, unless the order says to look no further', () => {
    const [haproxy, keepalived] = [pidsOf('haproxy'), pidsOf('keepalived')];
    expect(restart()).toEqual({ ok: true, did: 'already' });
    expect([pidsOf('haproxy'), pidsOf('keepalived')]).toEqual([haproxy, keepalived]);
    expect(restart({ evenIfItAnswers: true })).toEqual({ ok: true, did: 'restarted' });
    expect(pidsOf('haproxy')).not.toBe(haproxy);
    expect(restart()).toEqual({ ok: true, did: 'already' });
  });

  it.each(['KILL', 'STOP'])('is restarted when keepalived alone got a SIG%s', (signal) => {
    box.sh(`pkill -${signal} -x keepalived; sleep 0.2`);
    expect(restart()).toEqual({ ok: true, did: 'restarted' });
    expect(versionServed()).toBe(V1);
    expect(restart()).toEqual({ ok: true, did: 'already' });
  });
}

if (canSandbox()) describeWith(BALANCER_PROGRAMS, 'a balancer node', scenarios);
else describe.skip('a balancer node (skipped: needs root and a kernel that gives namespaces)', scenarios);
