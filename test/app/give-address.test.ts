import { describe, expect, it } from '@jest/globals';
import { runFailover, runProvision } from '../../lambdas/app/dispatch';
import { probeNode } from '../../lambdas/app/look';
import type { InstanceFact } from '../../lambdas/core/facts';
import type { JobOf, PlannedJob } from '../../lambdas/core/jobs';
import { EMPTY_MEMORY } from '../../lambdas/core/memory';
import { anInstance, aSpec } from '../builders';
import { aMemoryWorld, contextOver, type MemoryWorld } from '../memory-ports';

const [LB1, LB2] = ['i-1011', 'i-1021'];
const balancer = (slot: string, change: Partial<InstanceFact> = {}) =>
  anInstance(slot, { secondaryIps: [`10.0.9.${slot.slice(2)}`], ...change });
const GIVE: JobOf<'moveAddress'> = {
  kind: 'moveAddress',
  cluster: 'city',
  jobKey: 'city@1/give#0',
  reason: 'a test',
  allocationId: 'eipalloc-2',
  to: LB1,
  gives: true,
  expect: { holder: LB2 },
};
const ADD: JobOf<'addPrivateAddress'> = {
  kind: 'addPrivateAddress',
  cluster: 'city',
  jobKey: 'city@1/add#0',
  reason: 'a test',
  role: 'lb',
  slot: 'lb1',
  instanceId: LB1,
  expect: { secondaryCount: 0 },
};

/** An active/active city whose addresses have these holders; undefined: free. */
function aCity(holders: [string | undefined, string | undefined], change: Partial<MemoryWorld> = {}): MemoryWorld {
  const addresses = holders.map((holder, i) => ({
    allocationId: `eipalloc-${i + 1}`,
    cluster: 'city',
    name: `entry${i + 1}`,
    publicIp: `203.0.113.${i + 1}`,
    ...(holder ? { holder } : {}),
  }));
  const spec = aSpec({ entry: { mode: 'active-active' } });
  const row = { cluster: 'city', version: 1, phase: 'active', spec, memory: EMPTY_MEMORY, status: null } as const;
  return aMemoryWorld({
    cloud: { instances: [balancer('lb1'), balancer('lb2')], addresses },
    rows: new Map([['city', row]]),
    ...change,
  });
}

async function run(w: MemoryWorld, job: PlannedJob) {
  const row = w.rows.get('city');
  if (row) w.rows.set('city', { ...row, memory: { ...row.memory, inFlight: { [job.jobKey]: { job, plannedAtMs: w.nowMs } } } });
  if (job.kind === 'moveAddress') await runFailover(contextOver(w), job);
  else await runProvision(contextOver(w), job, 'm-1');
  return w.claims.get(job.jobKey);
}

describe('an address that a healthy balancer gives', () => {
  it('goes to the one that holds none, where it would lead, while the giver keeps another', async () => {
    const w = aCity([LB2, LB2]);
    expect(await run(w, GIVE)).toMatchObject({ is: 'done' });
    expect(w.acts).toEqual(['associate eipalloc-2 with i-1011 at 10.0.9.1']);
  });

  const reasons: [string, [string | undefined, string | undefined], Partial<MemoryWorld>, string, RegExp][] = [
    ['the giver would keep none', [undefined, LB2], {}, 'refused', /203\.0\.113\.2 stays: its holder i-1021 is well and would keep none/],
    ['the taker holds one by now', [LB1, LB2], {}, 'refused', /would keep none/],
    ['the taker does not serve', [LB2, LB2], { answering: () => false }, 'refused', /lb1 \(i-1011\) does not serve/],
    [
      'the taker does not answer where it would lead',
      [LB2, LB2],
      { answering: (url) => !url.includes('10.0.9.1') },
      'refused',
      /does not answer at 10\.0\.9\.1/,
    ],
    ['somebody else holds it by now', [LB2, 'i-1031'], {}, 'stale', /is held by i-1031 by now, expected i-1021/],
  ];
  it.each(reasons)('stays when %s', async (_when, holders, change, is, reason) => {
    const w = aCity(holders, change);
    expect(await run(w, GIVE)).toMatchObject({ is, reason: expect.stringMatching(reason) });
    expect(w.acts).toEqual([]);
  });

  it('leaves one that came back after its successor took an address, and only then', async () => {
    const followed = (second: string): MemoryWorld => {
      const w = aCity([second, LB2]);
      const { instances, addresses } = w.cloud;
      return { ...w, cloud: { instances: [...instances, balancer('lb2', { incarnation: 2, privateIp: '10.0.1.22' })], addresses } };
    };
    const w = followed('i-1022');
    expect(await run(w, GIVE)).toMatchObject({ is: 'done' });
    expect(w.acts).toEqual(['associate eipalloc-2 with i-1011 at 10.0.9.1']);
    expect(await run(followed('i-1031'), GIVE)).toMatchObject({ is: 'refused', reason: expect.stringContaining('would keep none') });
  });

  it('is taken as any free one when its giver died meanwhile', async () => {
    const w = aCity([LB1, undefined]);
    expect(await run(w, GIVE)).toMatchObject({ is: 'done' });
    expect(w.acts).toEqual(['associate eipalloc-2 with i-1011 at 10.0.9.1 if free']);
  });

  it('stays with a holder that answers when the plan does not say that it gives it', async () => {
    const w = aCity([LB2, LB2]);
    const { gives: _, ...plain } = GIVE;
    expect(await run(w, plain)).toMatchObject({ is: 'refused', reason: '203.0.113.2 stays: its holder lb2 (i-1021) answers' });
    expect(w.acts).toEqual([]);
  });
});

describe('addPrivateAddress', () => {
  const cloud = (fact: InstanceFact) => ({ instances: [fact], addresses: [] });

  it('gives a balancer another private address, unless it got one since', async () => {
    const w = aCity([LB1, LB2], { cloud: cloud(balancer('lb1', { secondaryIps: [] })) });
    expect(await run(w, ADD)).toMatchObject({ is: 'done' });
    expect(w.acts).toEqual(['add a private address to i-1011']);
    const had = aCity([LB1, LB2]);
    expect(await run(had, ADD)).toMatchObject({ is: 'done' });
    expect(had.acts).toEqual([]);
  });

  it('touches no node that does not run or fills another slot', async () => {
    const stopped = aCity([LB1, LB2], { cloud: cloud(balancer('lb1', { state: 'stopped' })) });
    expect(await run(stopped, ADD)).toMatchObject({ is: 'stale', reason: 'i-1011 is stopped, expected running' });
    expect(await run(aCity([LB1, LB2]), { ...ADD, slot: 'lb2' })).toMatchObject({ is: 'refused' });
  });
});

describe('a look at a balancer', () => {
  it('asks at its second private address as well, where it has one', async () => {
    const w = aCity([LB1, LB2], { answering: (url) => !url.includes('10.0.9.1') });
    expect(await probeNode(contextOver(w), balancer('lb1'))).toMatchObject({
      process: { is: 'ok' },
      secondary: { is: 'failed', detail: 'connection refused' },
    });
    expect(await probeNode(contextOver(w), anInstance('lb1'))).not.toHaveProperty('secondary');
  });
});
