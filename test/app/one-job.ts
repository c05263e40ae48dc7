/** A city whose row has one planned job under way, for tests of what executing it does. */
import { runProvision } from '../../lambdas/app/dispatch';
import type { JobOf, PlannedJob } from '../../lambdas/core/jobs';
import { EMPTY_MEMORY, type Phase } from '../../lambdas/core/memory';
import { anInstance, aSpec } from '../builders';
import { aMemoryWorld, contextOver, type MemoryWorld } from '../memory-ports';

export const instances = ['lb1', 'lb2', 'ctx1', 'ctx2'].map((slot) => anInstance(slot));
export const address = { allocationId: 'eipalloc-1', cluster: 'city', name: 'entry1', publicIp: '203.0.113.1', holder: 'i-1011' };
export const common = { cluster: 'city', reason: 'a test' };
export const TERMINATE: JobOf<'terminateNode'> = {
  kind: 'terminateNode',
  ...common,
  jobKey: 'city@1/terminate#0',
  role: 'orion',
  slot: 'ctx2',
  instanceId: 'i-2021',
  expect: { holdsAddress: false },
};

export function aCity(change: Partial<MemoryWorld> = {}, phase: Phase = 'active'): MemoryWorld {
  const row = { cluster: 'city', version: 1, phase, spec: aSpec(), memory: EMPTY_MEMORY, status: null };
  return aMemoryWorld({ cloud: { instances, addresses: [address] }, rows: new Map([['city', row]]), ...change });
}

/** The row as it is while the job is under way. */
export function plan(w: MemoryWorld, job: PlannedJob): void {
  const row = w.rows.get('city');
  if (row) w.rows.set('city', { ...row, memory: { ...row.memory, inFlight: { [job.jobKey]: { job, plannedAtMs: w.nowMs } } } });
}

export async function provision(w: MemoryWorld, job: PlannedJob) {
  plan(w, job);
  if (job.kind !== 'moveAddress') await runProvision(contextOver(w), job, 'm-1');
  return w.claims.get(job.jobKey);
}
