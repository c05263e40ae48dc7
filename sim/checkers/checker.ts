/** What a checker is: it stands outside the system, sees what the cloud sees, and knows nothing of rows, plans or health. */
import type { SimWorld } from '../sim-world';

export interface Violation {
  atMs: number;
  checker: string;
  text: string;
}

export type Report = (checker: string, text: string) => void;

/** Watches a world; reports through `report`, at once or when asked at the end. */
export interface Checker {
  name: string;
  /** Called once a virtual second. */
  look?(): void;
  /** Called when the run is over. */
  end?(): void;
}

export type MakeChecker = (world: SimWorld, report: Report) => Checker;
