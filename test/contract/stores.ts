/** Contracts of what is stored: rows, claims, leases, specs, budget, journal. The same cases for the simulation and for AWS. */
import { describe, expect, it } from '@jest/globals';
import type { JournalEntry } from '../../lambdas/app/ports';
import { type ClusterRow, EMPTY_MEMORY } from '../../lambdas/core/memory';
import { aSpec } from '../builders';
import { freshName, opened, type SubjectSource } from './subject';

const CONFLICT = { name: 'PortError', code: 'conflict' };
const MINUTE_MS = 60_000;

function aRow(cluster: string, version: number, change: Partial<ClusterRow> = {}): ClusterRow {
  return { cluster, version, phase: 'active', spec: aSpec({ name: cluster }), memory: EMPTY_MEMORY, status: null, ...change };
}

/** Rows: optimistic locking. */
export function describeRowStoreContract(source: SubjectSource): void {
  describe(`row store of ${source.name}`, () => {
    const subject = opened(source);
    const rows = () => subject().ports.rows;

    it('has nothing of an unknown cluster', async () => {
      expect(await rows().get(freshName())).toBeNull();
    });

    it('gives back what was put, word for word', async () => {
      const cluster = freshName();
      const memory = { ...EMPTY_MEMORY, bornAtMs: 7, incarnations: { ctx1: 3 }, brokerSeeds: ['10.0.0.1:27017'] };
      const row = aRow(cluster, 1, { phase: 'deleting', memory });
      await rows().put(row, 0);
      expect(await rows().get(cluster)).toEqual(row);
      expect(await rows().listClusters()).toContain(cluster);
    });

    it('takes a row only over the version it names', async () => {
      const cluster = freshName();
      await expect(rows().put(aRow(cluster, 2), 1)).rejects.toMatchObject(CONFLICT);
      await rows().put(aRow(cluster, 1), 0);
      await expect(rows().put(aRow(cluster, 1), 0)).rejects.toMatchObject(CONFLICT);
      await rows().put(aRow(cluster, 2, { phase: 'deleting' }), 1);
      await expect(rows().put(aRow(cluster, 2), 1)).rejects.toMatchObject(CONFLICT);
      expect(await rows().get(cluster)).toMatchObject({ version: 2, phase: 'deleting' });
    });

    it('lets one of many that write at once through', async () => {
      const cluster = freshName();
      await rows().put(aRow(cluster, 1), 0);
      const writes = await Promise.allSettled(Array.from({ length: 5 }, () => rows().put(aRow(cluster, 2), 1)));
      expect(writes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    it('forgets a deleted row; deleting it again is fine, and its name may begin anew', async () => {
      const cluster = freshName();
      await rows().put(aRow(cluster, 1), 0);
      await rows().delete(cluster);
      await rows().delete(cluster);
      expect(await rows().get(cluster)).toBeNull();
      expect(await rows().listClusters()).not.toContain(cluster);
      await rows().put(aRow(cluster, 1), 0);
      expect(await rows().get(cluster)).toMatchObject({ version: 1 });
    });
  });
}

/** Claims: one worker a job key. */
export function describeClaimStoreContract(source: SubjectSource): void {
  describe(`claim store of ${source.name}`, () => {
    const subject = opened(source);
    const claims = () => subject().ports.claims;
    const nowMs = () => subject().ports.clock.nowMs();

    it('gives a free key to one of many', async () => {
      const key = `${freshName()}/launch/ctx1/1`;
      const at = nowMs();
      const tries = await Promise.all(Array.from({ length: 5 }, () => claims().claim(key, at, MINUTE_MS)));
      expect(tries.map(({ is }) => is).sort()).toEqual(['held', 'held', 'held', 'held', 'taken']);
      expect(tries.find(({ is }) => is === 'held')).toEqual({ is: 'held', state: { is: 'running', leaseUntilMs: at + MINUTE_MS } });
    });

    it('gives the key to another once the lease is over, not before', async () => {
      const key = freshName();
      const at = nowMs();
      await claims().claim(key, at, MINUTE_MS);
      expect(await claims().claim(key, at + MINUTE_MS - 1, MINUTE_MS)).toMatchObject({ is: 'held' });
      expect(await claims().claim(key, at + MINUTE_MS, MINUTE_MS)).toEqual({ is: 'taken' });
      expect(await claims().claim(key, at + MINUTE_MS, MINUTE_MS)).toMatchObject({ is: 'held' });
    });

    it('keeps the key while a command of it is under way, whatever its lease', async () => {
      const key = freshName();
      const at = nowMs();
      await claims().claim(key, at, MINUTE_MS);
      const state = { is: 'running', leaseUntilMs: at + MINUTE_MS, commandId: 'c-1', instanceId: 'i-1' } as const;
      await claims().record(key, state);
      expect(await claims().claim(key, at + 10 * MINUTE_MS, MINUTE_MS)).toEqual({ is: 'held', state });
    });

    it('never opens an ended key again, neither by its lease nor by a worker that was slow', async () => {
      const key = freshName();
      const at = nowMs();
      await claims().claim(key, at, MINUTE_MS);
      const end = { is: 'done', output: { instanceId: 'i-0abc' }, atMs: at } as const;
      await claims().record(key, end);
      expect(await claims().claim(key, at + 10 * MINUTE_MS, MINUTE_MS)).toEqual({ is: 'held', state: end });
      await claims().record(key, { is: 'running', leaseUntilMs: at + MINUTE_MS, commandId: 'c-1', instanceId: 'i-1' });
      expect(await claims().readMany([key])).toEqual({ [key]: end });
    });

    it('gives back a released key at once', async () => {
      const key = freshName();
      await claims().claim(key, nowMs(), MINUTE_MS);
      await claims().release(key);
      expect(await claims().claim(key, nowMs(), MINUTE_MS)).toEqual({ is: 'taken' });
    });

    it('reads many keys at once and leaves unknown ones out', async () => {
      const prefix = freshName();
      const keys = Array.from({ length: 130 }, (_, i) => `${prefix}/${i}`);
      const known = keys.filter((_, i) => i % 10 === 0);
      await Promise.all(known.map((key) => claims().record(key, { is: 'refused', reason: `no ${key}`, atMs: 5 })));
      const states = await claims().readMany(keys);
      expect(Object.keys(states).sort()).toEqual([...known].sort());
      expect(states[`${prefix}/120`]).toEqual({ is: 'refused', reason: `no ${prefix}/120`, atMs: 5 });
      expect(await claims().readMany([])).toEqual({});
    });
  });
}

/** Leases: one worker a thing, for a while. */
export function describeLeasesContract(source: SubjectSource): void {
  describe(`leases of ${source.name}`, () => {
    const subject = opened(source);
    const leases = () => subject().ports.leases;
    const nowMs = () => Math.round(subject().ports.clock.nowMs());

    it('gives a free thing to one of many', async () => {
      const name = freshName();
      const at = nowMs();
      const taken = await Promise.all(Array.from({ length: 5 }, () => leases().take(name, at, MINUTE_MS)));
      expect(taken.filter((lease) => lease !== null)).toEqual([{ untilMs: at + MINUTE_MS }]);
    });

    it('gives it to another once it is given back, or its lease is over', async () => {
      const name = freshName();
      const at = nowMs();
      await leases().take(name, at, MINUTE_MS);
      expect(await leases().take(name, at + MINUTE_MS - 1, MINUTE_MS)).toBeNull();
      await leases().end(name, at + MINUTE_MS);
      expect(await leases().take(name, at + 1, MINUTE_MS)).toEqual({ untilMs: at + 1 + MINUTE_MS });
      expect(await leases().take(name, at + 1 + MINUTE_MS, MINUTE_MS)).toEqual({ untilMs: at + 1 + 2 * MINUTE_MS });
    });

    it('keeps the note of the last that left one', async () => {
      const name = freshName();
      const at = nowMs();
      await leases().take(name, at, MINUTE_MS);
      await leases().end(name, at + MINUTE_MS, '{"to":"i-1"}');
      const lease = { untilMs: at + MINUTE_MS, note: '{"to":"i-1"}' };
      expect(await leases().take(name, at, MINUTE_MS)).toEqual(lease);
      await leases().end(name, at + MINUTE_MS);
      expect(await leases().take(name, at, MINUTE_MS)).toEqual(lease);
    });

    it('does not let a worker that was slow end the lease of another', async () => {
      const name = freshName();
      const at = nowMs();
      await leases().take(name, at, MINUTE_MS);
      await leases().take(name, at + MINUTE_MS, MINUTE_MS);
      await leases().end(name, at + MINUTE_MS, 'late');
      expect(await leases().take(name, at + MINUTE_MS + 1, MINUTE_MS)).toBeNull();
      expect(await leases().take(name, at + 2 * MINUTE_MS, MINUTE_MS)).toEqual({ untilMs: at + 3 * MINUTE_MS });
    });
  });
}

/** Specs: text under a version. */
export function describeSpecStoreContract(source: SubjectSource): void {
  describe(`spec store of ${source.name}`, () => {
    const subject = opened(source);
    const specs = () => subject().ports.specs;

    it('has nothing of an unknown cluster', async () => {
      expect(await specs().get(freshName())).toBeNull();
    });

    it('creates a spec once', async () => {
      const cluster = freshName();
      await specs().create(cluster, '{"name":"first"}');
      await expect(specs().create(cluster, '{"name":"second"}')).rejects.toMatchObject(CONFLICT);
      expect(await specs().get(cluster)).toEqual({ text: '{"name":"first"}', version: 1 });
      await specs().delete(cluster);
    });

    it('replaces only the version it names', async () => {
      const cluster = freshName();
      await expect(specs().replace(cluster, '{}', 1)).rejects.toMatchObject(CONFLICT);
      await specs().create(cluster, 'one');
      await specs().replace(cluster, 'two', 1);
      await expect(specs().replace(cluster, 'three', 1)).rejects.toMatchObject(CONFLICT);
      expect(await specs().get(cluster)).toEqual({ text: 'two', version: 2 });
      await specs().delete(cluster);
    });

    it('lists all clusters, over page after page, and no deleted one', async () => {
      const clusters = Array.from({ length: 12 }, freshName);
      for (const cluster of clusters) await specs().create(cluster, '{}');
      expect(await specs().listClusters()).toEqual(expect.arrayContaining(clusters));
      for (const cluster of clusters) await specs().delete(cluster);
      const [first = ''] = clusters;
      await specs().delete(first);
      expect(await specs().get(first)).toBeNull();
      expect(await specs().listClusters()).not.toContain(first);
    });
  });
}

/** Budget: a counter a window. */
export function describeBudgetContract(source: SubjectSource): void {
  describe(`budget of ${source.name}`, () => {
    const subject = opened(source);
    const budget = () => subject().ports.budget;

    it('gives no more than the limit within a window, also when many ask at once', async () => {
      const name = freshName();
      const at = Math.ceil(subject().ports.clock.nowMs() / MINUTE_MS) * MINUTE_MS;
      const taken = await Promise.all(Array.from({ length: 7 }, () => budget().take(name, 3, MINUTE_MS, at)));
      expect(taken.filter(Boolean)).toHaveLength(3);
      expect(await budget().take(name, 3, MINUTE_MS, at + MINUTE_MS - 1)).toBe(false);
      expect(await budget().take(name, 3, MINUTE_MS, at + MINUTE_MS)).toBe(true);
      expect(await budget().take(freshName(), 3, MINUTE_MS, at)).toBe(true);
    });
  });
}

/** Journal: what happened, newest first. */
export function describeJournalContract(source: SubjectSource): void {
  describe(`journal of ${source.name}`, () => {
    const subject = opened(source);
    const journal = () => subject().ports.journal;
    const entry = (atMs: number, text: string): JournalEntry => ({ atMs, topic: 'plan', event: 'note', text });

    it('reads newest first, entries of the same moment in the order they came, no more than asked for', async () => {
      const cluster = freshName();
      const at = subject().ports.clock.nowMs();
      await journal().append(cluster, [entry(at, 'a'), entry(at, 'b'), { ...entry(at + 1, 'c'), jobKey: 'k/1' }]);
      await journal().append(cluster, [entry(at + 2, 'd')]);
      const texts = (await journal().read(cluster, 10)).map(({ text }) => text);
      expect(texts).toEqual(['d', 'c', 'b', 'a']);
      expect(await journal().read(cluster, 2)).toEqual([entry(at + 2, 'd'), { ...entry(at + 1, 'c'), jobKey: 'k/1' }]);
    });

    it('keeps clusters apart and takes an empty list', async () => {
      const cluster = freshName();
      await journal().append(freshName(), [entry(1, 'of another')]);
      await journal().append(cluster, []);
      expect(await journal().read(cluster, 10)).toEqual([]);
    });
  });
}
