/** Runs one bench in the lab: brings the lab up where none runs and takes it down again, whatever happens; leaves one that ran before. */
import { bringDown, bringUp, onSignal, runningLab } from '../lab';
import type { BenchResult, LabBench } from './bench';

export interface RunOptions {
  runs: number;
  json: boolean;
  /** Hears progress. */
  say: (line: string) => void;
  /** Hears the result. */
  print: (line: string) => void;
}

/** Answers whether all went as it must; a figure above its goal does not count against it. */
export async function runBench(bench: LabBench, { runs, json, say, print }: RunOptions): Promise<boolean> {
  const ranBefore = (await runningLab()) !== null;
  const startMs = Date.now();
  const saySince = (line: string): void => say(`${((Date.now() - startMs) / 1000).toFixed(1).padStart(6)} s  ${line}`);
  const clearing: (() => Promise<void>)[] = [];
  const cleanUp = async (): Promise<void> => {
    if (ranBefore) for (const clearAway of clearing.splice(0)) await clearAway();
    else await bringDown(saySince, { caches: false });
  };
  let result: BenchResult;
  try {
    const lab = await bringUp(saySince);
    result = await onSignal(saySince, cleanUp, () =>
      bench.measure({ lab, runs, say: saySince, atEnd: (clearAway) => void clearing.push(clearAway) }),
    );
  } finally {
    await cleanUp();
  }
  print(result.text);
  if (json) print(JSON.stringify(result.summary));
  return result.isGood;
}
