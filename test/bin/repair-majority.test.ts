import { describe, expect, it } from '@jest/globals';
import type { SlotSummary } from '../../lambdas/core/memory';
import { aCityWorld, aCommandLine, aRow, aStatus } from './command-line';

const slots: SlotSummary[] = [
  {
    slot: 'mdb1',
    role: 'mongo',
    instanceId: 'i-3011',
    privateIp: '10.0.3.1',
    health: 'healthy',
    member: 'secondary',
    newestWriteS: 1_800_000_000,
  },
  { slot: 'mdb2', role: 'mongo', instanceId: 'i-3021', privateIp: '10.0.3.2', health: 'dead', member: 'does not answer' },
  { slot: 'mdb3', role: 'mongo', health: 'missing' },
];
const lost = () => aCityWorld(aRow({}, { status: aStatus({ converged: false, blocked: ['majority lost: 1 of 3 voters answer'], slots }) }));

describe('fiware-ha repair-majority', () => {
  it('prints what is known, the procedure and the risk, and sends nothing', async () => {
    const cli = aCommandLine({ world: lost() });
    const { exitCode, out } = await cli.run('repair-majority', 'city');
    const text = out.join('\n');
    expect(exitCode).toBe(0);
    expect(text).toContain('Nothing has been changed');
    expect(text).toContain('mdb1  10.0.3.1:27017  healthy, secondary; newest write 2027-01-15T08:00:00.000Z');
    expect(text).toContain('mdb2  10.0.3.2:27017  dead, does not answer; newest write not known');
    expect(text).toContain('aws ssm start-session --target i-3011');
    expect(text).toContain('const living = ["10.0.3.1:27017"]');
    expect(text).toContain('rs.reconfig(config, { force: true })');
    expect(text).toMatch(/LOST/);
    expect(cli.sent()).toEqual([]);
  });

  it('refuses where nothing is lost', async () => {
    const cli = aCommandLine({ world: aCityWorld() });
    const { exitCode, err } = await cli.run('repair-majority', 'city', '--confirm', 'city');
    expect({ exitCode, err: err.join() }).toEqual({ exitCode: 1, err: expect.stringContaining('nothing to repair') });
    expect(cli.sent()).toEqual([]);
  });

  it('refuses another name as confirmation', async () => {
    const cli = aCommandLine({ world: lost() });
    expect((await cli.run('repair-majority', 'city', '--confirm', 'town')).exitCode).toBe(2);
    expect(cli.sent()).toEqual([]);
  });

  it('asks for it, with the survivors it showed, once the name is typed', async () => {
    const cli = aCommandLine({ world: lost() });
    expect((await cli.run('repair-majority', 'city', '--confirm', 'city')).exitCode).toBe(0);
    expect(cli.sent()).toEqual([
      { kind: 'repairMajority', cluster: 'city', confirm: 'city', survivors: ['10.0.3.1:27017'], jobKey: 'cli-1' },
    ]);
  });
});
