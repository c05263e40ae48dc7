import { afterAll, describe, expect, it } from '@jest/globals';
import { chaosOf } from '../chaos/chaos';
import { scenariosNamed } from '../chaos/scenarios';
import { bringUp } from '../lab';

/** Short ones, each of another kind; `npm run lab -- chaos` plays all. */
const NAMES = ['holder-keepalived-killed', 'balancers-cut-from-brokers', 'jobs-a-day-late'];

describe('chaos in the lab', () => {
  const clearing: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const clearAway of clearing) await clearAway();
  });

  it('holds what it says of a process killed, a network cut and jobs that come a day late', async () => {
    const lab = await bringUp(() => undefined);
    const chaos = chaosOf(scenariosNamed(NAMES), false);
    const { text, summary } = await chaos.measure({ lab, runs: 1, say: () => undefined, atEnd: (work) => void clearing.push(work) });
    process.stderr.write(`\n${text}\n`);
    expect(summary).toEqual({ scenarios: NAMES.length, passed: NAMES.length, lostWrites: 0, lostJobs: 0 });
  });
});
