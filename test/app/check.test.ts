import { describe, expect, it } from '@jest/globals';
import { runHealthCheck } from '../../lambdas/app/dispatch';
import { PortError } from '../../lambdas/app/ports';
import { EMPTY_MEMORY } from '../../lambdas/core/memory';
import { anInstance, aSpec, NOW_MS } from '../builders';
import { aMemoryWorld, contextOver, type MemoryWorld } from '../memory-ports';

function declared(change: Partial<MemoryWorld> = {}): MemoryWorld {
  return aMemoryWorld({ specs: new Map([['city', { text: JSON.stringify(aSpec()), version: 1 }]]), ...change });
}

async function check(w: MemoryWorld, facts?: { atMs: number }): Promise<void> {
  await runHealthCheck(contextOver(w), { kind: 'check', cluster: 'city', ...(facts ? { facts: { ...w.cloud, ...facts } } : {}) });
}

function kindsSent(w: MemoryWorld, queue = 'provision'): unknown[] {
  return w.sent.filter((sent) => sent.queue === queue).map((sent) => sent.body.kind);
}

describe('checkCluster', () => {
  it('starts a cluster that is only declared: seven nodes and an address', async () => {
    const w = declared();
    await check(w);
    expect(kindsSent(w).sort()).toEqual(['allocateAddress', ...Array(7).fill('launchNode')]);
    expect(w.rows.get('city')).toMatchObject({ version: 1, phase: 'active', status: { converged: false } });
    expect(w.journal.filter((entry) => entry.event === 'planned')).toHaveLength(8);
  });

  it('plans nothing twice while its jobs are under way', async () => {
    const w = declared();
    await check(w);
    w.sent = [];
    w.nowMs += 5_000;
    await check(w);
    expect(kindsSent(w)).toEqual([]);
  });

  it('sends a job again that nobody took', async () => {
    const w = declared();
    await check(w);
    w.sent = [];
    w.nowMs += 31_000;
    await check(w);
    expect(kindsSent(w)).toHaveLength(8);
  });

  it('sends nothing when another check was faster', async () => {
    const w = declared();
    const context = contextOver(w);
    context.ports.rows.put = async () => {
      throw new PortError('conflict', 'other version');
    };
    await runHealthCheck(context, { kind: 'check', cluster: 'city' });
    expect([w.sent, w.journal]).toEqual([[], []]);
  });

  it('writes no row that says nothing new, and one each minute all the same', async () => {
    const w = declared();
    await check(w);
    await check(w);
    // As a row comes back from its store.
    w.rows.set('city', JSON.parse(JSON.stringify(w.rows.get('city'))));
    const version = w.rows.get('city')?.version ?? 0;
    await check(w);
    expect(w.rows.get('city')?.version).toBe(version);
    w.nowMs += 60_000;
    await check(w);
    expect(w.rows.get('city')?.version).toBe(version + 1);
  });

  it('writes a row of which one part of the memory is new', async () => {
    const w = declared();
    await check(w);
    await check(w);
    const row = w.rows.get('city');
    const version = row?.version ?? 0;
    w.nowMs += 1_000;
    const [jobKey = ''] = Object.keys(row?.memory.inFlight ?? {});
    w.claims.set(jobKey, { is: 'failed', reason: 'no capacity', atMs: w.nowMs });
    await check(w);
    expect(w.rows.get('city')?.version).toBe(version + 1);
  });

  it('passes over facts older than those it used', async () => {
    const w = declared();
    await check(w, { atMs: NOW_MS });
    const version = w.rows.get('city')?.version;
    await check(w, { atMs: NOW_MS - 1 });
    expect(w.rows.get('city')?.version).toBe(version);
  });

  it('decides nothing while EC2 can not be read', async () => {
    const w = declared();
    const context = contextOver(w);
    context.ports.compute.describeCluster = async () => {
      throw new PortError('throttled', 'slow down');
    };
    await runHealthCheck(context, { kind: 'check', cluster: 'city' });
    expect(kindsSent(w)).toEqual([]);
    expect(w.rows.get('city')?.status?.sentence).toBe('blocked: EC2 could not be read: nothing is decided on unknown facts');
  });

  it('goes on with the last valid spec when the stored one is broken, and says so once', async () => {
    const w = declared();
    await check(w);
    await check(w);
    w.specs.set('city', { text: JSON.stringify({ name: 'city', mongo: { count: 4 } }), version: 2 });
    w.journal = [];
    await check(w);
    expect(w.rows.get('city')?.spec.mongo.count).toBe(3);
    expect(w.journal).toMatchObject([{ event: 'blocked', text: expect.stringContaining('mongo.count: expected 1, 3, 5 or 7') }]);
    await check(w);
    expect(w.journal).toHaveLength(1);
  });

  it('does not follow a spec that renames the set it initiated', async () => {
    const w = declared();
    await check(w);
    const row = w.rows.get('city');
    if (row) w.rows.set('city', { ...row, memory: { ...row.memory, replicaSetInitiated: true } });
    w.specs.set('city', { text: JSON.stringify({ name: 'city', mongo: { replicaSet: 'other_rs' } }), version: 2 });
    await check(w);
    expect(w.rows.get('city')?.spec.mongo.replicaSet).toBe('orion_rs');
    expect(w.rows.get('city')?.status?.blocked.join()).toContain('the name the set was initiated with');
  });

  it('does not begin a cluster anew that is deleted while it looks: the spec was there yet, and the row no more', async () => {
    const w = declared();
    const context = contextOver(w);
    context.ports.rows.get = async (cluster) => {
      await context.ports.specs.delete(cluster);
      return null;
    };
    const specs = { ...context.ports.specs };
    let reads = 0;
    context.ports.specs.get = async (cluster) => (reads++ === 0 ? { text: JSON.stringify(aSpec()), version: 1 } : specs.get(cluster));
    await runHealthCheck(context, { kind: 'check', cluster: 'city' });
    expect([w.rows.size, w.sent]).toEqual([0, []]);
  });

  it('knows nothing of a cluster without spec and row', async () => {
    const w = aMemoryWorld();
    await check(w);
    expect([w.rows.size, w.sent.length]).toEqual([0, 0]);
  });

  const applying = () => {
    const w = declared({ cloud: { instances: [anInstance('mdb1')], addresses: [] } });
    const jobKey = 'city@0/config/i-3011#0';
    const job = {
      kind: 'applyConfig',
      cluster: 'city',
      jobKey,
      reason: 'x',
      role: 'mongo',
      slot: 'mdb1',
      instanceId: 'i-3011',
      version: 'v1',
      config: { role: 'mongo', replicaSet: 'orion_rs' },
    } as const;
    const memory = { ...EMPTY_MEMORY, inFlight: { [jobKey]: { job, plannedAtMs: NOW_MS } } };
    w.rows.set('city', { cluster: 'city', version: 1, phase: 'active', spec: aSpec(), memory, status: null });
    w.claims.set(jobKey, { is: 'running', leaseUntilMs: 0, commandId: 'cmd-1', instanceId: 'i-3011' });
    return { w, jobKey };
  };

  it('reads how a command on a node ended', async () => {
    const { w, jobKey } = applying();
    w.commandOutcome = { is: 'succeeded', output: { ok: true, configVersion: 'v1' } };
    await check(w);
    expect(w.rows.get('city')?.memory.applied).toEqual({ 'i-3011': 'v1' });
    expect(w.journal).toContainEqual(expect.objectContaining({ event: 'done', topic: 'applyConfig', jobKey }));
  });

  it.each([
    ['refused', { is: 'failed', exitCode: 65, detail: 'x', output: { ok: false, error: 'not valid' } }],
    ['refused', { is: 'failed', exitCode: 1, detail: 'x', output: { ok: false, outcome: 'refused', error: 'the old one is back' } }],
    ['failed', { is: 'failed', exitCode: 1, detail: 'x', output: { ok: false, error: 'the process did not start' } }],
  ] as const)('tells a configuration that was %s from one that could not be tried', async (event, outcome) => {
    const { w, jobKey } = applying();
    w.commandOutcome = outcome;
    await check(w);
    expect(w.rows.get('city')?.memory.applied).toEqual({});
    expect(w.journal).toContainEqual(expect.objectContaining({ event, topic: 'applyConfig', jobKey }));
  });
});

