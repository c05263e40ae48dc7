import { describe, expect, it } from '@jest/globals';
import { runProvision } from '../../lambdas/app/dispatch';
import { PortError } from '../../lambdas/app/ports';
import type { UserJob } from '../../lambdas/core/jobs';
import { aMemoryWorld, contextOver, type MemoryWorld } from '../memory-ports';

let count = 0;

async function ask(w: MemoryWorld, job: UserJob, messageId = `m-${++count}`): Promise<string> {
  const before = w.journal.length;
  await runProvision(contextOver(w), job, messageId);
  const entry = w.journal[before];
  return entry ? `${entry.event}: ${entry.text}` : 'nothing';
}

async function aCity(): Promise<MemoryWorld> {
  const w = aMemoryWorld();
  await ask(w, { kind: 'createCluster', cluster: 'city' });
  return w;
}

function specOf(w: MemoryWorld) {
  return JSON.parse(w.specs.get('city')?.text ?? 'null');
}

describe('createCluster', () => {
  it('stores the spec with its defaults and asks for a look', async () => {
    const w = await aCity();
    expect(specOf(w)).toMatchObject({ name: 'city', lb: { count: 2 }, orion: { count: 2 }, mongo: { count: 3 } });
    expect(w.sent).toMatchObject([{ queue: 'health-check', body: { kind: 'check', cluster: 'city' } }]);
  });

  it('refuses a second one of the same name and keeps the first', async () => {
    const w = await aCity();
    expect(await ask(w, { kind: 'createCluster', cluster: 'city', spec: { mongo: { count: 5 } } })).toBe(
      'refused: create: cluster: "city" exists already; choose another name, or change its spec or scale it',
    );
    expect(specOf(w).mongo.count).toBe(3);
  });

  it('is not carried out again once the cluster is forgotten, though how it ended was never written down', async () => {
    const w = aMemoryWorld();
    const create = { kind: 'createCluster', cluster: 'city', jobKey: 'make-city' } as const;
    await ask(w, create);
    w.claims.clear();
    await ask(w, { kind: 'deleteCluster', cluster: 'city', confirm: 'city' });
    const forget = { kind: 'forgetCluster', cluster: 'city', jobKey: 'city@1/forget#0', reason: 'nothing is left' } as const;
    const row = w.rows.get('city');
    const inFlight = { [forget.jobKey]: { job: forget, plannedAtMs: w.nowMs } };
    if (row) w.rows.set('city', { ...row, memory: { ...row.memory, inFlight } });
    await runProvision(contextOver(w), forget, 'm-forget');
    expect(await ask(w, create)).toBe('nothing');
    expect([w.rows.size, w.specs.size]).toEqual([0, 0]);
    expect(await ask(w, { ...create, jobKey: 'make-city-again' })).toBe('done: create: accepted');
  });

  it('warns in the journal of what a valid spec risks', async () => {
    const w = aMemoryWorld();
    const spec = { mongo: { writeConcern: 1 } };
    expect(await ask(w, { kind: 'createCluster', cluster: 'city', spec })).toContain('accepted; warning: mongo.writeConcern: 1 is below');
  });

  it('is done once, however often its message comes', async () => {
    const w = aMemoryWorld();
    await ask(w, { kind: 'createCluster', cluster: 'city' }, 'm-1');
    expect(await ask(w, { kind: 'createCluster', cluster: 'city' }, 'm-1')).toBe('nothing');
  });

  it('knows its own row again when the answer to its write was lost and the write was tried twice', async () => {
    const w = aMemoryWorld();
    const context = contextOver(w);
    const { rows } = context.ports;
    const twice: typeof rows = { ...rows, put: async (row, version) => rows.put(row, version).then(() => rows.put(row, version)) };
    await runProvision({ ...context, ports: { ...context.ports, rows: twice } }, { kind: 'createCluster', cluster: 'city' }, 'm-1');
    expect(w.journal.map(({ event }) => event)).toEqual(['done']);
    expect(specOf(w).name).toBe('city');
  });

  it('goes on where a worker died between row and spec', async () => {
    const w = aMemoryWorld();
    await ask(w, { kind: 'createCluster', cluster: 'city' }, 'm-1');
    w.specs.clear();
    w.claims.clear();
    expect(await ask(w, { kind: 'createCluster', cluster: 'city' }, 'm-1')).toBe('done: create: accepted');
    expect(specOf(w).name).toBe('city');
  });

  it('refuses a bad spec and names the field', async () => {
    const w = aMemoryWorld();
    expect(await ask(w, { kind: 'createCluster', cluster: 'city', spec: { mongo: { count: 4 } } })).toContain(
      'refused: create: mongo.count: expected 1, 3, 5 or 7',
    );
    expect(w.specs.size + w.rows.size).toBe(0);
  });
});

