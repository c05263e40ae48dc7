import { describe, expect, it } from '@jest/globals';
import { runFailover, runProvision } from '../../lambdas/app/dispatch';
import { PortError } from '../../lambdas/app/ports';
import type { FailoverJob, PlannedJob } from '../../lambdas/core/jobs';
import { anInstance } from '../builders';
import { contextOver, type MemoryWorld } from '../memory-ports';
import { aCity, address, common, instances, plan, provision, TERMINATE } from './one-job';

const MOVE: FailoverJob = {
  kind: 'moveAddress',
  ...common,
  jobKey: 'city@1/move#0',
  allocationId: 'eipalloc-1',
  to: 'i-1021',
  expect: { holder: 'i-1011' },
};
const LAUNCH: PlannedJob = {
  kind: 'launchNode',
  ...common,
  jobKey: 'city@1/launch/ctx3#4',
  role: 'orion',
  slot: 'ctx3',
  incarnation: 1,
  zone: 'a',
  instanceType: 't3.medium',
};

async function move(w: MemoryWorld, job: FailoverJob = MOVE) {
  plan(w, job);
  await runFailover(contextOver(w), job);
  return w.claims.get(job.jobKey);
}

const without =
  (...ips: string[]) =>
  (url: string) =>
    !ips.some((ip) => url.includes(ip));

describe('moveAddress', () => {
  it('moves off a holder that does not answer, and looks again after', async () => {
    const w = aCity({ answering: without('10.0.1.11') });
    expect(await move(w)).toMatchObject({ is: 'done' });
    expect(w.acts).toEqual(['associate eipalloc-1 with i-1021']);
    expect(w.sent).toMatchObject([{ queue: 'health-check', body: { kind: 'check', cluster: 'city' } }]);
  });

  it('refuses while the holder answers: a false alarm costs nothing', async () => {
    const w = aCity();
    expect(await move(w)).toMatchObject({ is: 'refused', reason: '203.0.113.1 stays: its holder lb1 (i-1011) answers' });
    expect(w.acts).toEqual([]);
  });

  it('refuses while the claimant does not serve', async () => {
    const w = aCity({ answering: () => false });
    expect(await move(w)).toMatchObject({ is: 'refused' });
    expect(w.acts).toEqual([]);
  });

  it('refuses while the holder could not be looked at: unknown is not dead', async () => {
    const w = aCity();
    const context = contextOver(w);
    context.ports.probe.http = async (url) => ({
      outcome: url.includes('10.0.1.11') ? { is: 'unknown', detail: 'no route' } : { is: 'ok', latencyMs: 1 },
      body: '',
    });
    plan(w, MOVE);
    await runFailover(context, MOVE);
    expect(w.claims.get(MOVE.jobKey)).toMatchObject({ is: 'refused' });
  });

  it('is stale when somebody else holds the address by then', async () => {
    const w = aCity({ cloud: { instances, addresses: [{ ...address, holder: 'i-2011' }] } });
    expect(await move(w)).toMatchObject({ is: 'stale' });
  });

  it('takes a free address only if it still is free', async () => {
    const { holder: _, ...free } = address;
    const w = aCity({ cloud: { instances, addresses: [free] } });
    expect(await move(w, { ...MOVE, expect: { holder: null } })).toMatchObject({ is: 'done' });
    expect(w.acts).toEqual(['associate eipalloc-1 with i-1021 if free']);
  });

  it('takes an address that was freed since the plan looked, only if it still is free: its holder was terminated', async () => {
    const { holder: _, ...free } = address;
    const w = aCity({ cloud: { instances: instances.slice(1), addresses: [free] } });
    expect(await move(w)).toMatchObject({ is: 'done' });
    expect(w.acts).toEqual(['associate eipalloc-1 with i-1021 if free']);
  });

  it('takes one that was freed between its own two looks, only if it still is free', async () => {
    const w = aCity({ answering: without('10.0.1.11') });
    const context = contextOver(w);
    let reads = 0;
    const { describeCluster } = context.ports.compute;
    context.ports.compute.describeCluster = async (cluster) => {
      if (++reads === 2) w.cloud = { ...w.cloud, addresses: [{ ...address, holder: undefined }].map(({ holder: _, ...free }) => free) };
      return describeCluster(cluster);
    };
    plan(w, MOVE);
    await runFailover(context, MOVE);
    expect(w.claims.get(MOVE.jobKey)).toMatchObject({ is: 'done' });
    expect(w.acts).toEqual(['associate eipalloc-1 with i-1021 if free']);
  });

  it('never gives it to a node that is no balancer', async () => {
    const w = aCity({ answering: without('10.0.1.11') });
    expect(await move(w, { ...MOVE, to: 'i-2011' })).toMatchObject({
      is: 'refused',
      reason: expect.stringContaining('not a load balancer'),
    });
  });
});

