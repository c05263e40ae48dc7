/** What a bench of the lab is. Types only; measures nothing. */
import type { Lab } from '../lab';
import type { Picture } from './picture';

export interface BenchContext {
  lab: Lab;
  /** How often each measured fault is committed. */
  runs: number;
  /** Hears progress. */
  say: (line: string) => void;
  /** Removes what the bench makes in a lab that goes on running; called at the end, after a failure and after a signal. Idempotent. */
  atEnd: (clearAway: () => Promise<void>) => void;
}

export interface BenchResult {
  /** For people. */
  text: string;
  /** The documented last line of `--json`. */
  summary: object;
  /** Nothing happened that must never happen. A figure above its goal is none of that: it is measured, not tested. */
  isGood: boolean;
  /** The same figures to look at; drawn and written where the user asked for it. */
  pictures?: readonly Picture[];
}

export interface LabBench {
  name: string;
  /** One sentence: what is done and measured. */
  about: string;
  /** Lines of help: what the figures and the last line of `--json` mean. */
  help: string;
  runsDefault: number;
  measure: (context: BenchContext) => Promise<BenchResult>;
}
