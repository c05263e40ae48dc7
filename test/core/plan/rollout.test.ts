import { describe, expect, it } from '@jest/globals';
import type { PlannedJob } from '../../../lambdas/core/jobs';
import type { Memory, Rollout } from '../../../lambdas/core/memory';
import type { Node } from '../../../lambdas/core/observation';
import { putInFlight } from '../../../lambdas/core/outbox';
import { foldRollouts } from '../../../lambdas/core/plan/rollout';
import { lookAt } from '../../../lambdas/core/plan/situation';
import { wantedConfigOf } from '../../../lambdas/core/plan/wanted-config';
import type { Settled } from '../../../lambdas/core/settle';
import { aHealth, aHealthyWorld, aSpec, change, dead, lbsInStep, letGo, look, NOW_MS, planOf, type World } from '../../builders';

const orionOf = (world: World): Rollout => world.memory.rollouts.orion as Rollout;
const withMemory = (world: World, memory: Partial<Memory>): World => ({ ...world, memory: { ...world.memory, ...memory } });

/** One more look, `atS` seconds after the beginning. */
function fold(world: World, atS = 0, settled: Settled[] = []): World {
  const s = lookAt(world.spec, 'active', world.observation, world.memory, NOW_MS + atS * 1000);
  return { ...world, memory: foldRollouts(s, settled) };
}

/** The slides' cluster whose present settings are known to be good, and whose spec then asks for another version of Orion. */
function aChange(version = '4.2.0'): World {
  const good = fold(fold(aHealthyWorld()));
  return fold({ ...good, spec: aSpec({ orion: { version } }) });
}

const applies = (world: World): string[] => planOf(world).jobs.flatMap((job) => (job.kind === 'applyConfig' ? [job.slot] : []));
/** What the slot is given once the balancers let it go. */
const applyTo = (world: World, slot: string): PlannedJob =>
  planOf(letGo(world, slot)).jobs.find((job) => job.kind === 'applyConfig' && job.slot === slot) as PlannedJob;

/** The slot was drained, given its configuration at the beginning and took it a second later; what it runs and what was seen of it since is `edit`'s. */
function took(world: World, slot: string, edit: (node: Node) => Node = (node) => node): World {
  const { inFlight, ...memory } = putInFlight(world.memory, [applyTo(world, slot)], NOW_MS);
  const configs = lookAt(world.spec, 'active', world.observation, world.memory, NOW_MS).configs;
  const id = world.nodes.find((node) => node.fact.slot === slot)?.fact.instanceId ?? '';
  const after = withMemory(world, { ...memory, inFlight: {}, appliedAtMs: { [id]: NOW_MS + 1_000 } });
  return lbsInStep(
    change(after, slot, (node) => {
      const version = wantedConfigOf(configs, node)?.version ?? '';
      return edit(seen({ ...node, configVersion: version }, 5));
    }),
  );
}

const OK = { is: 'ok', latencyMs: 1 } as const;
/** The broker as a look after `atS` seconds found it: it tells its version whatever became of its process. */
const seen = (node: Node, atS: number): Node => ({
  ...node,
  probe: { role: 'orion', atMs: NOW_MS + atS * 1000, process: OK, database: OK, configVersion: node.configVersion ?? '' },
});
/** It answers, and alone lacks its database. */
const lost = (node: Node): Node => ({ ...node, health: { ...aHealth('healthy', 'database'), detail: 'database: HTTP 500' } });
const dies = (node: Node): Node => ({ ...node, health: dead(node).health });

