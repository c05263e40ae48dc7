import { describe, expect, it } from '@jest/globals';
import { drawPlan } from '../../sim/swarm/draw';
import { failureOf } from '../../sim/swarm/report';
import { runPlan } from '../../sim/swarm/run-plan';
import { shrink } from '../../sim/swarm/shrink';
import type { FaultEvent, SwarmPlan } from '../../sim/swarm/swarm-plan';

const SEEDS = 12;
const WITHIN_MS = 240_000;

function aPlan(events: FaultEvent[]): SwarmPlan {
  return { ...drawPlan(1), events };
}

function tickLost(atS: number): FaultEvent {
  return { atS, forS: 10, kind: 'lostTicks', share: 1 };
}

describe('the swarm', () => {
  it(
    'converges without a violation, whatever the first seeds draw',
    async () => {
      const failures: string[] = [];
      for (let seed = 1; seed <= SEEDS; seed++) {
        const failure = failureOf(await runPlan(drawPlan(seed)));
        if (failure) failures.push(`seed ${seed}: ${failure}`);
      }
      expect(failures).toEqual([]);
    },
    WITHIN_MS,
  );

  it(
    'runs the same for the same seed, to the byte of its journal, and not for another',
    async () => {
      const first = await runPlan(drawPlan(3));
      expect(JSON.stringify(await runPlan(drawPlan(3)))).toBe(JSON.stringify(first));
      expect(first.journal.length).toBeGreaterThan(20);
      expect(JSON.stringify((await runPlan(drawPlan(4))).journal)).not.toBe(JSON.stringify(first.journal));
    },
    WITHIN_MS,
  );

  it('draws every kind of fault within a few hundred seeds, each within its run', () => {
    const plans = Array.from({ length: 300 }, (_, i) => drawPlan(i + 1));
    const kinds = new Set(plans.flatMap(({ events }) => events.map(({ kind }) => kind)));
    expect(kinds.size).toBe(30);
    expect(plans.flatMap(({ events, calmAtS }) => events.filter(({ atS, forS }) => atS + forS > calmAtS))).toEqual([]);
  });
});

describe('shrinking', () => {
  it('leaves the events it takes, and no others', async () => {
    const plan = aPlan([1, 2, 3, 4, 5, 6, 7, 8].map(tickLost));
    const fails = async ({ events }: SwarmPlan) => events.some(({ atS }) => atS === 3) && events.some(({ atS }) => atS === 7);
    const shrunk = await shrink(plan, fails, 100);
    expect(shrunk.plan.events.map(({ atS }) => atS)).toEqual([3, 7]);
  });

  it('keeps to its bound of runs', async () => {
    let runs = 0;
    const stillFails = async () => ++runs < 0;
    await shrink(aPlan([1, 2, 3, 4, 5, 6, 7, 8].map(tickLost)), stillFails, 5);
    expect(runs).toBe(5);
  });
});
