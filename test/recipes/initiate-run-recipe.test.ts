import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { build } from 'esbuild';
import { renderInitiate } from '../../recipes/mongo';
import { StandInSet } from '../lab/stand-in-set';
import { describeWith } from '../nodes/tools';
import { PROJECT } from '../source-tree';
import { aRecipeSpec, REPLICA_SET_SCRIPT } from './specs';

/** Each question is a process of its own, as with mongosh. */
jest.setTimeout(120_000);

interface Begun {
  code: number | null;
  said: string;
}

describeWith(['bash', 'base64'], 'a replica set begun by a recipe', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fiware-ha-begin-'));
  // Slower than elsewhere: an election in between is no part of what is tested.
  const set = new StandInSet({ electionTimeoutMs: 3_000, heartbeatEveryMs: 500 });
  let hosts: string[];

  /** Without holding up this process, which the members' clients live in. */
  function begin(): Promise<Begun> {
    return new Promise((resolve) => {
      const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}`, TRIES: '20' };
      const child = spawn('bash', [join(folder, 'initiate-replica-set')], { env });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += data));
      child.once('close', (code) => resolve({ code, said }));
    });
  }

  beforeAll(async () => {
    hosts = await set.startSome(3);
    mkdirSync(join(folder, 'bin'));
    // Bundled once: the script starts it some twenty times. The driver's thread stays where it is.
    const standIn = join(folder, 'mongosh.js');
    await build({
      entryPoints: [join(__dirname, 'mongosh-stand-in.ts')],
      outfile: standIn,
      bundle: true,
      platform: 'node',
      define: { __dirname: JSON.stringify(join(PROJECT, 'test/lab')) },
    });
    const shell = `#!/bin/bash\nexec ${process.execPath} ${standIn} "$@"\n`;
    writeFileSync(join(folder, 'bin/mongosh'), shell, { mode: 0o755 });
    writeFileSync(join(folder, 'initiate-replica-set'), renderInitiate(aRecipeSpec(), hosts), { mode: 0o755 });
    writeFileSync(join(folder, 'replica-set.js'), REPLICA_SET_SCRIPT);
  });
  afterAll(async () => {
    await set.end();
    rmSync(folder, { recursive: true, force: true });
  });

  it('has all members, a primary, and the default write concern of the spec', async () => {
    expect(await begin()).toMatchObject({ code: 0, said: expect.stringContaining('leads, default write concern "majority"') });
    const primary = await set.primary(hosts);
    const { config } = (await set.command(primary, { replSetGetConfig: 1 })) as { config: { _id: string; members: { host: string }[] } };
    expect([config._id, config.members.map(({ host }) => host).sort()]).toEqual(['orion_rs', [...hosts].sort()]);
    expect(await set.command(primary, { getDefaultRWConcern: 1 })).toMatchObject({ defaultWriteConcern: { w: 'majority' } });
  });

  it('is not changed by beginning it again', async () => {
    const configOf = async () => (await set.command(await set.primary(hosts), { replSetGetConfig: 1 })).config;
    const before = await configOf();
    expect(await begin()).toMatchObject({ code: 0, said: expect.stringContaining('not begun a second time') });
    expect(await configOf()).toEqual(before);
  });
});
