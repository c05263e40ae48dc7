import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { renderConfig } from '../../lambdas/core/config/render';
import { describeWith, NODES, run } from './tools';

const LUA = '/opt/fiware-ha/bin/config-version.lua';

const folder = mkdtempSync(join(tmpdir(), 'fiware-ha-rendered-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const brokers = (count: number) => Array.from({ length: count }, (_, i) => ({ slot: `ctx${i + 1}`, ip: `10.0.2.${i + 1}` }));
const shapes: [string, number, string[], 'http' | 'tcp'][] = [
  ['a pair with two brokers', 2, ['10.0.1.21'], 'http'],
  ['a pair with as many brokers as a cluster may have', 20, ['10.0.1.21'], 'http'],
  ['a pair without brokers', 0, ['10.0.1.21'], 'http'],
  ['a balancer that is alone', 2, [], 'http'],
  ['a pair that balances connections', 2, ['10.0.1.21'], 'tcp'],
];

/** keepalived takes no loopback interface, and only one that is there. */
const [INTERFACE = 'eth0'] = Object.entries(networkInterfaces()).flatMap(([name, all]) =>
  all?.some(({ internal }) => !internal) ? [name] : [],
);

/** Writes a balancer's file as the node would place it; answers its path. */
function place(name: string, count: number, peers: string[], protocol: 'http' | 'tcp'): string {
  const files = renderConfig(
    { role: 'lb', port: 1026, brokers: brokers(count), ip: '10.0.1.11', peers, virtualRouterId: 51, advertIntervalS: 0.1, protocol },
    'abcdef',
  );
  const path = join(folder, name);
  const content = files.find((file) => file.name === name)?.content ?? '';
  writeFileSync(
    path,
    content
      .replaceAll('@INTERFACE@', INTERFACE)
      .replaceAll(LUA, join(NODES, 'bin/config-version.lua'))
      .replaceAll(/\/opt\/fiware-ha\/bin\/[a-z-]+/g, '/bin/true'),
  );
  return path;
}

describeWith(['haproxy'], 'haproxy', () => {
  it.each(shapes)('takes the configuration of %s, without a warning', (_what, count, peers, protocol) => {
    const { code, stdout, stderr } = run('haproxy', ['-c', '-f', place('haproxy.cfg', count, peers, protocol)]);
    expect({ code, warnings: `${stdout}${stderr}`.match(/^\[(WARNING|ALERT)\].*$/gm) }).toEqual({ code: 0, warnings: null });
  });
});

describeWith(['keepalived'], 'keepalived', () => {
  it.each(shapes)('takes the configuration of %s, without a word', (_what, count, peers, protocol) => {
    const { code, stdout, stderr } = run('keepalived', ['-t', '-f', place('keepalived.conf', count, peers, protocol)]);
    expect({ code, said: `${stdout}${stderr}` }).toEqual({ code: 0, said: '' });
  });
});
