import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeMessage } from '../../lambdas/core/jobs';
import { canSandbox, Sandbox } from './sandbox';
import { describeWith, NODES } from './tools';

const PROGRAMS = ['curl', 'ip', 'unshare', 'nsenter', 'python3', 'pgrep'];
const QUEUE_URL = 'http://127.0.0.1:9324/123456789012/failover';
const KEY = 'ASIATESTTESTTESTTEST';
const SECRET = 'not+a/secret+but+shaped+like+one=';
const TOKEN = 'not-a-token-but-as-long+as/one=='.repeat(20);
const METADATA = {
  instanceId: 'i-0abc',
  privateIp: '10.99.0.1',
  region: 'eu-west-1',
  zone: 'eu-west-1a',
  roleName: 'lb-role',
  tags: {},
  credentials: { Code: 'Success', AccessKeyId: KEY, SecretAccessKey: SECRET, Token: TOKEN },
};
/** Notes what curl is called with, as any user of the node could read it, then is curl. */
const WATCHED_CURL = `#!/bin/bash
printf '%s\\n' "$*" >>/run/queue/argv
exec /usr/bin/curl "$@"
`;

function scenarios(): void {
  let box: Sandbox;
  const notify = (...args: string[]) => box.sh(`PATH=/run/watched:$PATH /opt/fiware-ha/bin/notify-entry ${args.join(' ')}`);
  const becomesMaster = () => notify(QUEUE_URL, 'city', 'INSTANCE', 'entry', 'MASTER', '100');
  const read = (file: string) => box.sh(`cat ${file} 2>/dev/null`).stdout;
  const taken = () => read('/run/queue/taken').trim().split('\n').filter(Boolean);
  const asked = () => read('/run/queue/asked').trim().split('\n').filter(Boolean).length;
  const log = () => read('/var/log/fiware-ha-entry.log');
  const serveMetadata = () => box.sh(`python3 ${join(NODES, '../lab/node-image/metadata.py')} >/dev/null 2>&1 &`);

  beforeAll(() => {
    box = new Sandbox();
    box.prepare();
    expect(box.sh(`FIWARE_HA_PACKAGES=none bash ${join(NODES, 'install.sh')} lb`)).toMatchObject({ code: 0, stderr: '' });
    box.sh('mkdir -p /run/queue /run/watched /run/fiware-ha-lab && ip address add 169.254.169.254/32 dev lo');
    box.sh(`cat >/run/fiware-ha-lab/metadata.json <<'END'\n${JSON.stringify(METADATA)}\nEND`);
    box.sh(`cat >/run/watched/curl <<'END'\n${WATCHED_CURL}END\nchmod 0755 /run/watched/curl`);
    serveMetadata();
    box.sh(`TEST_KEY='${KEY}' TEST_SECRET='${SECRET}' python3 ${join(__dirname, 'signed-queue.py')} 9324 /run/queue >/dev/null 2>&1 &`);
    // With one claim beforehand, so that the first one measured finds its programs in memory.
    box.sh('for i in {1..50}; do ss -ltn | grep -q :9324 && ss -ltn | grep -q 169.254.169.254:80 && break; sleep 0.1; done');
    becomesMaster();
  });
  afterAll(() => box.remove());
  beforeEach(() => {
    box.sh('rm -f /run/queue/* /run/fiware-ha-claim /var/log/fiware-ha-entry.log');
  });

  it("puts one claim on the queue, signed with the role's credentials, in a moment", () => {
    const beforeMs = Date.now();
    expect(becomesMaster().code).toBe(0);
    const tookMs = Date.now() - beforeMs;
    expect(taken()).toHaveLength(1);
    const claim = decodeMessage('failover', taken()[0] ?? '');
    expect(claim).toEqual({
      ok: true,
      value: { kind: 'claimAddress', cluster: 'city', claimant: 'i-0abc', atMs: expect.any(Number), state: 'MASTER' },
    });
    const { atMs } = JSON.parse(taken()[0] ?? '{}') as { atMs: number };
    expect(atMs).toBeGreaterThanOrEqual(beforeMs);
    expect(atMs).toBeLessThanOrEqual(beforeMs + tookMs);
    expect(tookMs).toBeLessThan(1_000);
    expect(log()).toMatch(/entry is now MASTER\n.*claim: sent/);
  });

  it('shows no secret to whoever lists processes, and logs none', () => {
    becomesMaster();
    box.sh('echo 403 >/run/queue/status');
    becomesMaster();
    const seen = read('/run/queue/argv') + log();
    expect(seen).toContain('--aws-sigv4 aws:amz:eu-west-1:sqs');
    for (const secret of [SECRET, TOKEN, KEY]) expect(seen).not.toContain(secret);
    expect(seen).not.toContain('X-aws-ec2-metadata-token:');
  });

  it.each(['BACKUP', 'FAULT', 'STOP'])('only writes down that it is %s', (state) => {
    expect(notify(QUEUE_URL, 'city', 'INSTANCE', 'entry', state, '100').code).toBe(0);
    expect(log()).toMatch(new RegExp(`entry is now ${state}\n$`));
    expect(asked()).toBe(0);
  });

  it('claims nothing where no queue takes claims', () => {
    expect(notify('-', '-', 'INSTANCE', 'entry', 'MASTER', '100').code).toBe(0);
    expect(asked()).toBe(0);
  });

  it('claims once in a while, however often a peer contradicts it', () => {
    for (let i = 0; i < 4; i++) notify(QUEUE_URL, 'city', 'INSTANCE', 'alive', 'MASTER_RX_LOWER_PRI');
    expect(taken()).toHaveLength(1);
    expect(log().match(/alive is now/g)).toHaveLength(1);
  });

  it('tries again when the queue does not answer as it should', () => {
    box.sh('echo 503 >/run/queue/status; (sleep 0.5; rm /run/queue/status) >/dev/null 2>&1 &');
    expect(becomesMaster().code).toBe(0);
    expect(asked()).toBeGreaterThan(1);
    expect(taken()).toHaveLength(1);
  });

  it('gives up without permission to send, and says so', () => {
    box.sh('echo 403 >/run/queue/status');
    expect(becomesMaster().code).toBe(1);
    expect(asked()).toBe(4);
    expect(log()).toMatch(/claim: not sent after 4 tries: .*403.*may this node's role send to http:\/\/127\.0\.0\.1:9324/);
  });

  it('gives up in bounded time without instance metadata, and says so', () => {
    box.sh("pkill -f 'lab/node-image/metadata.py'");
    const beforeMs = Date.now();
    expect(becomesMaster().code).toBe(1);
    expect(Date.now() - beforeMs).toBeLessThan(10_000);
    expect(log()).toMatch(/claim: not sent after 4 tries: curl:/);
    expect(asked()).toBe(0);
  });
}

if (canSandbox()) describeWith(PROGRAMS, 'a claim of a balancer', scenarios);
else describe.skip('a claim of a balancer (skipped: needs root and a kernel that gives namespaces)', scenarios);
