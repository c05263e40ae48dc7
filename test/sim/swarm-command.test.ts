import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const RUN = join(__dirname, '../../sim/swarm/run.ts');

describe('the command of the swarm', () => {
  let folder: string;
  let clearing: () => void = () => undefined;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'swarm-command-'));
  });
  afterAll(() => {
    clearing();
    rmSync(folder, { recursive: true, force: true });
  });

  it('tells what was run when Ctrl-C ends a long run, as a terminal sends it to all of its processes, and leaves nothing behind', async () => {
    const env = { ...process.env, TMPDIR: folder, NODE_NO_WARNINGS: '1' };
    const args = ['--import', 'tsx', RUN, '--seeds', '100000', '--jobs', '1', '--json'];
    const swarm = spawn(process.execPath, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const { pid = 0, stdout, stderr } = swarm;
    let [said, told] = ['', ''];
    stdout.on('data', (chunk) => {
      told += chunk;
    });
    stderr.on('data', (chunk) => {
      if (!said.includes('seeds') && String(chunk).includes('seeds')) process.kill(-pid, 'SIGINT');
      said += chunk;
    });
    clearing = () => void (swarm.exitCode === null && process.kill(-pid, 'SIGKILL'));
    const [exitCode] = await once(swarm, 'close');
    expect(said).toMatch(/^25 of 100000 seeds\nending after the seeds under way\n/);
    const { seeds, violations, notConverged } = JSON.parse(told);
    expect(seeds).toBeGreaterThanOrEqual(25);
    expect(seeds).toBeLessThan(1_000);
    expect({ exitCode, violations, notConverged }).toEqual({ exitCode: 130, violations: 0, notConverged: 0 });
    expect(readdirSync(folder).filter((name) => name.startsWith('fiware-ha-swarm'))).toEqual([]);
  }, 120_000);
});
