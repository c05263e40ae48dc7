/** Command line and configuration file of the replica-set stand-in. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Disk } from '../../lab/replica-set-stand-in/disk';
import { HELP, parseOptions } from '../../lab/replica-set-stand-in/options';
import { renderMongo } from '../../lambdas/core/config/mongo';

const folder = mkdtempSync(join(tmpdir(), 'stand-in-options-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the options of the replica-set stand-in', () => {
  it('come from the configuration the control plane renders, and the command line wins', () => {
    const file = join(folder, 'mongod.conf');
    const [rendered] = renderMongo({ role: 'mongo', replicaSet: 'orion_rs' }, 'v1');
    writeFileSync(file, rendered?.content ?? '');
    expect(parseOptions(['--config', file, '--dbpath', '/data'])).toMatchObject({
      port: 27017,
      bindIp: '0.0.0.0',
      replicaSet: 'orion_rs',
      dataDir: '/data',
      electionTimeoutMs: 10_000,
    });
  });

  it.each([
    [[], /--replica-set: expected a name/],
    [['--replica-set', 'rs'], /--data-dir: expected a folder/],
    [['--replSet', 'rs', '--dbpath', '/d', '--port', '0'], /--port: expected a whole number from 1 to 65535, got "0"/],
    [['--replSet', 'rs', '--dbpath', '/d', '--election-timeout-ms', 'soon'], /--election-timeout-ms.*"soon"/],
    [['--config', '/does/not/exist'], /--config: \/does\/not\/exist can't be read/],
    [['--replSet', 'rs', '--dbpath', '/d', '--lag-ms', 'much'], /--lag-ms: expected a whole number from 0 to 3600000, got "much"/],
    [['--shard'], /--shard/],
  ])('are refused when wrong: %j', (argv, text) => {
    expect(() => parseOptions(argv)).toThrow(text);
  });

  it('are all in the help, as are the private commands and what is not modelled', () => {
    for (const word of ['--lag-ms', '--sync-ms', '_fiwareHaCut', '_fiwareHaLag', '_fiwareHaPeer', '_fiwareHaQuorum'])
      expect(HELP).toContain(word);
    expect(HELP.split('\n')[0]).toMatch(/not MongoDB; not modelled: authentication/);
  });

  it('never take over a folder with a state of something else', () => {
    writeFileSync(join(folder, 'stand-in-state.json'), '{"format": 99}');
    expect(() => new Disk(folder).load()).toThrow(/is not a state of this stand-in/);
  });
});