describe('terminateNode', () => {
  it('terminates once, however often the message comes', async () => {
    const w = aCity();
    await provision(w, TERMINATE);
    await provision(w, TERMINATE);
    expect(w.acts).toEqual(['terminate i-2021']);
  });

  it('refuses beyond the budget of the fleet', async () => {
    const w = aCity({ budgetLeft: 0 });
    expect(await provision(w, TERMINATE)).toMatchObject({
      is: 'refused',
      reason: "the fleet's budget of 10 terminations in ten minutes is used up",
    });
    expect(w.acts).toEqual([]);
  });

  it('spares a node that holds an address by then', async () => {
    const w = aCity({ cloud: { instances, addresses: [{ ...address, holder: 'i-2021' }] } });
    expect(await provision(w, TERMINATE)).toMatchObject({ is: 'stale' });
  });

  it('refuses an instance that fills another slot', async () => {
    expect(await provision(aCity(), { ...TERMINATE, slot: 'ctx1' })).toMatchObject({
      is: 'refused',
      reason: 'i-2021 fills ctx2, not ctx1',
    });
  });

  it('waits for an instance that EC2 does not list: a new one is listed late, and would live on', async () => {
    const w = aCity();
    expect(await provision(w, { ...TERMINATE, instanceId: 'i-dead' })).toMatchObject({ is: 'waiting' });
    expect(w.acts).toEqual([]);
  });
});

describe('launchNode', () => {
  it('asks with a token that is the same for each try', async () => {
    const w = aCity();
    expect(await provision(w, LAUNCH)).toMatchObject({ is: 'done', output: { instanceId: 'i-ffff' } });
    expect(w.acts).toEqual(['launch ctx3/1 in a (city@1/ctx3/1/a/t3.medium)']);
  });

  it('finds the node of an earlier try whose answer was lost', async () => {
    const w = aCity({ cloud: { instances: [...instances, anInstance('ctx3')], addresses: [] } });
    expect(await provision(w, LAUNCH)).toMatchObject({ is: 'done', output: { instanceId: 'i-2031' } });
    expect(w.acts).toEqual([]);
  });

  it('says which zone was full', async () => {
    const w = aCity();
    const context = contextOver(w);
    context.ports.compute.launchNode = async () => {
      throw new PortError('noCapacity', 'none left');
    };
    plan(w, LAUNCH);
    await runProvision(context, LAUNCH, 'm-1');
    expect(w.claims.get(LAUNCH.jobKey)).toMatchObject({ is: 'failed', zoneFull: 'a', reason: 'noCapacity: none left' });
  });

  it('is stale once the cluster is being deleted', async () => {
    expect(await provision(aCity({}, 'deleting'), LAUNCH)).toMatchObject({ is: 'stale' });
  });
});

