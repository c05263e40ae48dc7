import { describe, expect, it, jest } from '@jest/globals';
import { Command } from 'commander';
import { allOptions, labCommand } from '../../bin/commands/lab';

describe('the lab command', () => {
  it.each([
    ['bench', ['bench', 'mongo', '--runs', '2', '--json'], { runs: '2', json: true }],
    ['chaos', ['chaos', '--only', 'a', '--json', '--only', 'b'], { only: ['a', 'b'], json: true }],
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

  it.each(['0', '-3', 'x', '1.5'])('refuses --runs %s with what would be right, before anything is started', async (runs) => {
    const said: unknown[] = [];
    const hear = jest.spyOn(console, 'error').mockImplementation((line) => void said.push(line));
    try {
      await labCommand().parseAsync(['bench', 'failover', `--runs=${runs}`], { from: 'user' });
      expect(process.exitCode).toBe(1);
    } finally {
      process.exitCode = 0;
      hear.mockRestore();
    }
    expect(said).toEqual([`error: --runs: expected a whole number from 1 to 50; got ${JSON.stringify(runs)}`]);
  });

  it('refuses a scenario that there is not, with those that there are, before anything is started', async () => {
    const said: unknown[] = [];
    const hear = jest.spyOn(console, 'error').mockImplementation((line) => void said.push(line));
    try {
      await labCommand().parseAsync(['chaos', '--only', 'holder-kiled'], { from: 'user' });
      expect(process.exitCode).toBe(1);
    } finally {
      process.exitCode = 0;
      hear.mockRestore();
    }
    expect(said).toEqual([expect.stringMatching(/^error: --only: expected broker-killed, .*holder-killed, .*; got "holder-kiled"$/)]);
  });

  it('explains what chaos holds, and what its last line says', () => {
    const parts: string[] = [];
    const chaos = labCommand().commands.find((command) => command.name() === 'chaos');
    chaos?.configureOutput({ writeOut: (part) => void parts.push(part) }).outputHelp();
    for (const words of [
      '--list',
      '--only <name>',
      '{"scenarios":N,"passed":N,"lostWrites":0,"lostJobs":0}',
      'no acknowledged entity is lost',
    ])
      expect(parts.join('')).toContain(words);
  });

  it('explains each bench, its figures and where its pictures go', () => {
    const parts: string[] = [];
    const bench = labCommand().commands.find((command) => command.name() === 'bench');
    bench?.configureOutput({ writeOut: (part) => void parts.push(part) }).outputHelp();
    for (const words of ['brokers:', 'failover:', 'mongo:', '--figures <folder>', '"addressP50S"', '"failedIdempotent"', '"lostWrites"'])
      expect(parts.join('')).toContain(words);
  });
});
