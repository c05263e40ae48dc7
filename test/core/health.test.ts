import { describe, expect, it } from '@jest/globals';
import type { NodeProbe, Outcome } from '../../lambdas/core/facts';
import { foldHealth, isSeenDead } from '../../lambdas/core/health';
import type { NodeHealth } from '../../lambdas/core/memory';
import { anInstance, aSpec, NOW_MS } from '../builders';

const { policy } = aSpec();
const OK: Outcome = { is: 'ok', latencyMs: 3 };
const REFUSED: Outcome = { is: 'failed', detail: 'connection refused' };
const BLIND: Outcome = { is: 'unknown', detail: 'no route' };

function broker(process: Outcome, database: Outcome = OK): NodeProbe {
  return { role: 'orion', atMs: NOW_MS, process, database };
}

/** Folds probes ten seconds apart onto a node that starts healthy. */
function fold(probes: NodeProbe[], stepMs = 10_000): NodeHealth {
  let health = foldHealth(undefined, anInstance('ctx1'), broker(OK), policy, NOW_MS);
  probes.forEach((probe, i) => {
    health = foldHealth(health, anInstance('ctx1'), probe, policy, NOW_MS + (i + 1) * stepMs);
  });
  return health;
}

describe('foldHealth', () => {
  it('calls a node healthy at its first good answer', () => {
    expect(fold([]).health).toBe('healthy');
  });

  it('suspects after one bad probe and calls dead after three that span the time', () => {
    expect(fold([broker(REFUSED)]).health).toBe('suspect');
    expect(fold([broker(REFUSED), broker(REFUSED)]).health).toBe('suspect');
    expect(fold([broker(REFUSED), broker(REFUSED), broker(REFUSED)])).toMatchObject({ health: 'dead', sickness: 'process' });
  });

  it('does not call dead what was bad for a moment only, however often it was asked', () => {
    expect(fold(Array(6).fill(broker(REFUSED)), 1_000).health).toBe('suspect');
  });

  it('never makes a node dead by probes that could not be made', () => {
    expect(fold(Array(20).fill(broker(BLIND))).health).toBe('unknown');
  });

  it('takes as many good probes to come back as the policy says', () => {
    const down = [broker(REFUSED), broker(REFUSED), broker(REFUSED)];
    expect(fold([...down, broker(OK)]).health).toBe('dead');
    expect(fold([...down, broker(OK), broker(OK)]).health).toBe('healthy');
  });

  it('acts on a death only while the last look saw it: not blindly, and not on a node that answers again', () => {
    const down = [broker(REFUSED), broker(REFUSED), broker(REFUSED)];
    const seen = (...probes: NodeProbe[]) => {
      const health = fold([...down, ...probes]);
      return [health.health, isSeenDead(health)];
    };
    expect(seen()).toEqual(['dead', true]);
    expect(seen(broker(BLIND))).toEqual(['dead', false]);
    expect(seen(broker(OK))).toEqual(['dead', false]);
    expect(seen(broker(BLIND), broker(REFUSED))).toEqual(['dead', true]);
    expect(isSeenDead(foldHealth(fold([]), anInstance('ctx1', { state: 'terminated' }), undefined, policy, NOW_MS))).toBe(true);
  });

  it('blames the database, not the broker', () => {
    expect(fold(Array(9).fill(broker(OK, { is: 'failed', detail: 'HTTP 500' })))).toMatchObject({
      health: 'healthy',
      sickness: 'database',
    });
  });

  it('sees overload without calling it death', () => {
    expect(fold(Array(9).fill(broker({ is: 'ok', latencyMs: 4_000 })))).toMatchObject({ health: 'healthy', sickness: 'overload' });
  });

  it('believes EC2 at once that an instance is gone', () => {
    const health = foldHealth(fold([]), anInstance('ctx1', { state: 'stopped' }), undefined, policy, NOW_MS);
    expect(health).toMatchObject({ health: 'dead', sickness: 'gone' });
  });

  it('gives a new node its grace, and calls it dead after', () => {
    const young = anInstance('ctx1', { launchedAtMs: NOW_MS - 299_000 });
    expect(foldHealth(undefined, young, broker(REFUSED), policy, NOW_MS).health).toBe('unknown');
    const old = anInstance('ctx1', { launchedAtMs: NOW_MS - 301_000 });
    expect(foldHealth(undefined, old, broker(REFUSED), policy, NOW_MS)).toMatchObject({ health: 'dead', sickness: 'boot' });
  });
});
