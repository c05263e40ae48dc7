import { describe, expect, it } from '@jest/globals';
import { judgeBreaker } from '../../../lambdas/core/breaker';
import { isMajorityLost } from '../../../lambdas/core/plan/replica-set';
import { aHealth, aHealthyWorld, aNode, change, dead, look, NOW_MS, planOf, type World, withNodes } from '../../builders';

/** Nodes that ran out of their grace before anybody told them what to run: an outage of the control plane's own APIs. */
function neverTold(world: World, ...slots: string[]): World {
  return slots.reduce((w, slot) => change(w, slot, ({ configVersion: _, ...node }) => dead(node, 'boot')), world);
}

describe('a cluster caught half-built by an outage', () => {
  it('is not held up by the breaker: a node that never came up says nothing about the observer', () => {
    const world = neverTold(aHealthyWorld({ orion: { count: 4 } }), 'ctx1', 'ctx2', 'ctx3', 'ctx4', 'lb2');
    expect(judgeBreaker(world.nodes, world.spec.policy).open).toBe(false);
  });

  it('opens the breaker all the same when nodes that were well fall silent', () => {
    const world = ['ctx1', 'ctx2', 'mdb2', 'mdb3'].reduce((w, slot) => change(w, slot, (node) => dead(node)), aHealthyWorld());
    expect(judgeBreaker(world.nodes, world.spec.policy).open).toBe(true);
  });

  it('keeps the breaker open when those out of sight were restarted, and have not answered since', () => {
    const world = (health: 'dead' | 'suspect') =>
      ['lb1', 'ctx1', 'mdb2'].reduce(
        (w, slot) => change(w, slot, ({ probe: _, ...node }) => ({ ...node, health: aHealth(health) })),
        change(aHealthyWorld(), 'lb2', (node) => dead(node)),
      );
    const isOpen = ({ nodes, spec }: World) => judgeBreaker(nodes, { ...spec.policy, breakerShare: 0.5 }).open;
    expect([isOpen(world('dead')), isOpen(world('suspect'))]).toEqual([true, true]);
  });

  it('opens the breaker as well when nodes took their configuration and none of them was ever seen', () => {
    const unseen = (world: World, detail: string, ...slots: string[]) =>
      slots.reduce(
        (w, slot) =>
          change(w, slot, (node) => ({
            ...dead(node, 'boot'),
            configVersion: 'v1',
            probe: { role: 'lb', atMs: NOW_MS, process: { is: 'failed', detail } },
          })),
        world,
      );
    const isOpen = (world: World) => judgeBreaker(world.nodes, world.spec.policy).open;
    const all = aHealthyWorld().nodes.map(({ fact }) => fact.slot);
    expect(isOpen(unseen(aHealthyWorld(), 'no answer in time', ...all))).toBe(true);
    // A connection refused was seen: it is the node.
    expect(isOpen(unseen(aHealthyWorld(), 'connection refused', ...all))).toBe(false);
  });

  it('counts a node that took its configuration and keeps silent while it may still boot: it is no less out of sight', () => {
    const silent = { role: 'mongo', atMs: NOW_MS, process: { is: 'failed', detail: 'no answer in time' } } as const;
    const world = change(aHealthyWorld(), 'mdb1', (node) => ({
      ...node,
      health: { ...aHealth('unknown'), everHealthy: false },
      probe: silent,
    }));
    const { open, reason } = judgeBreaker(
      ['lb1', 'ctx1', 'ctx2'].reduce((w, slot) => change(w, slot, dead), world).nodes,
      world.spec.policy,
    );
    expect([open, reason]).toEqual([true, expect.stringContaining('4 of 7 nodes')]);
    const young = change(world, 'mdb1', ({ configVersion: _, ...node }) => node);
    expect(judgeBreaker(young.nodes, world.spec.policy).reason).toContain('0 of 6 nodes');
  });

  it('replaces no broker while there is no primary without which none starts', () => {
    const { jobs } = planOf({
      ...withNodes(
        aHealthyWorld(),
        aHealthyWorld().nodes.flatMap((node) =>
          node.fact.role === 'mongo' ? [] : node.fact.role === 'orion' ? [dead(node, 'boot')] : [node],
        ),
      ),
      memory: { ...aHealthyWorld().memory, replicaSetInitiated: false },
    });
    expect(jobs.filter((job) => job.kind === 'launchNode').map(({ slot }) => slot)).toEqual(['mdb1', 'mdb2', 'mdb3']);
  });

  it('tells its nodes what to run, however long ago they were launched', () => {
    const { jobs } = planOf(neverTold(aHealthyWorld(), 'ctx2', 'lb2'));
    expect(jobs.flatMap((job) => (job.kind === 'applyConfig' ? [job.slot] : [])).sort()).toEqual(['ctx2', 'lb2']);
  });
});

