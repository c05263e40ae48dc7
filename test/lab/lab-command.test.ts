import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { allOptions, labCommand } from '../../bin/commands/lab';

describe('the lab command', () => {
  it.each([
    ['bench', ['bench', 'mongo', '--runs', '2', '--json'], { runs: '2', json: true }],
    ['up', ['up', '--install'], { install: true }],
  ])('hears the options of %s that it has itself as well', (name, argv, expected) => {
    const lab = labCommand();
    let heard: object | undefined;
    const sub = lab.commands.find((command) => command.name() === name);
    sub?.action((...args: unknown[]) => {
      heard = allOptions(args.at(-1) as Command);
    });
    new Command('fiware-ha').addCommand(lab).parse(['lab', ...argv], { from: 'user' });
    expect(heard).toEqual(expected);
  });
});
