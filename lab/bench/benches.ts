/** The benches of the lab, by name. Runs none of them. */
import { LabError } from '../lab-error';
import type { LabBench } from './bench';
import { brokersBench } from './brokers';
import { failoverBench } from './failover';
import { mongoBench } from './mongo';

export const BENCHES: readonly LabBench[] = [brokersBench, failoverBench, mongoBench];

export const RUNS_MAX = 50;

/** @throws LabError that lists the names there are */
export function benchNamed(name: string): LabBench {
  const bench = BENCHES.find((known) => known.name === name);
  if (!bench) throw new LabError(`NAME: expected one of ${BENCHES.map((known) => known.name).join(', ')}; got ${JSON.stringify(name)}`);
  return bench;
}

/** @throws LabError for what is no number of runs */
export function parseRuns(text: string): number {
  const runs = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (runs < 1 || runs > RUNS_MAX) throw new LabError(`--runs: expected a whole number from 1 to ${RUNS_MAX}; got ${JSON.stringify(text)}`);
  return runs;
}
