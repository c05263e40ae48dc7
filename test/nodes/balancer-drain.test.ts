/** A broker leaves a real HAProxy under clients that keep their connections and whose requests take time and may not be repeated. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { renderConfig } from '../../lambdas/core/config/render';
import { aBalancerOf, BALANCER_PORT, BALANCER_PROGRAMS, installBalancer } from './a-balancer';
import { canSandbox, Sandbox } from './sandbox';
import { answerOf, describeWith, payloadOf } from './tools';

const CTX1 = { slot: 'ctx1', ip: '127.0.0.2' };
const CTX2 = { slot: 'ctx2', ip: '127.0.0.3' };

/** Where a broker writes a + for each POST that it begins, and a - for each that it is about to answer. */
const notesOf = ({ ip }: { ip: string }) => `/run/posts-${ip}`;

/** A broker whose POST takes up to a second; its answer comes in one piece. */
const BROKER = `
import random, sys, time
notes = open("/run/posts-" + sys.argv[1], "a", buffering=1)
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Slow(BaseHTTPRequestHandler):
    protocol_version, wbufsize = "HTTP/1.1", -1
    def answer(self):
        self.send_response(200); self.send_header("content-length", "2"); self.end_headers(); self.wfile.write(b"[]")
    def do_GET(self): self.answer()
    def do_POST(self): print("+", file=notes); time.sleep(random.uniform(0.1, 1)); print("-", file=notes); self.answer()
    def log_message(self, *_): pass
ThreadingHTTPServer((sys.argv[1], 1026), Slow).serve_forever()
`;

/** Clients that keep their connection; between two requests some pause long enough to come back to the worker of before. */
const CLIENTS = `
import http.client, sys, threading, time
end, good, bad = time.time() + float(sys.argv[1]), [], []
def ask(pause):
    connection = http.client.HTTPConnection("127.0.0.1", ${BALANCER_PORT}, timeout=5)
    while time.time() < end:
        try:
            connection.request("POST", "/v2/entities")
            answer = connection.getresponse(); answer.read()
            (good if answer.status == 200 else bad).append(answer.status)
        except Exception as error:
            bad.append(repr(error)); connection.close()
        time.sleep(pause)
threads = [threading.Thread(target=ask, args=(0 if i % 2 else 1.5,)) for i in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(good), bad)
`;

function scenarios(): void {
  let box: Sandbox;
  const apply = (version: string, brokers: { slot: string; ip: string }[]) =>
    box.run('/opt/fiware-ha/bin/apply-config', payloadOf({ role: 'lb', version, files: renderConfig(aBalancerOf(brokers), version) }));
  /** Starts a broker; one that HAProxy's first check finds deaf would be given its share of the requests only slowly. */
  const start = (broker: { ip: string }) => {
    const answers = `curl -s -o /dev/null http://${broker.ip}:1026/`;
    box.sh(`rm -f ${notesOf(broker)}; python3 -c '${BROKER}' ${broker.ip} >/dev/null 2>&1 &`);
    expect(box.sh(`for i in {1..100}; do ${answers} && echo answers && break; sleep 0.1; done`).stdout).toBe('answers\n');
  };
  const signal = (name: 'STOP' | 'CONT' | 'KILL', { ip }: { ip: string }) =>
    box.sh(`pkill -${name} -f 'serve_forever.* ${ip}$|python3 -c .* ${ip}$'`);
  const kill = (broker: { ip: string }) => signal('KILL', broker);
  /** Halts a broker while a POST is under way at it, which its own notes tell: it can neither answer nor forget it any more. */
  const haltUnderAPost = (broker: { ip: string }): boolean => {
    for (let tries = 0; tries < 50; tries++) {
      signal('STOP', broker);
      const notes = box.sh(`cat ${notesOf(broker)}`).stdout;
      if (notes.split('+').length > notes.split('-').length) return true;
      signal('CONT', broker);
      box.sh('sleep 0.1');
    }
    return false;
  };
  const isUp = (state: string) => box.sh(`curl -s http://127.0.0.1:8404/metrics | grep -c '${state}'`).stdout.trim();
  const untilBothServe = () =>
    box.sh(
      'for i in {1..60}; do curl -s http://127.0.0.1:8404/metrics | grep -q \'backend_active_servers{proxy="ctx_pool"} 2\' && echo both && break; sleep 0.2; done',
    ).stdout;
  const connections = () => Number(box.sh(`ss -Htn state established "( dport = :1026 )" dst ${CTX2.ip} | wc -l`).stdout);
  const clientsSaid = () => box.sh('for i in {1..150}; do [ -s /run/clients ] && break; sleep 0.1; done; cat /run/clients').stdout.trim();

  beforeAll(() => {
    box = new Sandbox();
    expect(installBalancer(box)).toMatchObject({ code: 0, stderr: '' });
    start(CTX1);
    start(CTX2);
    expect(answerOf(apply('0000000000aaaa', [CTX1, CTX2]))).toMatchObject({ ok: true });
    expect(untilBothServe()).toBe('both\n');
  });
  afterAll(() => box.remove());

  it('tells the worker of before to choose no server that is not in the new configuration', () => {
    box.sh(`grep -v 'server ctx2' /etc/haproxy/haproxy.cfg >/run/without.cfg`);
    expect(box.sh('python3 /opt/fiware-ha/bin/let_go_servers.py /run/without.cfg')).toMatchObject({ code: 0, stderr: '' });
    for (const pool of ['ctx_pool', 'ctx_without_database']) {
      expect(isUp(`haproxy_server_status{proxy="${pool}",server="ctx2",state="DRAIN"} 1`)).toBe('1');
      expect(isUp(`haproxy_server_status{proxy="${pool}",server="ctx1",state="DRAIN"} 0`)).toBe('1');
    }
    expect(answerOf(apply('0000000000bbbb', [CTX1, CTX2]))).toMatchObject({ ok: true });
    expect(isUp('haproxy_server_status{proxy="ctx_pool",server="ctx2",state="DRAIN"} 0')).toBe('1');
  });

  it('fails no request of a broker that is stopped once no connection to it is left', () => {
    expect(untilBothServe()).toBe('both\n');
    box.sh(`python3 -c '${CLIENTS}' 8 >/run/clients 2>&1 &`);
    box.sh('sleep 2');
    expect(connections()).toBeGreaterThan(0);
    expect(answerOf(apply('0000000000cccc', [CTX1]))).toMatchObject({ ok: true, did: 'applied' });
    const startMs = Date.now();
    while (connections() > 0 && Date.now() - startMs < 5_000);
    expect(connections()).toBe(0);
    kill(CTX2);
    expect(clientsSaid()).toMatch(/^[1-9]\d* \[\]$/);
  });

  it('would have failed some, had the broker been stopped at once', () => {
    start(CTX2);
    box.sh('rm /run/clients');
    expect(answerOf(apply('0000000000dddd', [CTX1, CTX2]))).toMatchObject({ ok: true });
    expect(untilBothServe()).toBe('both\n');
    box.sh(`python3 -c '${CLIENTS}' 8 >/run/clients 2>&1 &`);
    expect(haltUnderAPost(CTX2)).toBe(true);
    kill(CTX2);
    expect(clientsSaid()).toMatch(/^[1-9]\d* \[.+\]$/);
  });
}

if (canSandbox()) describeWith([...BALANCER_PROGRAMS, 'ss'], 'a drained broker', scenarios);
else describe.skip('a drained broker (skipped: needs root and a kernel that gives namespaces)', scenarios);
