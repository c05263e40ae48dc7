/** Runs one bench in the lab: brings the lab up where none runs and takes it down again, whatever happens; leaves one that ran before. */
import { bringDown, bringUp, onSignal, runningLab } from '../lab';
import { messageOf } from '../lab-error';
import type { BenchResult, LabBench } from './bench';
import { writePictures } from './picture';

export interface RunOptions {
  runs: number;
  json: boolean;
  /** Folder the pictures are written to; none where absent. */
  figures?: string;
  /** Hears progress. */
  say: (line: string) => void;
  /** Hears the result. */
  print: (line: string) => void;
}

/** Answers whether all went as it must; a figure above its goal does not count against it. */
export async function runBench(bench: LabBench, { runs, json, figures, say, print }: RunOptions): Promise<boolean> {
  const ranBefore = (await runningLab()) !== null;
  const startMs = Date.now();
  const saySince = (line: string): void => say(`${((Date.now() - startMs) / 1000).toFixed(1).padStart(6)} s  ${line}`);
  const clearing: (() => Promise<void>)[] = [];
  const cleanUp = async (): Promise<void> => {
    if (ranBefore) for (const clearAway of clearing.splice(0)) await clearAway();
    else await bringDown(saySince, { caches: false });
  };
  /** What was measured is said even where something of the bench could not be removed. */
  const isCleanAfter = async (): Promise<boolean> => {
    try {
      await cleanUp();
      return true;
    } catch (error) {
      saySince(`not everything could be removed: ${messageOf(error)}; take the lab down: npm run lab -- down`);
      return false;
    }
  };
  let result: BenchResult;
  let isClean = false;
  try {
    const lab = await bringUp(saySince);
    result = await onSignal(saySince, cleanUp, () =>
      bench.measure({ lab, runs, say: saySince, atEnd: (clearAway) => void clearing.push(clearAway) }),
    );
  } finally {
    isClean = await isCleanAfter();
  }
  print(result.text);
  if (figures !== undefined) for (const file of await writePictures(figures, result.pictures ?? [])) print(`Picture: ${file}`);
  if (json) print(JSON.stringify(result.summary));
  return result.isGood && isClean;
}
