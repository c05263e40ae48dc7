/**
 * A member's durable state: one JSON file, and beside it a journal of what changed since, so that a write costs the same however
 * many documents there are. Survives the death of the process; does not sync to the disk.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DurableState, OplogEntry } from '../../sim/replica-set/contract';
import { Oplog } from '../../sim/replica-set/oplog';
import { OptionError } from './options';

const FORMAT = 1;
/** A longer journal is folded into the file. */
const JOURNAL_BYTES_MAX = 4 * 1024 * 1024;

/** One save: all but log and documents as it was then, and how the log got there from the save before. */
interface JournalLine {
  rest: Omit<DurableState, 'oplog' | 'data'>;
  /** Entries after this index were undone. */
  keep: number;
  /** Entries that came then. */
  add: OplogEntry[];
}

function replay(durable: DurableState, { rest, keep, add }: JournalLine): void {
  const log = new Oplog(durable, Number.POSITIVE_INFINITY, () => undefined);
  if (keep < log.last.index && !log.rollBackTo(keep)) throw new Error(`the journal undoes entry ${keep + 1}, which was committed`);
  for (const entry of add) log.append(entry);
  const dropped = rest.oplogStart.index - durable.oplogStart.index;
  durable.oplog.splice(0, dropped);
  Object.assign(durable, rest);
}

export class Disk {
  private readonly file: string;
  /** Which journal belongs to the file: one of another number is older than the file. */
  private serial = 0;
  private journalBytes = 0;
  private saved = new WeakSet<OplogEntry>();
  private savedData: DurableState['data'] | undefined;

  constructor(private readonly dataDir: string) {
    mkdirSync(dataDir, { recursive: true });
    this.file = join(dataDir, 'stand-in-state.json');
  }

  /** What was saved last; undefined where nothing was. @throws OptionError for a file that is not ours. */
  load(): DurableState | undefined {
    if (!existsSync(this.file)) return undefined;
    try {
      const { format, serial = 0, durable } = JSON.parse(readFileSync(this.file, 'utf8')) as Record<string, unknown>;
      if (format === FORMAT && durable) {
        this.serial = Number(serial);
        for (const line of this.journal()) replay(durable as DurableState, line);
        return durable as DurableState;
      }
    } catch {
      // Said below, the same for broken and for foreign files.
    }
    throw new OptionError(
      `--data-dir: ${this.file} is not a state of this stand-in (format ${FORMAT}); it is left as it is, name another folder`,
    );
  }

  save(durable: DurableState): void {
    // A copy from another member replaces all documents at once; there is nothing to add to then.
    if (durable.data !== this.savedData || this.journalBytes > JOURNAL_BYTES_MAX) this.saveAll(durable);
    else this.append(durable);
  }

  private saveAll(durable: DurableState): void {
    const next = `${this.file}.next`;
    const before = this.journalFile();
    this.serial += 1;
    writeFileSync(next, JSON.stringify({ format: FORMAT, serial: this.serial, durable }));
    renameSync(next, this.file);
    rmSync(before, { force: true });
    this.journalBytes = 0;
    this.savedData = durable.data;
    this.saved = new WeakSet(durable.oplog);
  }

  private append({ oplog, data: _, ...rest }: DurableState): void {
    let from = oplog.length;
    for (let entry = oplog[from - 1]; entry && !this.saved.has(entry); entry = oplog[from - 1]) from -= 1;
    const add = oplog.slice(from);
    const keep = oplog[from - 1]?.index ?? rest.oplogStart.index;
    const line = `${JSON.stringify({ rest, keep, add } satisfies JournalLine)}\n`;
    appendFileSync(this.journalFile(), line);
    this.journalBytes += line.length;
    for (const entry of add) this.saved.add(entry);
  }

  private journalFile(): string {
    return join(this.dataDir, `stand-in-journal-${this.serial}.jsonl`);
  }

  /** The lines of the file's journal. One that was cut off by the end of the process was never spoken of, and is left out. */
  private journal(): JournalLine[] {
    if (!existsSync(this.journalFile())) return [];
    const whole = readFileSync(this.journalFile(), 'utf8').split('\n').slice(0, -1);
    return whole.map((line) => JSON.parse(line) as JournalLine);
  }
}
