import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeHello } from '../../lambdas/aws/mongo-hello';
import { renderConfig } from '../../lambdas/core/config/render';
import type { NodeConfig } from '../../lambdas/core/node-config';
import { CYGNUS, MONGO, ORION } from '../node-configs';
import { canSandbox, Sandbox } from './sandbox';
import { answerOf, describeWith, NODES, payloadOf, type Ran } from './tools';

const V1 = '0000000000aaaa';

/** Answers each request with the status that stands in a file. */
const HTTP_PROCESS = (port: number) => `#!/usr/bin/env python3
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Process(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(open("/run/status").read()))
        self.end_headers()
    def log_message(self, *_):
        pass
ThreadingHTTPServer(("", ${port}), Process).serve_forever()
`;

/** Answers a hello with an empty document, or with what stands in a file; keeps what it was asked. */
const MONGO_PROCESS = `#!/usr/bin/env python3
import os, socket, struct
server = socket.create_server(("", 27017))
while True:
    client, _ = server.accept()
    asked = client.recv(1024)
    open("/run/asked", "wb").write(asked)
    if os.path.exists("/run/odd-answer"):
        client.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
    elif len(asked) > 7:
        client.sendall(struct.pack("<4i", 26, 9, struct.unpack_from("<i", asked, 4)[0], 2013) + b"\\0" * 5 + b"\\5\\0\\0\\0\\0")
    client.close()
`;

const KINDS: [what: string, config: NodeConfig, port: number, process: string][] = [
  ['a broker', ORION, 1026, HTTP_PROCESS(1026)],
  ['a member', MONGO, 27_017, MONGO_PROCESS],
  ['a node of the catalogue', CYGNUS, 5051, HTTP_PROCESS(5051)],
];

const ALREADY = { ok: true, did: 'already' };
const RESTARTED = { ok: true, did: 'restarted' };

function scenarios(config: NodeConfig, port: number, process: string): void {
  const { role } = config;
  let box: Sandbox;
  const command = (name: string, payload: unknown): Ran => box.run(`/opt/fiware-ha/bin/${name}`, payloadOf(payload));
  const restart = (more: Record<string, unknown> = {}) => answerOf(command('restart-role', { role, ...more }));
  const pid = () => box.sh(`cat /run/fiware-ha-${role}.pid`).stdout.trim();
  const listens = () =>
    box.sh(`for i in {1..100}; do (exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null && exit 0; sleep 0.1; done; exit 1`).code === 0;

  beforeAll(() => {
    box = new Sandbox();
    box.prepare();
    expect(box.sh(`FIWARE_HA_PACKAGES=none bash ${join(NODES, 'install.sh')} ${role}`)).toMatchObject({ code: 0, stderr: '' });
    const text = Buffer.from(process).toString('base64');
    box.sh(
      `mkdir /opt/fiware-ha/override; base64 -d <<<${text} >/opt/fiware-ha/override/${role}; chmod 755 /opt/fiware-ha/override/${role}`,
    );
    box.sh('echo 200 >/run/status');
    const files = renderConfig(config, V1);
    expect(answerOf(command('apply-config', { role, version: V1, files }))).toMatchObject({ ok: true });
    expect(listens()).toBe(true);
  });
  afterAll(() => box.remove());

  it('is left alone when it answers by itself: the order is older than its return', () => {
    const before = pid();
    expect(restart()).toEqual(ALREADY);
    expect(restart({ evenIfItAnswers: false })).toEqual(ALREADY);
    expect(pid()).toBe(before);
  });

  it('is restarted all the same where the order says so', () => {
    const before = pid();
    expect(restart({ evenIfItAnswers: true })).toEqual(RESTARTED);
    expect(pid()).not.toBe(before);
    expect(listens()).toBe(true);
    expect(restart()).toEqual(ALREADY);
  });

  it('is restarted when it hangs, though its port still takes connections', () => {
    const before = pid();
    box.sh(`kill -STOP ${before}`);
    expect(listens()).toBe(true);
    expect(restart()).toEqual(RESTARTED);
    expect(pid()).not.toBe(before);
    expect(listens()).toBe(true);
    expect(restart()).toEqual(ALREADY);
  });

  it('is started when it is dead, though another process answers in its place', () => {
    box.sh(`kill -KILL ${pid()}; sleep 0.2`);
    box.sh(`setsid /opt/fiware-ha/override/${role} >/dev/null 2>&1 & echo $! >/run/other`);
    expect(listens()).toBe(true);
    expect(restart()).not.toEqual(ALREADY);
    box.sh('kill -KILL $(cat /run/other); sleep 1');
    expect(restart()).toEqual(RESTARTED);
    expect(listens()).toBe(true);
    expect(restart()).toEqual(ALREADY);
  });

  it.each([{ evenIfItAnswers: 'true' }, { evenIfItAnswers: 1 }, { evenIfItAnswers: null }])('takes no order with %j', (more) => {
    const before = pid();
    expect(restart(more)).toMatchObject({ ok: false, error: expect.stringContaining('with true or false where it has evenIfItAnswers') });
    expect(pid()).toBe(before);
  });

  if (role === 'mongo') {
    it('is asked hello, in the bytes that the checks from outside send', () => {
      restart();
      expect(box.sh('base64 -w0 /run/asked').stdout).toBe(encodeHello(1).toString('base64'));
    });

    it('is restarted when what answers is no member', () => {
      box.sh('touch /run/odd-answer');
      expect(restart()).toEqual(RESTARTED);
    });
  } else {
    it(role === 'orion' ? 'is restarted when it answers with an error' : 'is left alone whatever the status of its answer', () => {
      box.sh('echo 500 >/run/status');
      expect(restart()).toEqual(role === 'orion' ? RESTARTED : ALREADY);
    });
  }
}

const NEEDS = ['unshare', 'nsenter', 'ip', 'python3', 'curl', 'flock', 'ps'];
for (const [what, config, port, process] of KINDS) {
  if (canSandbox()) describeWith(NEEDS, `the process of ${what}`, () => scenarios(config, port, process));
  else
    describe.skip(`the process of ${what} (skipped: needs root and a kernel that gives namespaces)`, () =>
      scenarios(config, port, process));
}
