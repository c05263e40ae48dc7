/** A member's durable state as one JSON file, replaced as a whole. Survives the death of the process; does not sync to the disk. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DurableState } from '../../sim/replica-set/contract';
import { OptionError } from './options';

const FORMAT = 1;

export class Disk {
  private readonly file: string;

  constructor(dataDir: string) {
    mkdirSync(dataDir, { recursive: true });
    this.file = join(dataDir, 'stand-in-state.json');
  }

  /** What was saved last; undefined where nothing was. @throws OptionError for a file that is not ours. */
  load(): DurableState | undefined {
    if (!existsSync(this.file)) return undefined;
    try {
      const { format, durable } = JSON.parse(readFileSync(this.file, 'utf8')) as { format: number; durable: DurableState };
      if (format === FORMAT && durable) return durable;
    } catch {
      // Said below, the same for broken and for foreign files.
    }
    throw new OptionError(
      `--data-dir: ${this.file} is not a state of this stand-in (format ${FORMAT}); it is left as it is, name another folder`,
    );
  }

  save(durable: DurableState): void {
    const next = `${this.file}.next`;
    writeFileSync(next, JSON.stringify({ format: FORMAT, durable }));
    renameSync(next, this.file);
  }
}
