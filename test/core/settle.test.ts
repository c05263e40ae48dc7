import { describe, expect, it } from '@jest/globals';
import type { PlannedJob } from '../../lambdas/core/jobs';
import { EMPTY_MEMORY, type Memory } from '../../lambdas/core/memory';
import type { JobOutcome } from '../../lambdas/core/observation';
import { settleJobs, UNCLAIMED_MAX_MS, UNSEEN_MAX_MS } from '../../lambdas/core/settle';
import { aHealth, aSpec, NOW_MS } from '../builders';

const { policy } = aSpec();
const common = { cluster: 'city', reason: 'a reason' };
const LAUNCH: PlannedJob = {
  kind: 'launchNode',
  ...common,
  jobKey: 'city@1/launch/ctx2#0',
  role: 'orion',
  slot: 'ctx2',
  incarnation: 2,
  zone: 'a',
  instanceType: 't3.medium',
};
const RESTART: PlannedJob = {
  kind: 'restartRole',
  ...common,
  jobKey: 'city@1/restart/i-1#0',
  role: 'orion',
  slot: 'ctx2',
  instanceId: 'i-1',
};
const TERMINATE: PlannedJob = {
  kind: 'terminateNode',
  ...common,
  jobKey: 'city@1/terminate/i-1#0',
  role: 'orion',
  slot: 'ctx2',
  instanceId: 'i-1',
  expect: { holdsAddress: false },
};

function settle(
  job: PlannedJob,
  outcome: JobOutcome,
  memory: Partial<Memory> = {},
  nowMs = NOW_MS,
  present: ReadonlySet<string> | null = new Set(['i-1']),
) {
  const before: Memory = { ...EMPTY_MEMORY, ...memory, inFlight: { [job.jobKey]: { job, plannedAtMs: NOW_MS } } };
  return settleJobs(before, [{ job, outcome, atMs: nowMs }], policy, present ?? undefined, nowMs);
}

describe('settleJobs', () => {
  it('remembers a launched node that EC2 does not list yet, and lets the slot rest', () => {
    const { memory } = settle(LAUNCH, { is: 'done', output: { instanceId: 'i-9' } });
    expect(memory.launched['i-9']?.fact).toMatchObject({ slot: 'ctx2', incarnation: 2, state: 'pending' });
    expect(memory.incarnations.ctx2).toBe(2);
    expect(memory.cooldownUntilMs.ctx2).toBe(NOW_MS + 60_000);
    expect(memory.inFlight).toEqual({});
  });

  it('gives a launched node up that EC2 never lists', () => {
    const { memory } = settle(LAUNCH, { is: 'done', output: { instanceId: 'i-9' } });
    expect(settleJobs(memory, [], policy, new Set(), NOW_MS + UNSEEN_MAX_MS).memory.launched).toEqual({});
  });

  it('forgets nothing while EC2 can not be read', () => {
    const { memory } = settle(RESTART, { is: 'running' }, { health: { 'i-7': aHealth() }, applied: { 'i-7': 'v' } }, NOW_MS, null);
    expect(memory.applied).toEqual({ 'i-7': 'v' });
    expect(Object.keys(memory.health)).toEqual(['i-7']);
  });

  it('remembers that a terminated node is gone, whatever EC2 still shows', () => {
    expect(settle(TERMINATE, { is: 'done' }).memory.terminated).toEqual({ 'i-1': NOW_MS });
  });

  it('avoids a zone that was full', () => {
    const { memory, settled } = settle(LAUNCH, { is: 'failed', reason: 'noCapacity: none left', zoneFull: 'a' });
    expect(memory.zoneFullUntilMs.a).toBeGreaterThan(NOW_MS);
    expect(settled).toMatchObject([{ event: 'failed', text: 'noCapacity: none left' }]);
  });

  it('counts every try, and failures in a row', () => {
    const first = settle(LAUNCH, { is: 'failed', reason: 'x' }).memory;
    expect(first.attempts['launch/ctx2']).toMatchObject({ count: 1, failures: 1 });
    const second = settle(LAUNCH, { is: 'done' }, first).memory;
    expect(second.attempts['launch/ctx2']).toMatchObject({ count: 2, failures: 0 });
  });

  it('gives a restarted process its time to come back', () => {
    const { memory } = settle(RESTART, { is: 'done' }, { health: { 'i-1': aHealth('dead', 'process') } });
    expect(memory.health['i-1']).toMatchObject({ health: 'suspect', bad: 0, good: 0 });
  });

  it('keeps waiting for a job under way, and calls one lost that nobody took', () => {
    expect(settle(RESTART, { is: 'running' }).settled).toEqual([]);
    expect(settle(RESTART, { is: 'unclaimed' }).settled).toEqual([]);
    expect(settle(RESTART, { is: 'unclaimed' }, {}, NOW_MS + UNCLAIMED_MAX_MS + 1).settled).toMatchObject([{ event: 'failed' }]);
  });

  it('leaves the memory it was given as it was', () => {
    const before: Memory = { ...EMPTY_MEMORY, inFlight: { [RESTART.jobKey]: { job: RESTART, plannedAtMs: NOW_MS } } };
    const copy = structuredClone(before);
    settleJobs(before, [{ job: RESTART, outcome: { is: 'done' }, atMs: NOW_MS }], policy, new Set(), NOW_MS);
    expect(before).toEqual(copy);
  });
});
