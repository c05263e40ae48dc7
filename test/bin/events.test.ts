import { describe, expect, it } from '@jest/globals';
import { aCityWorld, aCommandLine } from './command-line';

function entry(n: number) {
  return { cluster: 'city', atMs: Date.UTC(2026, 0, 1, 0, 0, n), topic: 'launchNode', event: 'planned', text: `ctx${n} is missing` };
}

describe('fiware-ha events', () => {
  it('shows the newest entries, oldest first', async () => {
    const world = aCityWorld();
    world.journal.push(entry(1), entry(2), entry(3));
    expect((await aCommandLine({ world }).run('events', 'city', '--limit', '2')).out).toEqual([
      '2026-01-01T00:00:02.000Z  launchNode planned: ctx2 is missing',
      '2026-01-01T00:00:03.000Z  launchNode planned: ctx3 is missing',
    ]);
  });

  it('gives machines one document a line', async () => {
    const world = aCityWorld();
    world.journal.push(entry(1), entry(2));
    const { out } = await aCommandLine({ world }).run('events', 'city', '--json');
    expect(out.map((line) => JSON.parse(line).text)).toEqual(['ctx1 is missing', 'ctx2 is missing']);
  });

  it('follows: each entry once, as it comes', async () => {
    const world = aCityWorld();
    world.journal.push(entry(1));
    const cli = aCommandLine({
      world,
      atPause: (w, pause) => {
        if (pause === 4) throw new Error('the reader has left');
        w.journal.push(entry(pause + 1));
      },
    });
    await expect(cli.run('events', 'city', '--follow')).rejects.toThrow('the reader has left');
    expect(cli.printed.map((line) => line.slice(-15))).toEqual([1, 2, 3, 4].map((n) => `ctx${n} is missing`));
  });

  it('shows the refusal of a request for a cluster nobody knows', async () => {
    const cli = aCommandLine({ world: aCityWorld() });
    await cli.run('scale', 'town', 'orion=4', '--wait');
    expect((await cli.run('events', 'town')).out.join()).toContain(
      'request refused: scale orion to 4: cluster: no cluster is called "town"',
    );
  });

  it('says that nothing has happened yet', async () => {
    expect((await aCommandLine({ world: aCityWorld() }).run('events', 'city')).out).toEqual(['city: nothing has happened yet']);
  });

  it.each([
    [['town'], 'name: no cluster is called "town"; known: city'],
    [['city', '--limit', '0'], '--limit: expected a whole number from 1 to 1000; got "0"'],
    [['City'], 'name: expected 1 to 32 characters'],
  ])('answers %j with one message', async (argv, message) => {
    const { exitCode, err } = await aCommandLine({ world: aCityWorld() }).run('events', ...argv);
    expect(exitCode).toBe(2);
    expect(err.join()).toContain(message);
  });
});