describe('scale', () => {
  it('rewrites the spec', async () => {
    const w = await aCity();
    expect(await ask(w, { kind: 'scale', cluster: 'city', role: 'orion', count: 4 })).toBe('done: scale orion to 4: accepted');
    expect(specOf(w).orion.count).toBe(4);
  });

  it.each([
    [11, 'orion.count: expected 1 to 10 (orion.min to orion.max); got 11'],
    [0, 'orion.count'],
  ])('refuses %i', async (to, words) => {
    const w = await aCity();
    const said = await ask(w, { kind: 'scale', cluster: 'city', role: 'orion', count: to });
    expect(said).toMatch(/^refused/);
    expect(said).toContain(words);
    expect(specOf(w).orion.count).toBe(2);
  });

  it('refuses to shrink a replica set to members that are not alive, and keeps the spec', async () => {
    const w = aMemoryWorld();
    await ask(w, { kind: 'createCluster', cluster: 'city', spec: { mongo: { count: 5 } } });
    const row = w.rows.get('city');
    if (!row) throw new Error('the row is missing');
    const slots = ['mdb1', 'mdb2', 'mdb3', 'mdb4', 'mdb5'].map((slot, i) => ({
      slot,
      role: 'mongo',
      health: i < 2 ? ('dead' as const) : ('healthy' as const),
    }));
    const status = { atMs: 0, converged: false, sentence: '', blocked: [], slots, addresses: [], inFlight: [] };
    w.rows.set('city', { ...row, memory: { ...row.memory, replicaSetInitiated: true }, status });
    expect(await ask(w, { kind: 'scale', cluster: 'city', role: 'mongo', count: 3 })).toContain(
      'refused: scale mongo to 3: mongo.count: expected 5 for now; got 3',
    );
    expect(specOf(w).mongo.count).toBe(5);
  });

  it('refuses an unknown cluster and names the known ones', async () => {
    expect(await ask(await aCity(), { kind: 'scale', cluster: 'town', role: 'orion', count: 3 })).toContain(
      'no cluster is called "town"; known: city',
    );
  });

  it('writes no spec for a cluster that was deleted while it was looked up', async () => {
    const w = await aCity();
    const context = contextOver(w);
    const { get } = context.ports.specs;
    context.ports.specs.get = async (cluster) => {
      w.rows.clear();
      w.specs.clear();
      return get(cluster);
    };
    await runProvision(context, { kind: 'scale', cluster: 'city', role: 'orion', count: 4 }, 'm-deleted');
    expect(w.journal.at(-1)?.text).toContain('no cluster is called "city"');
    expect(w.specs.size).toBe(0);
  });

  it('writes the spec of a cluster whose spec alone is lost', async () => {
    const w = await aCity();
    w.specs.clear();
    expect(await ask(w, { kind: 'scale', cluster: 'city', role: 'orion', count: 4 })).toBe('done: scale orion to 4: accepted');
    expect(specOf(w).orion.count).toBe(4);
  });

  it('is stale when somebody else was faster', async () => {
    const w = await aCity();
    expect(await ask(w, { kind: 'scale', cluster: 'city', role: 'orion', count: 4, expect: { count: 3 } })).toContain(
      'stale: scale orion to 4: orion.count: expected 3; is 2 by now',
    );
  });

  it('gives its claim back when a store fails, so that the redelivery can succeed', async () => {
    const w = await aCity();
    const context = contextOver(w);
    context.ports.specs.replace = async () => {
      throw new PortError('throttled', 'slow down');
    };
    const job: UserJob = { kind: 'scale', cluster: 'city', role: 'orion', count: 4 };
    await expect(runProvision(context, job, 'm-9')).rejects.toThrow('slow down');
    expect(await ask(w, job, 'm-9')).toBe('done: scale orion to 4: accepted');
  });
});

describe('deleteCluster', () => {
  it('refuses without the name as confirmation', async () => {
    const w = await aCity();
    expect(await ask(w, { kind: 'deleteCluster', cluster: 'city' })).toContain(
      'confirm: expected "city", the name of the cluster; got null',
    );
    expect(await ask(w, { kind: 'deleteCluster', cluster: 'city', confirm: 'yes' })).toMatch(/^refused/);
    expect(w.rows.get('city')?.phase).toBe('active');
  });

  it('marks the cluster when confirmed, and refuses to scale it after', async () => {
    const w = await aCity();
    expect(await ask(w, { kind: 'deleteCluster', cluster: 'city', confirm: 'city' })).toBe('done: delete: accepted');
    expect(w.rows.get('city')?.phase).toBe('deleting');
    expect(await ask(w, { kind: 'scale', cluster: 'city', role: 'orion', count: 4 })).toContain('is being deleted');
  });
});