describe('a node that was dead before the control plane lost sight of it', () => {
  const fates = (slot: string, bad: number) => {
    const world = change(aHealthyWorld(), slot, (node) => ({ ...dead(node), health: { ...dead(node).health, bad } }));
    return planOf(world).jobs.map(({ kind }) => kind);
  };

  it.each(['ctx2', 'lb2', 'mdb3'])('is neither restarted nor replaced before it is seen dead again: %s', (slot) => {
    expect(fates(slot, 3)).toEqual(['restartRole']);
    expect(fates(slot, 0)).toEqual([]);
  });
});

describe('a node that does not take its configuration', () => {
  it('is named as blocked after some failures in a row, with the way out', () => {
    const world = change(aHealthyWorld(), 'lb2', (node) => ({ ...node, configVersion: 'old' }));
    const failing = (failures: number): World => ({
      ...world,
      memory: { ...world.memory, attempts: { 'config/i-1021': { count: failures, failures, lastAtMs: NOW_MS } } },
    });
    expect(planOf(failing(4)).blocked).toEqual([]);
    expect(planOf(failing(5)).blocked).toEqual([
      'lb2 (i-1021) does not take its configuration, 5 failures in a row: terminate its instance, and a new one comes',
    ]);
  });
});

describe('one balancer wanted of two', () => {
  function names(health: 'healthy' | 'suspect' | 'unknown' | 'dead'): string[] {
    const world = aHealthyWorld({ lb: { count: 1 } });
    const held = change(aHealthyWorld(), 'lb2', (node) => ({ ...node, health: aHealth(health) }));
    const addresses = held.observation.addresses.map((address) => ({ ...address, holder: 'i-1021' }));
    const both = { ...held, spec: world.spec, observation: { ...held.observation, addresses } };
    return look(both).slots.wanted.lb.map(({ slot }) => slot);
  }

  it('is the one that holds the address, also while it can not be seen well', () => {
    expect([names('healthy'), names('suspect'), names('unknown')]).toEqual([['lb2'], ['lb2'], ['lb2']]);
  });

  it('is the first one once the holder is dead', () => {
    expect(names('dead')).toEqual(['lb1']);
  });
});

describe('a replica set of which nobody answers', () => {
  /** The only member without an answer, and a successor that waits, not started. */
  function world(health: 'dead' | 'suspect'): World {
    const one = aHealthyWorld({ mongo: { count: 1 } });
    const silent = change(one, 'mdb1', ({ probe: _, ...node }) => ({ ...node, health: aHealth(health) }));
    const successor = aNode('mdb1', { fact: { incarnation: 2 }, health: aHealth('dead', 'boot') });
    return { ...withNodes(silent, [...silent.nodes, successor]), memory: { ...silent.memory, replicaSetInitiated: true } };
  }

  it('is said to have lost its majority once all who may be members are dead: without a word nobody would come to mend it', () => {
    expect([isMajorityLost(look(world('dead'))), isMajorityLost(look(world('suspect')))]).toEqual([true, false]);
    expect(planOf(world('dead')).blocked.join()).toContain('majority lost: no member of the replica set answers (mdb1, i-3011)');
  });

  it('is only noted while one may come back any moment', () => {
    expect(planOf(world('suspect'))).toMatchObject({
      blocked: [],
      notes: expect.arrayContaining(['replica set: no member answers with a configuration']),
    });
  });
});
