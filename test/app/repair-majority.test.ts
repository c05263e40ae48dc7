import { describe, expect, it } from '@jest/globals';
import { runHealthCheck, runProvision } from '../../lambdas/app/dispatch';
import { decodeMessage, type PlannedJob } from '../../lambdas/core/jobs';
import { aMemoryWorld, contextOver, type MemoryWorld } from '../memory-ports';

const REPAIR = { kind: 'repairMajority', cluster: 'city', confirm: 'city' } as const;

/** Sends a request, and delivers what the provision worker hands over. */
async function ask(w: MemoryWorld, job: Parameters<typeof runProvision>[1], messageId: string): Promise<string | undefined> {
  await runProvision(contextOver(w), job, messageId);
  for (const { queue, body } of w.sent.splice(0)) {
    const handed = decodeMessage('health-check', JSON.stringify(body));
    if (queue === 'health-check' && handed.ok && handed.value.kind === 'repairMajority') await runHealthCheck(contextOver(w), handed.value);
  }
  return w.journal.filter(({ topic }) => topic === 'request').at(-1)?.text;
}

/** A city with a job in flight. */
async function aCityWith(...jobs: PlannedJob[]): Promise<MemoryWorld> {
  const w = aMemoryWorld();
  await ask(w, { kind: 'createCluster', cluster: 'city' }, 'm-1');
  const row = w.rows.get('city');
  if (!row) throw new Error('the row is missing');
  const inFlight = Object.fromEntries(jobs.map((job) => [job.jobKey, { job, plannedAtMs: w.nowMs }]));
  w.rows.set('city', { ...row, memory: { ...row.memory, inFlight } });
  return w;
}

const planned = { cluster: 'city', jobKey: 'city@0/x#0', reason: 'as tests have it', instanceId: 'i-1', replicaSet: 'orion_rs' };

describe('repairMajority', () => {
  it('is handed, under one key, to the worker that can reach members and send what is planned', async () => {
    const w = aMemoryWorld();
    await runProvision(contextOver(w), REPAIR, 'm-2');
    await runProvision(contextOver(w), { ...REPAIR, jobKey: 'cli-1' }, 'm-3');
    expect(w.sent).toEqual([
      { queue: 'health-check', body: { ...REPAIR, jobKey: 'm-2' }, delayS: 0 },
      { queue: 'health-check', body: { ...REPAIR, jobKey: 'cli-1' }, delayS: 0 },
    ]);
  });

  it('is refused while no member answers: nobody is left to go on with', async () => {
    const w = await aCityWith();
    expect(await ask(w, REPAIR, 'm-2')).toContain('no member of the replica set answers');
    expect(w.commands).toEqual([]);
  });

  it('waits for a disruption under way', async () => {
    const expectConfig = { setVersion: 1, voters: [], nonVoters: [] };
    const w = await aCityWith({ kind: 'stepDownPrimary', ...planned, expect: expectConfig });
    expect(await ask(w, REPAIR, 'm-2')).toContain('stepDownPrimary is in flight (as tests have it): repeat once it has ended');
  });

  it('is so already while the same repair is under way', async () => {
    const w = await aCityWith({ kind: 'forceReplicaSet', ...planned, survivors: ['10.0.0.1:27017'], expect: { setVersion: 1 } });
    expect(await ask(w, REPAIR, 'm-2')).toContain('it is so already');
  });

  it('of a cluster nobody knows is refused', async () => {
    expect(await ask(aMemoryWorld(), REPAIR, 'm-2')).toContain('no cluster is called "city"');
  });
});
