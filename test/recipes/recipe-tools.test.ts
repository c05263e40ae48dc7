import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, networkInterfaces, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import type { RecipeFile } from '../../recipes/recipe';
import { describeWith, isInstalled, run } from '../nodes/tools';
import { ALL_ENABLERS, aRecipeSpec, baremetal, contentOf, RECIPES, SLIDES_ADDRESSES, swarm, theAddresses } from './specs';

/** pcs starts some ten programs. */
jest.setTimeout(120_000);

const root = mkdtempSync(join(tmpdir(), 'fiware-ha-recipes-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** keepalived takes no loopback interface, and only one that is there. */
const [INTERFACE = 'eth0'] = Object.entries(networkInterfaces()).flatMap(([name, all]) =>
  all?.some(({ internal }) => !internal) ? [name] : [],
);

/** Every recipe, and machines with each role of the catalogue. */
const FOLDERS: Record<string, RecipeFile[]> = {
  ...Object.fromEntries(Object.entries(RECIPES).map(([name, render]) => [name, render()])),
  machines: (() => {
    const spec = aRecipeSpec({ enablers: ALL_ENABLERS, entry: { protocol: 'tcp' } });
    const more = { sth1: 121, sth2: 122, iotj1: 123, iotj2: 124, iotj3: 125, iotu1: 126, iotu2: 127, cyg1: 128, cyg2: 129 };
    const nodes = Object.fromEntries(Object.entries(more).map(([slot, last]) => [slot, `192.168.0.${last}`]));
    return baremetal(spec, {}, theAddresses(spec, { ...SLIDES_ADDRESSES, nodes: { ...SLIDES_ADDRESSES.nodes, ...nodes } }));
  })(),
};

/** Writes a recipe where the tools can read it; answers the paths that end so. */
function placed(name: string, ending: RegExp): string[] {
  return (FOLDERS[name] ?? []).flatMap(({ path, content, executable }) => {
    const at = join(root, name, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, content, { mode: executable ? 0o755 : 0o644 });
    return ending.test(path) ? [at] : [];
  });
}

const each = (ending: RegExp) =>
  Object.keys(FOLDERS).flatMap((name) => placed(name, ending).map((path) => [path.slice(root.length + 1), path]));

describeWith(['haproxy'], 'haproxy', () => {
  it.each(each(/haproxy\.cfg$/))('takes %s, without a warning', (_name, path) => {
    const { code, stdout, stderr } = run('haproxy', ['-c', '-f', path]);
    expect({ code, warnings: `${stdout}${stderr}`.match(/^\[(WARNING|ALERT)\].*$/gm) }).toEqual({ code: 0, warnings: null });
  });
});

describeWith(['keepalived', 'killall'], 'keepalived', () => {
  it.each(each(/keepalived\.conf$/))('takes %s, without a word', (name, path) => {
    const folder = name.split('/')[0] ?? '';
    const content = contentOf(FOLDERS[folder] ?? [], name.slice(folder.length + 1));
    writeFileSync(path, content.replaceAll(/@[A-Z]+@|\beth0\b/g, INTERFACE).replaceAll('/usr/local/bin/check-haproxy', '/bin/true'));
    const { code, stdout, stderr } = run('keepalived', ['-t', '-f', path]);
    expect({ code, said: `${stdout}${stderr}` }).toEqual({ code: 0, said: '' });
  });
});

describeWith(['shellcheck'], 'shellcheck', () => {
  it('finds nothing in any script of any recipe', () => {
    const scripts = Object.keys(FOLDERS).flatMap((name) => placed(name, /(initiate-replica-set|run-balancer|check-haproxy|configure)$/));
    expect(scripts.length).toBeGreaterThan(8);
    expect(run('shellcheck', scripts)).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });
});

describeWith(['docker-compose'], 'docker-compose', () => {
  it('takes the project, and finds every file that it names', () => {
    const [path = ''] = placed('compose', /compose\.yaml$/);
    expect(run('docker-compose', ['-f', path, 'config', '--quiet'])).toMatchObject({ code: 0, stderr: '' });
    const mounted = [...contentOf(FOLDERS.compose ?? [], 'compose.yaml').matchAll(/- \.\/([^:]+):/g)].map(([, file]) => file);
    expect(mounted.length).toBeGreaterThan(3);
    const rendered = FOLDERS.compose?.map((file) => file.path) ?? [];
    for (const file of mounted) expect(rendered.some((one) => one === file || one.startsWith(`${file}/`))).toBe(true);
  });

  it('takes the stack', () => {
    const [path = ''] = placed('swarm', /stack\.yaml$/);
    expect(run('docker-compose', ['-f', path, 'config', '--quiet']).code).toBe(0);
  });
});

const hasStackConfig = isInstalled('docker') && run('docker', ['stack', 'config', '--help']).code === 0;
(hasStackConfig ? describe : describe.skip)(
  `docker stack config${hasStackConfig ? '' : ' (skipped: needs a docker client of 25 or later)'}`,
  () => {
    it.each([
      ['with an address', '192.168.0.99/24'],
      ['without one', undefined],
    ])('takes the stack %s', (_what, virtual) => {
      placed('swarm', /stack\.yaml$/);
      const path = join(root, 'swarm/other.yaml');
      writeFileSync(path, contentOf(swarm(aRecipeSpec({ enablers: ALL_ENABLERS }), virtual), 'stack.yaml'));
      const { code, stderr } = run('docker', ['stack', 'config', '-c', path]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    });
  },
);

describeWith(['corosync'], 'corosync', () => {
  it.each(['lb1', 'lb2'])('takes the configuration of %s', (slot) => {
    const key = join(root, 'authkey');
    const path = join(root, `${slot}-corosync.conf`);
    writeFileSync(key, 'k'.repeat(256));
    const content = contentOf(FOLDERS.pacemaker ?? [], `${slot}/etc/corosync/corosync.conf`);
    // It wants to find itself among the nodes, and a key of its own.
    writeFileSync(
      path,
      content.replace('totem {', `totem {\n  keyfile: ${key}`).replace(`    name: ${slot}\n`, `    name: ${hostname()}\n`),
    );
    expect(run('corosync', ['-t', '-c', path])).toMatchObject({ code: 0 });
  });
});

describeWith(['pcs', 'crm_verify'], 'pacemaker', () => {
  const FENCES = Object.fromEntries(
    ['lb1', 'lb2'].map((slot, i) => [
      `FENCE_${slot.toUpperCase()}`,
      `external/ipmi hostname=${slot} ipaddr=10.0.0.${i + 1} userid=admin passwd=secret interface=lan`,
    ]),
  );
  const configure = (cib: string, env: Record<string, string>) => {
    const [script = ''] = placed('pacemaker', /configure$/);
    return run('bash', [script], { CIB: join(root, cib), HAPROXY_AGENT: 'lsb:haproxy', ...env });
  };

  it('takes what the script tells it', () => {
    expect(configure('whole.xml', FENCES)).toMatchObject({ code: 0 });
    expect(run('crm_verify', ['-V', '--xml-file', join(root, 'whole.xml')])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('is told nothing while nobody said how to fence a balancer', () => {
    const { code, stderr } = configure('without.xml', { FENCE_LB1: FENCES.FENCE_LB1 ?? '' });
    expect(code).not.toBe(0);
    expect(stderr).toContain('FENCE_LB2: expected how lb2 is fenced');
    expect(run('test', ['-e', join(root, 'without.xml')]).code).toBe(1);
  });
});

describeWith(['systemd-analyze'], 'systemd', () => {
  it.each(each(/ctx1\/.*\.service$|cyg1\/.*\.service$/))('takes %s', (_name, path) => {
    // It looks whether the program is there: Docker need not be installed where this is checked.
    const content = contentOf(FOLDERS[_name.split('/')[0] ?? ''] ?? [], _name.slice(_name.indexOf('/') + 1));
    writeFileSync(
      path,
      content.replaceAll('/usr/bin/docker', '/bin/true').replace('Requires=docker.service\n', '').replace(' docker.service', ''),
    );
    const { code, stderr } = run('systemd-analyze', ['verify', '--man=no', path]);
    expect({ code, about: stderr.split('\n').filter((line) => line.includes('fiware-')) }).toEqual({ code: 0, about: [] });
  });
});
