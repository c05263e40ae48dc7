/** Shrinks a failing plan: fewer fault events that still break the same thing (ddmin of Zeller and Hildebrandt), within a bound of runs. */
import type { FaultEvent, SwarmPlan } from './swarm-plan';

function without(events: readonly FaultEvent[], chunk: number, size: number): FaultEvent[] {
  return events.filter((_, i) => i < chunk * size || i >= (chunk + 1) * size);
}

/** The smallest plan found; `stillFails` runs one. Each event alone was tried, as far as `runsMax` runs allow. */
export async function shrink(
  plan: SwarmPlan,
  stillFails: (smaller: SwarmPlan) => Promise<boolean>,
  runsMax: number,
): Promise<{ plan: SwarmPlan; runs: number }> {
  let { events } = plan;
  let runs = 0;
  for (let chunks = 2; events.length > 0 && runs < runsMax; ) {
    const size = Math.ceil(events.length / chunks);
    let smaller: FaultEvent[] | undefined;
    for (let chunk = 0; chunk * size < events.length && runs < runsMax && !smaller; chunk++) {
      const rest = without(events, chunk, size);
      runs++;
      if (await stillFails({ ...plan, events: rest })) smaller = rest;
    }
    if (smaller) {
      events = smaller;
      chunks = Math.max(2, chunks - 1);
    } else if (size === 1) break;
    else chunks = Math.min(events.length, chunks * 2);
  }
  return { plan: { ...plan, events }, runs };
}
