/** What a running lab consists of, kept in `.lab/state.json`, so that another command can look at it or take it down. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { LAB_DIR, LAB_PATH } from './paths';
import type { Background } from './run-command';

export interface LabState {
  /** Present when the lab started it. */
  dockerd?: Background;
  emulator?: Background;
  /** Stands before the emulator, at `endpoint`. */
  guard?: Background;
  keeper?: Background;
  /** Where the emulator is found, through the guard, by this machine and by the containers. */
  endpoint?: string;
  /** Image id of the nodes, by role. */
  images?: Record<string, string>;
  /** What stands for the broker, the database and the other roles, in words. */
  standIns?: StandIns;
  outputs?: Record<string, string>;
  removedFromTemplate?: string[];
}

export interface StandIns {
  broker: string;
  mongo: string;
  /** Other roles, by title. */
  enablers: Record<string, string>;
}

export function readState(): LabState {
  try {
    return JSON.parse(readFileSync(LAB_PATH.state, 'utf8')) as LabState;
  } catch {
    return {};
  }
}

/** Adds to what is known of the lab. */
export function noteState(part: LabState): LabState {
  const state = { ...readState(), ...part };
  mkdirSync(LAB_DIR, { recursive: true });
  writeFileSync(`${LAB_PATH.state}.new`, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(`${LAB_PATH.state}.new`, LAB_PATH.state);
  return state;
}

export function forgetState(): void {
  rmSync(LAB_PATH.state, { force: true });
}
