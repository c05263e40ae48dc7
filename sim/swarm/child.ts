/** A process of the swarm: answers each seed its parent sends with how it ended. Chooses no seed and prints nothing. */
import { drawPlan } from './draw';
import type { Told } from './pool';
import { failureOf } from './report';
import { runPlan } from './run-plan';

async function tell(seed: number): Promise<Told> {
  const outcome = await runPlan(drawPlan(seed));
  const failure = failureOf(outcome);
  const { end, virtualS, violations } = outcome;
  return { seed, end, virtualS, violations: violations.length, ...(failure ? { failure } : {}) };
}

// Ctrl-C reaches the whole group; the parent lets the seeds under way end and then closes the channel, which ends this process.
process.on('SIGINT', () => undefined);
process.on('message', (seed: number) => {
  void tell(seed).then((told) => process.send?.(told));
});
