/** What one run of the swarm does, as data: a cluster, a deployment and timed faults, so that it can be printed, shrunk and replayed. Does nothing by itself. */
import type { Role } from '../../lambdas/core/names';
import type { SpecInput } from '../../lambdas/core/spec';
import type { Api } from '../faults';
import type { Side } from '../network';

/** Stands for every zone where a fault names one. */
export const ALL_ZONES = 'all';

/** A node chosen when the fault strikes: the holder of the address, the primary, or `pick` (0 to 1) of those of a role that run. */
export interface Victim {
  role: Role;
  pick: number;
  lead?: true;
}

/** A side of a cut; `victim` is looked up when the cut begins. */
export type CutSide = Side | { victim: Victim };

/** What a fault does. Shares are of messages, calls or answers; times are seconds. */
export type Fault =
  | { kind: 'doubles'; share: number; atOnce: boolean }
  | { kind: 'delays'; share: number; maxS: number }
  | { kind: 'lostTicks' | 'crashes' | 'conflicts' | 'lostAnswers' | 'partialAnswers' | 'throttling' | 'falseAlarms'; share: number }
  | { kind: 'lateReads'; unseenS: number; staleS: number }
  | { kind: 'clockSkew'; maxS: number }
  | { kind: 'noCapacity' | 'zoneLost'; zone: string }
  | { kind: 'apiDown'; api: Api }
  | { kind: 'allApisDown' }
  | { kind: 'cut'; from: CutSide; to: CutSide; bothWays: boolean }
  | { kind: 'flapping'; everyS: number }
  | { kind: 'neverSyncs' }
  | { kind: 'terminated' | 'diskFull'; victim: Victim }
  /** `forGood`: it stays so when faults stop, and has to be repaired. */
  | { kind: 'processDies' | 'hangs'; victim: Victim; forGood: boolean }
  | { kind: 'reboots'; victim: Victim }
  /** Its driver gives the database up for good. */
  | { kind: 'losesDatabase'; victim: Victim }
  | { kind: 'slow'; victim: Victim; byMs: number }
  | { kind: 'personTerminates'; victim: Victim }
  /** `twice`: the request comes two times. `back`: its author thinks better of it when the time is over. */
  | { kind: 'personScales'; role: Role; count: number; twice: boolean; back: boolean }
  | { kind: 'personEdits'; edit: 'policy' | 'version' | 'advert' | 'mode' | 'enablers' }
  | { kind: 'personBreaksSpec' }
  | { kind: 'personSends'; body: 'junk' | 'unknownCluster' | 'unconfirmedDelete' | 'repairMajority' | 'claimOfStranger' };

/** A fault that begins `atS` after the beginning and, where it lasts, ends `forS` later. */
export type FaultEvent = { atS: number; forS: number } & Fault;

export interface SwarmPlan {
  seed: number;
  spec: SpecInput;
  /** A second cluster that nobody harms on purpose. */
  neighbour: boolean;
  settings: { tickEveryS: number; terminationsPer10Min: number; claims: boolean };
  /** Faults stop then, seconds; what is left must be repaired. */
  calmAtS: number;
  events: FaultEvent[];
  /** When the majority was lost for good and the control plane said so, a person lets the survivors go on. */
  personRepairs: boolean;
  /** Once all is well, or has stopped, the cluster is deleted and must leave nothing. */
  deletes: boolean;
}
