/** A real HAProxy before brokers that are too busy to answer its checks in time, and answer their clients all the same. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { renderConfig } from '../../lambdas/core/config/render';
import { aBalancerOf, BALANCER_PORT, BALANCER_PROGRAMS, installBalancer } from './a-balancer';
import { canSandbox, Sandbox } from './sandbox';
import { answerOf, describeWith, payloadOf } from './tools';

const IPS = ['127.0.0.2', '127.0.0.3'];
const VERSION = '0000000000eeee';
const CONFIG = aBalancerOf(IPS.map((ip, i) => ({ slot: `ctx${i + 1}`, ip })));

/** Answers every GET after what stands in /run/delay, seconds; a POST at once, with its own address. */
const BROKER = `
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Busy(BaseHTTPRequestHandler):
    protocol_version, wbufsize = "HTTP/1.1", -1
    def answer(self):
        body = sys.argv[1].encode()
        self.send_response(200); self.send_header("content-length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def do_GET(self): time.sleep(float(open("/run/delay").read())); self.answer()
    def do_POST(self): self.answer()
    def log_message(self, *_): pass
ThreadingHTTPServer((sys.argv[1], 1026), Busy).serve_forever()
`;

function scenarios(): void {
  let box: Sandbox;
  /** Waits until so many servers of a pool pass their checks. */
  const untilPass = (pool: string, count: number) =>
    box.sh(
      `for i in {1..100}; do curl -s http://127.0.0.1:8404/metrics | grep -q 'backend_active_servers{proxy="${pool}"} ${count}' && echo so && break; sleep 0.2; done`,
    ).stdout;
  const delay = (seconds: number) => box.sh(`echo ${seconds} >/run/delay`);
  /** Who answered so many requests, sorted, each once; with whatever else was said. */
  const askedTimes = (times: number) =>
    box.sh(
      `for i in $(seq ${times}); do curl -s --max-time 5 -X POST -w ' %{http_code}\\n' http://127.0.0.1:${BALANCER_PORT}/v2/entities; done | sort -u`,
    ).stdout;

  beforeAll(() => {
    box = new Sandbox();
    expect(installBalancer(box)).toMatchObject({ code: 0, stderr: '' });
    delay(0);
    for (const ip of IPS) box.sh(`python3 -c '${BROKER}' ${ip} >/dev/null 2>&1 &`);
    const payload = payloadOf({ role: 'lb', version: VERSION, files: renderConfig(CONFIG, VERSION) });
    expect(answerOf(box.run('/opt/fiware-ha/bin/apply-config', payload))).toMatchObject({ ok: true });
    expect(untilPass('ctx_pool', 2)).toBe('so\n');
  });
  afterAll(() => box.remove());

  it('all get their share of the requests, though none passes a check', () => {
    delay(4);
    expect(untilPass('ctx_pool', 0)).toBe('so\n');
    expect(untilPass('ctx_without_database', 0)).toBe('so\n');
    expect(askedTimes(20)).toBe(IPS.map((ip) => `${ip} 200\n`).join(''));
  });

  it('a dead one among them costs no request: it refuses the connection, and the next is tried', () => {
    box.sh(`pkill -KILL -f 'serve_forever.* ${IPS[1]}$|python3 -c .* ${IPS[1]}$'`);
    expect(askedTimes(20)).toBe(`${IPS[0]} 200\n`);
  });

  it('checks count again once one passes', () => {
    delay(0);
    expect(untilPass('ctx_pool', 1)).toBe('so\n');
    expect(askedTimes(5)).toBe(`${IPS[0]} 200\n`);
  });
}

if (canSandbox()) describeWith(BALANCER_PROGRAMS, 'busy brokers', scenarios);
else describe.skip('busy brokers (skipped: needs root and a kernel that gives namespaces)', scenarios);