describe('a rollout', () => {
  it('leaves the memory as it is, the very same, where nothing came of the look', () => {
    const good = fold(fold(aHealthyWorld()));
    expect(fold(good).memory).toBe(good.memory);
    const changed = { ...good, spec: aSpec({ orion: { version: '4.2.0' } }) };
    expect(fold(changed).memory).not.toBe(good.memory);
  });

  it('is good from the start where all nodes run what they should', () => {
    expect(orionOf(fold(fold(aHealthyWorld())))).toMatchObject({
      state: 'good',
      settling: {},
      good: { settings: { orion: { version: '4.1.0' } } },
    });
  });

  it('begins with other settings, and remembers the good ones', () => {
    expect(orionOf(aChange())).toMatchObject({ state: 'rolling', good: { settings: { orion: { version: '4.1.0' } } } });
    expect(look(aChange()).drain?.node.fact.slot).toBe('ctx1');
    expect(applies(letGo(aChange(), 'ctx1'))).toEqual(['ctx1']);
  });

  it('touches no second node before the first was well for long enough, by looks after it took the settings', () => {
    let world = took(aChange(), 'ctx1', (node) => seen(node, 0));
    world = fold(world, 30);
    expect(orionOf(world).settling).toMatchObject({ 'i-2011': { good: 0 } });
    for (const atS of [4, 8])
      world = fold(
        change(world, 'ctx1', (node) => seen(node, atS)),
        atS,
      );
    expect(applies(world)).toEqual([]);
    expect(look(world).drain).toBeUndefined();
    expect(planOf(world).notes).toContain('ctx2 waits for ctx1: one orion after the other, each well again before the next');
    world = fold(
      change(world, 'ctx1', (node) => seen(node, 20)),
      20,
    );
    expect(orionOf(world)).toMatchObject({ settling: {}, took: ['i-2011'] });
    expect(look(world).drain?.node.fact.slot).toBe('ctx2');
    expect(applies(letGo(world, 'ctx2'))).toEqual(['ctx2']);
  });

  it('does not wait for one that is settling when both are unwell and are to be given yet another configuration', () => {
    const calm = fold(fold(aHealthyWorld()));
    const settling = { 'i-2011': { atMs: NOW_MS - 60_000, good: 0 }, 'i-2021': { atMs: NOW_MS - 90_000, good: 0 } };
    const world = withMemory(calm, { rollouts: { ...calm.memory.rollouts, orion: { ...orionOf(calm), settling } } });
    const outdated = (w: World, ...slots: string[]) =>
      slots.reduce((now, slot) => change(now, slot, (node) => ({ ...lost(node), configVersion: 'old' })), w);
    expect(applies(letGo(outdated(world, 'ctx1', 'ctx2'), 'ctx1'))).toEqual(['ctx1']);
    // ctx1 has what it should by now: the next waits for what becomes of it.
    expect(applies(letGo(change(outdated(world, 'ctx2'), 'ctx1', lost), 'ctx2'))).toEqual([]);
    // One that is well has something to lose.
    const well = change(outdated(world, 'ctx1', 'ctx2'), 'ctx2', (node) => ({ ...node, health: aHealth('healthy') }));
    expect(['ctx1', 'ctx2'].flatMap((slot) => applies(letGo(well, slot)))).toEqual([]);
  });

  it('does not wait for another that is unwell when it is unwell itself: two that lost their database would wait for each other', () => {
    const one = change(aChange(), 'ctx2', lost);
    expect(planOf(one).notes).toContain('ctx1 waits for ctx2: one orion after the other, each well again before the next');
    const both = change(one, 'ctx1', lost);
    expect(applies(letGo(both, 'ctx1'))).toEqual(['ctx1']);
    // The first that is given it still goes alone.
    const settling = { 'i-2011': { atMs: NOW_MS, good: 0, of: orionOf(both).version } };
    const begun = withMemory(both, { rollouts: { ...both.memory.rollouts, orion: { ...orionOf(both), settling } } });
    expect(planOf(begun).notes).toContain('ctx2 waits for ctx1: one orion after the other, each well again before the next');
  });

  it('gives a node without a configuration the last good one, until one that runs has taken the new', () => {
    const fresh = change(aChange(), 'ctx2', ({ configVersion: _, ...node }) => node);
    const configOf = (world: World) => planOf(world).jobs.find((job) => job.kind === 'applyConfig' && job.slot === 'ctx2');
    expect(configOf(fresh)).toMatchObject({ config: { version: '4.1.0' } });
    const proven = withMemory(fresh, { rollouts: { ...fresh.memory.rollouts, orion: { ...orionOf(fresh), took: ['i-2011'] } } });
    expect(configOf(proven)).toMatchObject({ config: { version: '4.2.0' } });
  });

  it('goes back when the node dies: the dead node first, before a restart or a successor', () => {
    const world = fold(took(aChange(), 'ctx1', dies), 20);
    expect(orionOf(world)).toMatchObject({
      state: 'bad',
      failure: { slot: 'ctx1', why: 'it turned unhealthy with it: connection refused' },
    });
    const { jobs, blocked } = planOf(world);
    expect(jobs).toMatchObject([{ kind: 'applyConfig', slot: 'ctx1', config: { version: '4.1.0' } }]);
    expect(blocked).toEqual([expect.stringContaining('(orion.version 4.1.0 → 4.2.0)')]);
  });

  it('ends with another spec', () => {
    const world = fold(took(aChange(), 'ctx1', dies), 20);
    expect(orionOf(fold({ ...world, spec: aSpec({ orion: { version: '4.3.0' } }) }, 30))).toMatchObject({ state: 'rolling', took: [] });
  });

  const blameless: [string, (world: World) => World][] = [
    ['another broker is sick as well', (w) => change(w, 'ctx2', (node) => ({ ...node, health: aHealth('suspect') }))],
    [
      'the database has no primary',
      (w) => ({ ...w, observation: { ...w.observation, nodes: w.nodes.filter((n) => n.fact.role !== 'mongo') } }),
    ],
    [
      'the whole machine is silent',
      (w) =>
        change(w, 'ctx1', (node) => {
          const process = { is: 'failed', detail: 'no answer in time' } as const;
          return { ...node, probe: { role: 'orion', atMs: NOW_MS + 5_000, process, database: process } };
        }),
    ],
    ['its instance is gone', (w) => change(w, 'ctx1', (node) => ({ ...node, health: aHealth('dead', 'gone') }))],
    ['it can not be looked at', (w) => change(w, 'ctx1', (node) => ({ ...node, health: aHealth('unknown') }))],
  ];
  it.each(blameless)('is not blamed while %s', (_, edit) => {
    expect(orionOf(fold(edit(took(aChange(), 'ctx1', dies)), 20)).state).toBe('rolling');
  });

  it('is to blame when the node alone does not reach the database, for as long as a dead one may take', () => {
    const world = took(aChange(), 'ctx1', lost);
    expect(orionOf(fold(world, 10)).state).toBe('rolling');
    expect(orionOf(fold(world, 17))).toMatchObject({ state: 'bad', failure: { why: 'it turned unhealthy with it: database: HTTP 500' } });
  });

  it('is not to blame for a database that the node lacked before it was given anything: its disk is full, and it never takes it', () => {
    const lacking = (sinceMs: number) => (node: Node) => ({
      ...node,
      health: { ...aHealth('healthy', 'database'), lacksDatabaseSinceMs: sinceMs },
    });
    const stateOf = (sinceMs: number) => orionOf(fold(took(aChange(), 'ctx1', lacking(sinceMs)), 200)).state;
    expect([stateOf(NOW_MS - 1), stateOf(NOW_MS + 1_500)]).toEqual(['rolling', 'bad']);
  });

  it('stops at a refusal, in the words of the node, and nobody is touched', () => {
    const world = aChange();
    const job = applyTo(world, 'ctx1');
    const asked = withMemory(world, { ...putInFlight(world.memory, [job], NOW_MS), inFlight: {} });
    const refused = fold(asked, 5, [{ job, event: 'refused', text: 'no such image' }]);
    expect(orionOf(refused)).toMatchObject({ state: 'bad', failure: { slot: 'ctx1', why: 'it refused it: no such image' } });
    expect(applies(refused)).toEqual([]);
    expect(orionOf(fold(refused, 9))).toMatchObject({ state: 'bad' });
  });

  describe('that has nothing to go back to', () => {
    const failure = { slot: 'ctx1', instanceId: 'i-2011', why: 'it turned unhealthy with it: x', atMs: NOW_MS };
    const stopped = (world: World, { good }: Pick<Rollout, 'good'>): World => {
      const { good: _, ...rest } = orionOf(world);
      const bad: Rollout = { ...rest, state: 'bad', failure, ...(good ? { good } : {}) };
      return change(withMemory(world, { rollouts: { orion: bad } }), 'ctx2', (node) => ({ ...node, configVersion: 'old' }));
    };

    it('stops and leaves the others as they are, when nothing good is known', () => {
      const world = stopped(aChange(), {});
      expect(applies(world)).toEqual([]);
      expect(planOf(world).blocked).toEqual([expect.stringContaining('nothing is known that was good before: no other node is touched')]);
    });

    it('goes on once the node it was blamed for has been well with it for long: it was another fault', () => {
      const bad = stopped(aChange(), {});
      const tookIt = withMemory(bad, { rollouts: { orion: { ...orionOf(bad), took: ['i-2011'] } } });
      expect(orionOf(fold(tookIt, 89)).state).toBe('bad');
      expect(orionOf(fold(tookIt, 91))).toMatchObject({ state: 'rolling', took: ['i-2011'] });
      expect(orionOf(fold(tookIt, 91))).not.toHaveProperty('failure');
      // It refused it, and runs what it ran before: that it is well says nothing.
      const refused = withMemory(bad, { rollouts: { orion: { ...orionOf(bad), failure: { ...failure, refused: true } } } });
      expect(orionOf(fold(refused, 600)).state).toBe('bad');
      const sick = change(tookIt, 'ctx1', (node) => ({ ...node, health: aHealth('suspect') }));
      expect(orionOf(fold(sick, 600)).state).toBe('bad');
    });

    it('goes on once the node it was blamed for is well for long and never took it: it rebooted, or its disk was full', () => {
      const bad = stopped(aChange(), {});
      expect(orionOf(fold(bad, 89)).state).toBe('bad');
      expect(orionOf(fold(bad, 91))).toMatchObject({ state: 'rolling', took: [] });
    });

    it('goes on once the slot it was blamed for is given up, and another that took it has been well for long', () => {
      const bad = stopped(aChange(), {});
      const rollout = { ...orionOf(bad), failure: { ...failure, slot: 'ctx2', instanceId: 'i-2021', refused: true as const } };
      const appliedAt = (atMs: number): World =>
        withMemory(
          { ...bad, spec: aSpec({ orion: { count: 1, min: 1, version: '4.2.0' } }) },
          {
            rollouts: { orion: rollout },
            appliedAtMs: { 'i-2011': atMs },
          },
        );
      expect(orionOf(fold(appliedAt(rollout.sinceMs + 1), 89)).state).toBe('bad');
      expect(orionOf(fold(appliedAt(rollout.sinceMs + 1), 91)).state).toBe('rolling');
      // What is left runs what it ran before: that it is well says nothing.
      expect(orionOf(fold(appliedAt(rollout.sinceMs - 1), 600)).state).toBe('bad');
    });

    it('stops and asks for the release before, when the templates alone are new', () => {
      const calm = fold(fold(aHealthyWorld()));
      const world = stopped(calm, orionOf(calm));
      expect(applies(world)).toEqual([]);
      expect(planOf(world).blocked).toEqual([
        expect.stringContaining('it is the templates of this release: no other node is touched; deploy the release before'),
      ]);
    });
  });

  it('stays as it is while nothing can be seen', () => {
    const world = took(aChange(), 'ctx1', dies);
    const blind = { ...world, observation: { ...world.observation, cloudKnown: false } };
    expect(fold(blind, 60).memory).toBe(blind.memory);
  });
});
