/** What a checker is: it stands outside the system, sees what the cloud sees, and knows nothing of rows, plans or health. */
import type { SimWorld } from '../sim-world';

export interface Violation {
  atMs: number;
  checker: string;
  text: string;
}

export type Report = (checker: string, text: string) => void;

/** How long a repair may take, and when nobody could have made one; asked at each look, so that they may change with the faults. */
export interface Bounds {
  /** Longer than detection, proof and move together may take, ms. */
  readonly addressOnDeadMs: number;
  /** How long two nodes of one slot and incarnation may live, ms. */
  readonly twinsMs: number;
  /** The control plane can not act at the moment: bounds begin anew once it can. */
  readonly isExcused: boolean;
  /** So many voters are gone for good that acknowledged writes may have gone with them. */
  readonly isDataForfeit: boolean;
}

/** For a world whose control plane is well: a bound of detection, two looks at both sides, and a move. */
export const CALM_BOUNDS: Bounds = { addressOnDeadMs: 120_000, twinsMs: 300_000, isExcused: false, isDataForfeit: false };

/** Watches a world; reports through `report`, at once or when asked at the end. */
export interface Checker {
  name: string;
  /** Called once a virtual second. */
  look?(): void;
  /** Called when the run is over. */
  end?(): void;
}

export type MakeChecker = (world: SimWorld, report: Report, bounds: Bounds) => Checker;