describe('forgetCluster', () => {
  const FORGET: PlannedJob = { kind: 'forgetCluster', ...common, jobKey: 'city@1/forget#0' };

  it('refuses while anything is left, or the cluster is in use', async () => {
    expect(await provision(aCity(), FORGET)).toMatchObject({ is: 'refused' });
    expect(await provision(aCity({}, 'deleting'), FORGET)).toMatchObject({ is: 'stale' });
  });

  it('removes placement groups, spec and row', async () => {
    const w = aCity({ cloud: { instances: [], addresses: [] }, specs: new Map([['city', { text: '{}', version: 1 }]]) }, 'deleting');
    expect(await provision(w, FORGET)).toMatchObject({ is: 'done' });
    expect([w.acts, w.rows.size, w.specs.size]).toEqual([['delete placement groups of city'], 0, 0]);
  });
});

describe('a job that its plan gave up', () => {
  it('does nothing any more, and says so', async () => {
    const w = aCity();
    await runProvision(contextOver(w), { ...TERMINATE, kind: 'terminateNode' }, 'm-1');
    expect(w.claims.get(TERMINATE.jobKey)).toMatchObject({ is: 'stale', reason: 'terminateNode came too late: its plan gave it up' });
    expect(w.acts).toEqual([]);
  });

  it('tells a step on the replica set until when it may act', async () => {
    const w = aCity({ cloud: { instances: [...instances, anInstance('mdb1')], addresses: [] } });
    const members = ['10.0.3.11:27017'];
    await provision(w, {
      kind: 'initiateReplicaSet',
      ...common,
      jobKey: 'city@1/initiate#0',
      instanceId: 'i-3011',
      replicaSet: 'orion_rs',
      members,
    });
    expect(w.commands.map(({ command }) => command)).toEqual([
      { name: 'replica-set', action: 'initiate', payload: { replicaSet: 'orion_rs', members, notAfterMs: w.nowMs + 150_000 } },
    ]);
  });
});

describe('a job that rests on what was seen of a node', () => {
  const restart: PlannedJob = {
    ...TERMINATE,
    kind: 'restartRole',
    jobKey: 'city@1/restart/i-2021#0',
  };

  it.each([
    [restart, 45],
    [TERMINATE, 60],
    [LAUNCH, 60],
  ])('acts for a while after its plan, not later: %j', async (job, withinS) => {
    for (const ageS of [withinS, withinS + 1]) {
      const w = aCity();
      plan(w, job);
      w.nowMs += ageS * 1000;
      await runProvision(contextOver(w), job, 'm-1');
      expect(w.acts.length + w.commands.length).toBe(ageS === withinS ? 1 : 0);
      if (ageS > withinS)
        expect(w.claims.get(job.jobKey)).toMatchObject({
          is: 'stale',
          reason: `${job.kind} came too late: it was planned more than ${withinS} s ago`,
        });
    }
  });
});

describe('a double', () => {
  it('comes again while a worker holds its job, so that the message is not lost with that worker', async () => {
    const w = aCity({ claims: new Map([[TERMINATE.jobKey, { is: 'running', leaseUntilMs: Number.MAX_SAFE_INTEGER }]]) });
    await expect(provision(w, TERMINATE)).rejects.toThrow('is being worked on');
    expect(w.acts).toEqual([]);
  });

  it('is done with when the command of its job is under way', async () => {
    const state = { is: 'running', leaseUntilMs: 0, commandId: 'cmd-1', instanceId: 'i-2021' } as const;
    const w = aCity({ claims: new Map([[TERMINATE.jobKey, state]]) });
    expect(await provision(w, TERMINATE)).toEqual(state);
    expect(w.acts).toEqual([]);
  });
});

describe('a worker that died', () => {
  it('is followed by another once its lease is over', async () => {
    const w = aCity({ claims: new Map([[TERMINATE.jobKey, { is: 'running', leaseUntilMs: 0 }]]) });
    await provision(w, TERMINATE);
    expect(w.acts).toEqual(['terminate i-2021']);
  });
});
