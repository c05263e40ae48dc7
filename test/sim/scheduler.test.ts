import { describe, expect, it } from '@jest/globals';
import { Scheduler } from '../../sim/scheduler';
import { World } from '../../sim/world';
import { aWorldWith } from './a-city';

async function journalOfSeed(seed: number): Promise<string> {
  const world = new World({ seed });
  world.faults.crashShare = 0.002;
  world.faults.throttleShare = 0.005;
  world.faults.duplicateShare = 0.1;
  world.send('provision', { kind: 'createCluster', cluster: 'city' });
  await world.pass(200);
  const holder = [...world.cloud.addresses.values()].find((address) => address.holder)?.holder;
  if (holder) world.cloud.terminate(holder, false);
  await world.pass(200);
  return world.state.journal.map((entry) => JSON.stringify(entry)).join('\n');
}

describe('virtual time', () => {
  it('runs events by their time, those of one moment in the order they were made', async () => {
    const scheduler = new Scheduler(0);
    const seen: string[] = [];
    for (const [delayMs, name] of [
      [30, 'c'],
      [10, 'a1'],
      [20, 'b'],
      [10, 'a2'],
    ] as const)
      scheduler.after(delayMs, () => seen.push(`${name}@${scheduler.nowMs}`));
    await scheduler.runUntil(100);
    expect(seen).toEqual(['a1@10', 'a2@10', 'b@20', 'c@30']);
    expect(scheduler.nowMs).toBe(100);
  });

  it('keeps hundreds of events in order, whatever order they came in', async () => {
    const scheduler = new Scheduler(0);
    const seen: number[] = [];
    for (let i = 0; i < 500; i++) scheduler.after((i * 7919) % 503, () => seen.push(scheduler.nowMs));
    await scheduler.runUntil(1_000);
    expect(seen).toHaveLength(500);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it('moves on only when all that a sleeper does after waking is done', async () => {
    const scheduler = new Scheduler(0);
    const seen: string[] = [];
    const work = async (name: string, pauseMs: number): Promise<void> => {
      for (let round = 1; round <= 2; round++) {
        await scheduler.sleep(pauseMs);
        await Promise.resolve().then(() => Promise.resolve());
        seen.push(`${name}${round}@${scheduler.nowMs}`);
      }
    };
    scheduler.spawn(0, () => work('slow', 15));
    scheduler.spawn(0, () => work('fast', 10));
    await scheduler.runUntil(100);
    expect(seen).toEqual(['fast1@10', 'slow1@15', 'fast2@20', 'slow2@30']);
  });

  it('stops when told that it is enough, and leaves the rest for later', async () => {
    const scheduler = new Scheduler(0);
    let count = 0;
    for (let i = 1; i <= 5; i++) scheduler.after(i * 10, () => count++);
    expect(await scheduler.runUntil(100, () => count === 2)).toBe(true);
    expect([scheduler.nowMs, count]).toEqual([20, 2]);
    expect(await scheduler.runUntil(100, () => count === 9)).toBe(false);
    expect([scheduler.nowMs, count]).toEqual([100, 5]);
  });
});

describe('a seed', () => {
  it('gives the same journal each time, with crashes, throttling and doubled messages', async () => {
    const [first, second, other] = [await journalOfSeed(11), await journalOfSeed(11), await journalOfSeed(12)];
    expect(first.split('\n').length).toBeGreaterThan(20);
    expect(second).toBe(first);
    expect(other).not.toBe(first);
  });
});

describe('simulated time', () => {
  it('passes at least a hundred times as fast as real time for a cluster of seven nodes', async () => {
    const world = await aWorldWith(['city'], { seed: 1 });
    const startedMs = performance.now();
    await world.pass(600);
    // The goal is 1000 on an idle machine; the test leaves room for a busy one.
    expect(600 / ((performance.now() - startedMs) / 1000)).toBeGreaterThan(100);
  });
});
