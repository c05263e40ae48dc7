/** What commands are called with: where they print, how they reach the control plane, how they pause. Types only. */
import type { Ports } from '../../lambdas/app/ports';

/** The part of the ports an operator needs: reads state, enqueues requests, touches nothing else. */
export type OperatorPorts = Pick<Ports, 'specs' | 'rows' | 'journal' | 'queues' | 'clock'>;

export interface CliContext {
  /** Prints one line for the reader (stdout). */
  out(line: string): void;
  /** Prints one line about what went wrong (stderr). */
  err(line: string): void;
  /** Opens the control plane of this account and region; called only once a command's input is known to be good. */
  connect(): Promise<OperatorPorts>;
  sleep(ms: number): Promise<void>;
  /** Text of a file, or of standard input for `-`. @throws where it can't be read */
  readText(file: string): string;
  /** Text of the file at a path; undefined where there is none. @throws where it can't be read */
  textAt(path: string): string | undefined;
  /** Writes a file, its folders as well. @throws where that can't be done */
  writeText(path: string, text: string, executable: boolean): void;
  /** A key no other request has. */
  newJobKey(): string;
}

/** Options every command has. */
export interface CommonOptions {
  json?: boolean;
}
