import { describe, expect, it } from '@jest/globals';
import { RECIPES, SLIDES_ADDRESSES } from '../recipes/specs';
import { aCommandLine } from './command-line';

const ADDRESSES = JSON.stringify(SLIDES_ADDRESSES);

function withNodes(change: Record<string, string | undefined>, rest: Record<string, unknown> = {}): string {
  return JSON.stringify({ ...SLIDES_ADDRESSES, ...rest, nodes: { ...SLIDES_ADDRESSES.nodes, ...change } });
}

describe('fiware-ha recipe', () => {
  it('writes a folder and lists its files', async () => {
    const files: Record<string, string> = { 'a.json': ADDRESSES };
    const { exitCode, out, err } = await aCommandLine({ files }).run(
      'recipe',
      'baremetal',
      'city',
      '--addresses',
      'a.json',
      '--out',
      'there',
    );
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: [] });
    const rendered = RECIPES.baremetal?.() ?? [];
    expect(out).toEqual([...rendered.map(({ path }) => `there/${path}`), `${rendered.length} files; start with there/README.md`]);
    for (const { path, content } of rendered) expect(files[`there/${path}`]).toBe(content);
  });

  it("takes the slides' versions where the spec names none", async () => {
    const files: Record<string, string> = { 'a.json': ADDRESSES };
    await aCommandLine({ files }).run('recipe', 'baremetal', 'city', '--addresses', 'a.json', '--as-in-the-slides', '--out', 'there');
    for (const { path, content } of RECIPES.slides?.() ?? []) expect(files[`there/${path}`]).toBe(content);
  });

  it('tells machines the same', async () => {
    const { out } = await aCommandLine().run('recipe', 'compose', 'city', '--json');
    const { folder, files } = JSON.parse(out.join('')) as { folder: string; files: string[] };
    expect(folder).toBe('city-compose');
    expect(files).toEqual(expect.arrayContaining(['compose.yaml', 'README.md', 'lb/haproxy.cfg', 'mongo/initiate-replica-set']));
  });

  it('overwrites nothing of another content, unless told to', async () => {
    const files: Record<string, string> = {};
    const cli = aCommandLine({ files });
    await cli.run('recipe', 'swarm', 'city');
    expect((await cli.run('recipe', 'swarm', 'city')).exitCode).toBe(0);
    files['city-swarm/stack.yaml'] = 'mine';
    delete files['city-swarm/README.md'];
    const { exitCode, err } = await cli.run('recipe', 'swarm', 'city');
    expect(exitCode).toBe(1);
    expect(err).toEqual([
      'error: --out: expected a folder without other files of these names; got city-swarm/stack.yaml with another content; take another folder, or overwrite them with --force',
    ]);
    expect(files['city-swarm/README.md']).toBeUndefined();
    expect((await cli.run('recipe', 'swarm', 'city', '--force')).exitCode).toBe(0);
    expect(files['city-swarm/stack.yaml']).toContain('services:');
  });

  it('lists the roles there are', async () => {
    const { out } = await aCommandLine().run('recipe', 'roles');
    expect(out.map((line) => line.split(' ')[0])).toEqual(['orion', 'orion-ld', 'sth-comet', 'iotagent-json', 'iotagent-ul', 'cygnus']);
  });

  it('needs no control plane and sends nothing', async () => {
    const cli = aCommandLine();
    await cli.run('recipe', 'compose', 'city');
    expect(cli.sent()).toEqual([]);
  });

  it.each([
    ['a name that is none', ['compose', 'Ci;ty'], 'name: expected 1 to 32 characters'],
    ['an unknown role', ['compose', 'city', '--spec', 'unknown.json'], '"comet" is none'],
    ['one Cygnus', ['swarm', 'city', '--spec', 'one.json'], 'enablers.cygnus.count: expected 2 to 4'],
    [
      'a version that does not go with MongoDB',
      ['compose', 'city', '--spec', 'old.json'],
      'orion.version: version 2.6.0 does not work with MongoDB 7.0',
    ],
    [
      'an Orion nobody knows',
      ['compose', 'city', '--spec', 'ancient.json'],
      'orion.version: expected a version whose settings are known: 2.5.0 to below 4.0.0',
    ],
    [
      'a network that is public',
      ['compose', 'city', '--network', '8.8'],
      '--network: expected two numbers of a private network such as 172.30; got "8.8"',
    ],
    [
      'an address that is none',
      ['swarm', 'city', '--virtual', '192.168.0.999/24'],
      '--virtual: expected an address with its prefix such as 192.168.0.99/24; got "192.168.0.999/24"',
    ],
    ['no addresses', ['baremetal', 'city'], "required option '--addresses <file>' not specified"],
    [
      'two machines at one address',
      ['baremetal', 'city', '--addresses', 'twice.json'],
      '--addresses: nodes.ctx2: expected an address of its own; got "192.168.0.102", which is that of nodes.ctx1',
    ],
    [
      'a machine at the virtual address',
      ['baremetal', 'city', '--addresses', 'virtual.json'],
      'nodes.mdb3: expected an address of its own; got "192.168.0.99", which is that of virtual',
    ],
    [
      'a machine without address',
      ['baremetal', 'city', '--addresses', 'missing.json'],
      '--addresses: nodes.mdb3: expected its address; got none',
    ],
    ['an address for nobody', ['baremetal', 'city', '--addresses', 'surplus.json'], 'nodes.ctx3: expected only slots of the spec'],
    [
      'a balancer elsewhere',
      ['baremetal', 'city', '--addresses', 'elsewhere.json'],
      'nodes.lb2: expected an address in the network of virtual (192.168.0.99/24), or it could not hold it; got "10.0.0.1"',
    ],
    [
      'an address with a shell',
      ['baremetal', 'city', '--addresses', 'shell.json'],
      'nodes.lb1: expected an IPv4 address such as 192.168.0.100; got "$(id)"',
    ],
    [
      'an interface with a shell',
      ['baremetal', 'city', '--addresses', 'interface.json'],
      'interface: expected the name of a network interface such as eth0',
    ],
    [
      'an unknown manager',
      ['baremetal', 'city', '--addresses', 'a.json', '--manager', 'heartbeat'],
      'Allowed choices are keepalived, pacemaker',
    ],
    [
      'Pacemaker in the slides',
      ['baremetal', 'city', '--addresses', 'a.json', '--manager', 'pacemaker', '--as-in-the-slides'],
      '--manager: expected keepalived with --as-in-the-slides',
    ],
    [
      "a version later than the slides' service",
      ['baremetal', 'city', '--addresses', 'a.json', '--spec', 'new.json', '--as-in-the-slides'],
      'orion.version: expected 3.6.0 or older with --as-in-the-slides; got "4.1.0"',
    ],
  ])('answers %s with one message and writes nothing', async (_what, argv, message) => {
    const files: Record<string, string> = {
      'a.json': ADDRESSES,
      'unknown.json': '{"enablers":{"comet":{}}}',
      'one.json': '{"enablers":{"cygnus":{"count":1}}}',
      'old.json': '{"orion":{"version":"2.6.0"}}',
      'ancient.json': '{"orion":{"version":"1.0.0"}}',
      'new.json': '{"orion":{"version":"4.1.0"}}',
      'twice.json': withNodes({ ctx2: '192.168.0.102' }),
      'virtual.json': withNodes({ mdb3: '192.168.0.99' }),
      'missing.json': withNodes({ mdb3: undefined }),
      'surplus.json': withNodes({ ctx3: '192.168.0.110' }),
      'elsewhere.json': withNodes({ lb2: '10.0.0.1' }),
      'shell.json': withNodes({ lb1: '$(id)' }),
      'interface.json': withNodes({}, { interface: 'eth0;reboot' }),
    };
    const before = Object.keys(files);
    const { exitCode, out, err } = await aCommandLine({ files }).run('recipe', ...argv);
    expect(err.join('\n')).toContain(message);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: [] });
    expect(Object.keys(files)).toEqual(before);
  });
});

describe('fiware-ha create', () => {
  it('refuses a version that does not go with what the members run, and says where it can go', async () => {
    const cli = aCommandLine({ files: { 'city.json': '{"enablers":{"orion-ld":{"ports":{"north":1027}}}}' } });
    const { exitCode, err } = await cli.run('create', 'city', '--spec', 'city.json');
    expect(exitCode).toBe(2);
    expect(err.join()).toMatch(/enablers\.orion-ld\.version: .* does not work with MongoDB 7\.0: .*fiware-ha recipe/);
    expect(cli.sent()).toEqual([]);
  });
});
