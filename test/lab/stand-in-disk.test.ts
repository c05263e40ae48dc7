import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Disk } from '../../lab/replica-set-stand-in/disk';
import type { DurableState, OplogEntry } from '../../sim/replica-set/contract';
import { emptyState, Oplog } from '../../sim/replica-set/oplog';

const ENTRIES_MAX = 8;

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ is: fc.constant('put' as const), id: fc.integer({ min: 0, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('remove' as const), id: fc.integer({ min: 0, max: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('commit' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('undo' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('copy' as const) }) },
  { weight: 5, arbitrary: fc.record({ is: fc.constant('save' as const) }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Does one thing to a member's log; `term` rises with each, so that entries of one index differ. */
function take(log: Oplog, one: Exclude<Step, { is: 'save' }>, term: number): void {
  const { last, durable } = log;
  if (one.is === 'commit' || one.is === 'undo') {
    const index = durable.commit.index + Math.round((last.index - durable.commit.index) * one.share);
    if (one.is === 'undo') log.rollBackTo(index);
    else log.commitTo(log.optimeAt(index) ?? durable.commit);
  } else if (one.is === 'copy') log.replaceAll(structuredClone(log.committedCopy()));
  else {
    const id = String(one.id);
    const change = one.is === 'put' ? { op: 'put' as const, ns: 'a.b', id, doc: { term } } : { op: 'remove' as const, ns: 'a.b', id };
    log.append({ term, index: last.index + 1, atMs: term, changes: [change] } as OplogEntry);
  }
}

/** A collection without documents is as good as none. */
function comparable(durable: DurableState | undefined): DurableState | undefined {
  if (!durable) return undefined;
  const data = Object.fromEntries(Object.entries(durable.data).filter(([, documents]) => Object.keys(documents).length > 0));
  return structuredClone({ ...durable, data });
}

describe('the disk of a stand-in', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'stand-in-disk-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('gives back what was saved last, whatever was written, undone, dropped and copied in between', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        rmSync(folder, { recursive: true, force: true });
        const disk = new Disk(folder);
        const log = new Oplog(emptyState(), ENTRIES_MAX, () => undefined);
        let expected: DurableState | undefined;
        for (const [i, one] of steps.entries()) {
          if (one.is !== 'save') {
            take(log, one, i + 1);
            log.durable.term = i;
            continue;
          }
          disk.save(log.durable);
          expected = comparable(log.durable);
        }
        expect(comparable(new Disk(folder).load())).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('goes on where another process ended', () => {
    for (let round = 1; round <= 3; round++) {
      const disk = new Disk(folder);
      const log = new Oplog(disk.load() ?? emptyState(), ENTRIES_MAX, () => undefined);
      for (let i = 0; i < 3; i++) {
        take(log, { is: 'put', id: round * 10 + i }, round);
        disk.save(log.durable);
      }
    }
    expect(Object.keys(new Disk(folder).load()?.data['a.b'] ?? {})).toHaveLength(9);
  });

  it('leaves out a line that the end of the process cut off', () => {
    const disk = new Disk(folder);
    const log = new Oplog(emptyState(), ENTRIES_MAX, () => undefined);
    for (const id of [1, 2, 3]) {
      take(log, { is: 'put', id }, 1);
      disk.save(log.durable);
    }
    const journal = join(folder, 'stand-in-journal-1.jsonl');
    writeFileSync(journal, readFileSync(journal, 'utf8').slice(0, -10));
    expect(Object.keys(new Disk(folder).load()?.data['a.b'] ?? {})).toEqual(['1', '2']);
  });
});