describe('the fan-out', () => {
  it('makes a minute into sweeps, each a tick later', async () => {
    const w = declared();
    await runHealthCheck(contextOver(w), { kind: 'minute' });
    expect(w.sent.map((sent) => sent.delayS)).toEqual([0, 10, 20, 30, 40, 50]);
  });

  it('gives each cluster its own facts, from one reading of EC2', async () => {
    const instances = [anInstance('ctx1'), anInstance('ctx1', { cluster: 'town', instanceId: 'i-9' })];
    const w = declared({ cloud: { instances, addresses: [] } });
    w.specs.set('town', { text: '{}', version: 1 });
    await runHealthCheck(contextOver(w), { kind: 'sweep' });
    expect(w.sent.map(({ body }) => [body.cluster, (body.facts as typeof w.cloud).instances.map((fact) => fact.instanceId)])).toEqual([
      ['city', ['i-2011']],
      ['town', ['i-9']],
    ]);
  });

  it('ends a sweep that could not read EC2, without noise in the queue', async () => {
    const w = declared();
    const context = contextOver(w);
    context.ports.compute.describeFleet = async () => {
      throw new PortError('unavailable', 'EC2 is away');
    };
    await runHealthCheck(context, { kind: 'sweep' });
    expect(w.sent).toEqual([]);
  });
});
