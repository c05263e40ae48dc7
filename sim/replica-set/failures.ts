/** Error replies with MongoDB's codes (error_codes.yml). Builds values, decides nothing. */
import type { Failure } from './contract';

export const ERROR_CODE = {
  BadValue: 2,
  AlreadyInitialized: 23,
  MaxTimeMSExpired: 50,
  CommandNotFound: 59,
  WriteConcernFailed: 64,
  CursorNotFound: 43,
  NodeNotFound: 74,
  InvalidReplicaSetConfig: 93,
  NotYetInitialized: 94,
  NewReplicaSetConfigurationIncompatible: 103,
  NodeNotElectable: 104,
  ConfigurationInProgress: 109,
  CannotInitializeNodeWithData: 110,
  ConflictingOperationInProgress: 117,
  PrimarySteppedDown: 189,
  ExceededTimeLimit: 262,
  CurrentConfigNotCommittedYet: 308,
  NotWritablePrimary: 10107,
  DuplicateKey: 11000,
  InterruptedAtShutdown: 11600,
  InterruptedDueToReplStateChange: 11602,
  NotPrimaryNoSecondaryOk: 13435,
  NotPrimaryOrSecondary: 13436,
} as const;
export type ErrorCodeName = keyof typeof ERROR_CODE;

export function failure(codeName: ErrorCodeName, errmsg: string): Failure {
  return { ok: 0, code: ERROR_CODE[codeName], codeName, errmsg };
}
