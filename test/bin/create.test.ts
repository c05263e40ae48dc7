import { describe, expect, it } from '@jest/globals';
import { aCityWorld, aCommandLine, check } from './command-line';

describe('fiware-ha create', () => {
  it('enqueues the request and names its key', async () => {
    const cli = aCommandLine();
    const { exitCode, out, err } = await cli.run('create', 'city');
    expect({ exitCode, out, err }).toEqual({
      exitCode: 0,
      out: ['queued createCluster for city (cli-1); see: fiware-ha events city'],
      err: [],
    });
    expect(cli.sent()).toEqual([{ kind: 'createCluster', cluster: 'city', jobKey: 'cli-1', spec: {} }]);
  });

  it('takes counts from options', async () => {
    const cli = aCommandLine();
    await cli.run('create', 'city', '--orion', '4', '--mongo', '5');
    expect(cli.sent()).toMatchObject([{ spec: { orion: { count: 4 }, mongo: { count: 5 } } }]);
  });

  it('takes a whole spec from a file and leaves out what is for editors', async () => {
    const cli = aCommandLine({ files: { 'city.json': '{"$schema":"./s.json","name":"city","orion":{"count":3}}' } });
    expect((await cli.run('create', 'city', '--spec', 'city.json')).exitCode).toBe(0);
    expect(cli.sent()).toMatchObject([{ spec: { name: 'city', orion: { count: 3 } } }]);
    expect(cli.sent()[0]?.spec).not.toHaveProperty('$schema');
  });

  it('shows progress, one line a change, until converged', async () => {
    const slot = { slot: 'ctx1', role: 'orion' } as const;
    const cli = aCommandLine({
      atPause: (world, pause) => {
        if (pause === 1) check(world, { converged: false, slots: [{ ...slot, health: 'missing' }] });
        if (pause === 3) check(world, { slots: [{ ...slot, health: 'healthy' }] });
      },
    });
    const { exitCode, out } = await cli.run('create', 'city', '--wait');
    expect(exitCode).toBe(0);
    expect(out).toEqual([
      'queued createCluster for city (cli-1)',
      '    2.0s  request done: create: accepted',
      '    2.0s  ctx1 missing',
      '    6.0s  ctx1 healthy (was missing)',
      'converged after 6 s',
    ]);
  });

  it('ends with the addresses that clients use, each with its holder', async () => {
    const slots = (['lb1', 'lb2'] as const).map((slot, i) => ({ slot, role: 'lb', instanceId: `i-${i + 1}`, health: 'healthy' }) as const);
    const addresses = [
      { name: 'entry1', publicIp: '203.0.113.1', holder: 'i-1' },
      { name: 'entry2', publicIp: '203.0.113.2', holder: 'i-2' },
    ];
    const files = { 'pair.json': '{"entry":{"mode":"active-active"}}' };
    const cli = aCommandLine({ files, atPause: (world) => check(world, { slots, addresses }) });
    const { exitCode, out } = await cli.run('create', 'city', '--spec', 'pair.json', '--wait');
    expect(exitCode).toBe(0);
    expect(out.slice(-3)).toEqual(['converged after 2 s', 'entry1 203.0.113.1: held by lb1', 'entry2 203.0.113.2: held by lb2']);
  });

  it('tells machines the same, one document a line', async () => {
    const cli = aCommandLine({ atPause: (world) => check(world) });
    const { exitCode, out } = await cli.run('create', 'city', '--wait', '--json');
    expect(exitCode).toBe(0);
    expect(out.map((line) => JSON.parse(line))).toMatchObject([
      { queued: { kind: 'createCluster', cluster: 'city', jobKey: 'cli-1' } },
      { afterS: 2, entry: { topic: 'request', event: 'done', jobKey: 'cli-1' } },
      { outcome: 'converged', tookS: 2 },
    ]);
  });

  it('shows why a second cluster of the same name is refused', async () => {
    const cli = aCommandLine({ world: aCityWorld() });
    const { exitCode, err } = await cli.run('create', 'city', '--wait');
    expect(exitCode).toBe(1);
    expect(err).toEqual(['error: refused: create: cluster: "city" exists already; choose another name, or change its spec or scale it']);
  });

  it('does not take what another request did for its own', async () => {
    const world = aCityWorld();
    world.journal.push({ cluster: 'city', atMs: 1, topic: 'request', event: 'refused', text: 'old', jobKey: 'cli-0' });
    const { err, out } = await aCommandLine({ world }).run('create', 'city', '--wait');
    expect([...out, ...err].join()).not.toContain('old');
  });

  it('gives up after the timeout and says what to look at', async () => {
    const world = aCityWorld();
    const cli = aCommandLine({ world, atPause: () => world.journal.splice(0) });
    const { exitCode, err } = await cli.run('create', 'city', '--wait', '--timeout', '6');
    expect(exitCode).toBe(1);
    expect(err[0]).toMatch(/^error: timed out: no worker took the request within 6 s; .*dead-letter/);
  });

  it('gives up after the timeout and repeats what the last plan said', async () => {
    const cli = aCommandLine({ atPause: (world) => check(world, { converged: false, sentence: 'waiting for launchNode' }) });
    const { exitCode, err } = await cli.run('create', 'city', '--wait', '--timeout', '4', '--json');
    expect(exitCode).toBe(1);
    expect(err.map((line) => JSON.parse(line))).toEqual([
      { error: ['timed out: accepted, but not converged within 4 s; the last plan said: waiting for launchNode'] },
    ]);
  });

  it.each([
    ['a shell metacharacter in the name', ['ci;ty'], 'name: expected 1 to 32 characters: a lower-case letter first'],
    ['a substitution in the name', ['$(id)'], 'got "$(id)"'],
    ['an even number of members', ['city', '--mongo', '4'], 'mongo.count: expected 1, 3, 5 or 7: a replica set needs an odd number'],
    ['too many members', ['city', '--mongo', '9'], '--mongo: expected a whole number from 1 to 7; got "9"'],
    ['a number that is none', ['city', '--orion', 'many'], '--orion: expected a whole number from 1 to 20; got "many"'],
    ['more brokers than orion.max', ['city', '--orion', '12'], 'orion.count: expected 1 to 10 (orion.min to orion.max); got 12'],
    ['a wrong field', ['city', '--spec', 'wrong.json'], 'brokers'],
    ['a wrong value', ['city', '--spec', 'value.json'], 'lb.count: '],
    ['a file that is missing', ['city', '--spec', 'none.json'], '--spec: "none.json" can\'t be read: no such file'],
    ['a file that is not JSON', ['city', '--spec', 'text.json'], '--spec: expected JSON in "text.json"'],
    ['a file with a list', ['city', '--spec', 'list.json'], '--spec: expected a JSON object in "list.json"; got []'],
    ['a file of another cluster', ['city', '--spec', 'town.json'], 'name: expected "city" as on the command line; got "town" in town.json'],
    ['counts beside a file', ['city', '--spec', 'town.json', '--orion', '3'], '--spec: expected either --spec or --orion and --mongo'],
    ['a timeout of nothing', ['city', '--wait', '--timeout', '0'], 'expected whole seconds from 1 to 86400'],
    ['no name', [], "missing required argument 'name'"],
    ['an unknown option', ['city', '--orions', '3'], "unknown option '--orions'"],
  ])('answers %s with one message and sends nothing', async (_what, argv, message) => {
    const files = {
      'wrong.json': '{"brokers":3}',
      'value.json': '{"lb":{"count":3}}',
      'text.json': 'orion: 3',
      'list.json': '[]',
      'town.json': '{"name":"town"}',
    };
    const cli = aCommandLine({ files });
    const { exitCode, out, err } = await cli.run('create', ...argv);
    expect(exitCode).toBe(2);
    expect(err.join('\n')).toContain(message);
    expect(err.join('\n')).not.toMatch(/\n\s+at /);
    expect({ out, sent: cli.sent() }).toEqual({ out: [], sent: [] });
  });
});
