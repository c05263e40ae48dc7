import { describe, expect, it } from '@jest/globals';
import { aSpec } from '../builders';
import { aCityWorld, aCommandLine, aRow, check } from './command-line';

describe('fiware-ha scale', () => {
  it('enqueues an absolute count as it is', async () => {
    const cli = aCommandLine({ world: aCityWorld() });
    expect((await cli.run('scale', 'city', 'orion=4')).exitCode).toBe(0);
    expect(cli.sent()).toEqual([{ kind: 'scale', cluster: 'city', jobKey: 'cli-1', role: 'orion', count: 4 }]);
  });

  it.each([
    ['orion=+2', 4],
    ['orion=-1', 1],
  ])('works %s out from the stored spec and expects that it still holds', async (target, count) => {
    const cli = aCommandLine({ world: aCityWorld(aRow({ orion: { count: 2 } })) });
    await cli.run('scale', 'city', target);
    expect(cli.sent()).toMatchObject([{ role: 'orion', count, expect: { count: 2 } }]);
  });

  it('waits until the new count is met, not until the old one is', async () => {
    const cli = aCommandLine({
      world: aCityWorld(),
      atPause: (world, pause) => {
        if (pause === 3) check(world);
      },
    });
    const { exitCode, out } = await cli.run('scale', 'city', 'orion=4', '--wait');
    expect(exitCode).toBe(0);
    expect(out.at(-1)).toBe('converged after 6 s');
  });

  it('says that somebody else scaled while it waited', async () => {
    const cli = aCommandLine({
      world: aCityWorld(),
      atPause: (world, pause) => {
        world.specs.set('city', { text: JSON.stringify(aSpec({ orion: { count: 7 } })), version: 9 + pause });
        check(world);
      },
    });
    const { exitCode, err } = await cli.run('scale', 'city', 'orion=4', '--wait', '--timeout', '4');
    expect(exitCode).toBe(1);
    expect(err.join()).toContain('somebody changed its spec in between');
  });

  it('shows why a count beyond the maximum is refused', async () => {
    const cli = aCommandLine({ world: aCityWorld() });
    const { exitCode, err } = await cli.run('scale', 'city', 'orion=11', '--wait');
    expect(exitCode).toBe(1);
    expect(err.join()).toContain('refused: scale orion to 11: orion.count: expected 1 to 10 (orion.min to orion.max); got 11');
  });

  it('shows that a relative count is stale once somebody else has scaled', async () => {
    const world = aCityWorld();
    const cli = aCommandLine({ world });
    const other = aCommandLine({ world });
    await other.run('scale', 'city', 'orion=5');
    const ending = cli.run('scale', 'city', 'orion=+1', '--wait');
    expect((await ending).err.join()).toContain('refused: scale orion to 3: orion.count: expected 2; is 5 by now');
  });

  it('shows that a cluster is unknown, and which are known', async () => {
    const { exitCode, err } = await aCommandLine({ world: aCityWorld() }).run('scale', 'town', 'orion=+1');
    expect({ exitCode, err }).toEqual({ exitCode: 2, err: ['error: name: no cluster is called "town"; known: city'] });
  });

  it('shows that an absolute count for an unknown cluster is refused', async () => {
    const { exitCode, err } = await aCommandLine({ world: aCityWorld() }).run('scale', 'town', 'orion=4', '--wait');
    expect(exitCode).toBe(1);
    expect(err.join()).toContain('no cluster is called "town"; known: city');
  });

  it('names what is wrong with a stored spec it can not count from', async () => {
    const world = aCityWorld();
    world.specs.set('city', { text: '{"name":"city","orion":{"count":"two"}}', version: 2 });
    const { exitCode, err } = await aCommandLine({ world }).run('scale', 'city', 'orion=+1');
    expect(exitCode).toBe(2);
    expect(err.join()).toContain('orion.count');
  });

  it.each(['orion', 'orion=', 'orion=four', 'orion=1.5', 'brokers=4', 'ctx=4', 'orion=;id', '=4', 'orion=99999', 'orion=1001', 'orion=-3'])(
    'answers the target %j with one message and sends nothing',
    async (target) => {
      const cli = aCommandLine({ world: aCityWorld() });
      const { exitCode, err } = await cli.run('scale', 'city', target);
      expect(exitCode).toBe(2);
      expect(err).toHaveLength(1);
      expect(err[0]).toMatch(/^error: (target|count): /);
      expect(cli.sent()).toEqual([]);
    },
  );
});
