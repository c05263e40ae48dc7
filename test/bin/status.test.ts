import { describe, expect, it } from '@jest/globals';
import { NOW_MS } from '../builders';
import { aMemoryWorld } from '../memory-ports';
import { aCityWorld, aCommandLine, aRow, aStatus } from './command-line';

const STATUS = aStatus({
  atMs: NOW_MS - 4_000,
  converged: false,
  sentence: 'launchNode: ctx2 is missing',
  blocked: ['ctx1 rests after its replacement'],
  slots: [
    {
      slot: 'lb1',
      role: 'lb',
      instanceId: 'i-1',
      incarnation: 1,
      zone: 'a',
      privateIp: '10.0.1.11',
      health: 'healthy',
      configVersion: '0a1b2c3d4e5f60',
      drifted: '/etc/haproxy/haproxy.cfg',
      holdsAddress: true,
    },
    {
      slot: 'ctx1',
      role: 'orion',
      instanceId: 'i-2',
      incarnation: 3,
      zone: 'b',
      health: 'dead',
      sickness: 'process',
      detail: 'refused',
      configVersion: '11223344556677',
      wantedVersion: '99aabbccddeeff',
    },
    { slot: 'ctx2', role: 'orion', health: 'missing' },
    {
      slot: 'mdb1',
      role: 'mongo',
      instanceId: 'i-3',
      incarnation: 1,
      zone: 'a',
      privateIp: '10.0.3.11',
      health: 'healthy',
      member: 'primary',
    },
    {
      slot: 'mdb2',
      role: 'mongo',
      instanceId: 'i-4',
      incarnation: 2,
      zone: 'b',
      privateIp: '10.0.3.22',
      health: 'healthy',
      member: 'syncing, no vote yet',
      memberSinceMs: NOW_MS - 70_000,
    },
  ],
  replicaSetStep: 'replica set: mdb2 joins without a vote and is catching up (21600 s at most)',
  rollouts: [
    { role: 'lb', version: '00aa', state: 'good', inStep: 1, wanted: 2, text: '1 of 2 run 00aa' },
    { role: 'orion', version: '99aa', state: 'rolling', inStep: 0, wanted: 2, text: '0 of 2 run 99aa; rolling' },
  ],
  addresses: [{ name: 'entry1', publicIp: '203.0.113.1', holder: 'i-1' }],
  inFlight: [{ kind: 'launchNode', jobKey: 'k', reason: 'ctx2 is missing', plannedAtMs: NOW_MS - 9_000 }],
});

describe('fiware-ha status', () => {
  it('shows slots, what is in flight and why, and what is blocked', async () => {
    const cli = aCommandLine({ world: aCityWorld(aRow({}, { status: STATUS })) });
    const { exitCode, out } = await cli.run('status', 'city');
    expect(exitCode).toBe(0);
    expect(out).toEqual([
      'city: blocked',
      'wanted: lb 2, orion 2 (1 to 10), mongo 3 (orion_rs)',
      'checked: 4 s ago',
      'last plan: launchNode: ctx2 is missing',
      'replica set: mdb2 joins without a vote and is catching up (21600 s at most)',
      'lb: 1 of 2 run 00aa',
      'orion: 0 of 2 run 99aa; rolling',
      '',
      'SLOT  NODE  INC  ZONE  ADDRESS                  HEALTH                   CONFIG                                            MEMBER',
      'lb1   i-1   1    a     10.0.1.11 = 203.0.113.1  healthy                  0a1b2c3 somebody edited /etc/haproxy/haproxy.cfg',
      'ctx1  i-2   3    b     -                        dead (process: refused)  1122334 → 99aabbc',
      'ctx2  -     -    -     -                        missing                  -',
      'mdb1  i-3   1    a     10.0.3.11                healthy                  -                                                 primary',
      'mdb2  i-4   2    b     10.0.3.22                healthy                  -                                                 syncing, no vote yet for 70 s',
      '',
      'in flight:',
      '  launchNode, for 9 s: ctx2 is missing',
      '',
      'blocked:',
      '  ctx1 rests after its replacement',
    ]);
  });

  it('gives machines all of it in one document', async () => {
    const cli = aCommandLine({ world: aCityWorld(aRow({}, { status: STATUS })) });
    const { out } = await cli.run('status', 'city', '--json');
    expect(out).toHaveLength(1);
    expect(JSON.parse(out[0] ?? '')).toMatchObject({ cluster: 'city', phase: 'active', spec: { orion: { count: 2 } }, status: STATUS });
  });

  it('says when checks have stopped coming', async () => {
    const cli = aCommandLine({ world: aCityWorld(aRow({}, { status: aStatus({ atMs: NOW_MS - 600_000 }) })) });
    expect((await cli.run('status', 'city')).out[2]).toBe(
      'checked: 10 min ago; checks should come every few seconds: docs/runbook.md#missing-ticks',
    );
  });

  it('says that an address is held by nobody', async () => {
    const status = aStatus({ addresses: [{ name: 'entry1', publicIp: '203.0.113.1' }] });
    expect((await aCommandLine({ world: aCityWorld(aRow({}, { status })) }).run('status', 'city')).out).toContain(
      'entry1 203.0.113.1: held by nobody',
    );
  });

  it('shows a cluster that is only declared', async () => {
    const world = aMemoryWorld({ specs: new Map([['city', { text: '{"name":"city"}', version: 1 }]]) });
    expect((await aCommandLine({ world }).run('status', 'city')).out).toEqual(['city: declared; no check has looked at it yet']);
  });

  it('shows what is wrong with a declared spec', async () => {
    const world = aMemoryWorld({ specs: new Map([['city', { text: '{"name":"city","mongo":{"count":2}}', version: 1 }]]) });
    expect((await aCommandLine({ world }).run('status', 'city')).out.join()).toContain('mongo.count: expected 1, 3, 5 or 7');
  });

  it('gives one line a cluster without a name', async () => {
    const cli = aCommandLine({ world: aCityWorld(aRow({}, { status: STATUS })) });
    expect((await cli.run('status')).out).toEqual(['city: blocked; 3 of 5 nodes healthy; checked 4 s ago']);
  });

  it('answers an unknown cluster with those known', async () => {
    const { exitCode, err } = await aCommandLine().run('status', 'town');
    expect({ exitCode, err }).toEqual({ exitCode: 2, err: ['error: name: no cluster is called "town"; known: none yet'] });
  });
});
