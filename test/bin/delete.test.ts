import { describe, expect, it } from '@jest/globals';
import { aCityWorld, aCommandLine } from './command-line';

describe('fiware-ha delete', () => {
  it.each([
    [[], 'got nothing'],
    [['--confirm', 'yes'], 'got "yes"'],
    [['--confirm', 'town'], 'got "town"'],
  ])('sends nothing without the name as confirmation: %j', async (argv, got) => {
    const cli = aCommandLine({ world: aCityWorld() });
    const { exitCode, err } = await cli.run('delete', 'city', ...argv);
    expect({ exitCode, err }).toEqual({
      exitCode: 2,
      err: [`error: --confirm: expected "city", the name of the cluster; ${got}; nothing was deleted`],
    });
    expect(cli.sent()).toEqual([]);
  });

  it('waits until nothing is left', async () => {
    const cli = aCommandLine({
      world: aCityWorld(),
      atPause: (world, pause) => {
        if (pause === 2) world.rows.delete('city');
      },
    });
    const { exitCode, out } = await cli.run('delete', 'city', '--confirm', 'city', '--wait');
    expect(exitCode).toBe(0);
    expect(out.at(-1)).toBe('gone after 4 s');
    expect(cli.sent()).toEqual([{ kind: 'deleteCluster', cluster: 'city', confirm: 'city', jobKey: 'cli-1' }]);
  });
});
