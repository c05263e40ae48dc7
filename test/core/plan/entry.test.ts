import { describe, expect, it } from '@jest/globals';
import { plan } from '../../../lambdas/core/plan/plan';
import { aHealth, aHealthyWorld, aNode, change, dead, NOW_MS, type World } from '../../builders';

function planOf(world: World) {
  return plan(world.spec, 'active', world.observation, world.memory, NOW_MS);
}

function withHolder(world: World, holder: string | undefined): World {
  const addresses = world.observation.addresses.map(({ holder: _, ...address }) => ({ ...address, ...(holder ? { holder } : {}) }));
  return { ...world, observation: { ...world.observation, addresses } };
}

describe('planEntry', () => {
  it('leaves a cluster alone that is as it should be', () => {
    const result = planOf(aHealthyWorld());
    expect(result).toEqual({ jobs: [], blocked: [], notes: [], sentence: 'as it should be: nothing to do' });
  });

  it('moves the address off a dead holder and says why', () => {
    const { jobs } = planOf(change(aHealthyWorld(), 'lb1', (node) => dead(node)));
    const [move] = jobs;
    expect(move).toMatchObject({ kind: 'moveAddress', to: 'i-1021', expect: { holder: 'i-1011' } });
    expect(move?.reason).toBe('entry1 goes to lb2 (i-1021), because its holder lb1 (i-1011) is dead: connection refused');
  });

  it('moves the address off a holder that is gone', () => {
    const { jobs } = planOf(change(aHealthyWorld(), 'lb1', () => undefined));
    expect(jobs.map((job) => job.kind)).toEqual(['moveAddress', 'launchNode', 'applyConfig']);
  });

  it.each(['healthy', 'suspect', 'unknown'] as const)('keeps the address on a holder that is %s', (health) => {
    const { jobs } = planOf(change(aHealthyWorld(), 'lb1', (node) => ({ ...node, health: aHealth(health) })));
    expect(jobs.filter((job) => job.kind === 'moveAddress')).toEqual([]);
  });

  it('has no preferred holder: it never fails back', () => {
    const { jobs } = planOf(withHolder(aHealthyWorld(), 'i-1021'));
    expect(jobs).toEqual([]);
  });

  it('associates a free address only if nobody holds it by then', () => {
    const { jobs } = planOf(withHolder(aHealthyWorld(), undefined));
    expect(jobs).toMatchObject([{ kind: 'moveAddress', to: 'i-1011', expect: { holder: null } }]);
  });

  it('says so when no balancer could take the address', () => {
    const world = change(
      change(aHealthyWorld(), 'lb1', () => undefined),
      'lb2',
      (node) => ({ ...node, health: aHealth('unknown') }),
    );
    expect(planOf(world).blocked.join()).toContain('no load balancer is healthy');
  });

  it('allocates an address that is missing', () => {
    const world = aHealthyWorld();
    const { jobs } = planOf({ ...world, observation: { ...world.observation, addresses: [] } });
    expect(jobs).toMatchObject([{ kind: 'allocateAddress', name: 'entry1' }]);
  });

  it('keeps a healthy predecessor that still holds the address and lets the successor go', () => {
    const world = aHealthyWorld();
    const successor = aNode('lb1', { fact: { incarnation: 2 } });
    const observation = { ...world.observation, nodes: [...world.nodes, successor] };
    const { jobs } = planOf({ ...world, observation });
    expect(jobs).toMatchObject([{ kind: 'terminateNode', instanceId: 'i-1012' }]);
  });

  it('keeps the balancer that holds the address when only one is wanted', () => {
    const one = aHealthyWorld({ lb: { count: 1 } });
    const two = aHealthyWorld();
    const world = withHolder({ ...two, spec: one.spec }, 'i-1021');
    const terminated = planOf(world).jobs.flatMap((job) => (job.kind === 'terminateNode' ? [job.instanceId] : []));
    expect(terminated).toEqual(['i-1011']);
  });

  it('gives a dead balancer its successor though the other one, already followed, is not terminated yet; not before that is well', () => {
    const launched = (health: 'healthy' | 'unknown'): string[] => {
      const world = change(aHealthyWorld(), 'lb1', (node) => dead(node));
      const followed = change(world, 'lb2', (node) => dead(node));
      const successor = aNode('lb2', { fact: { incarnation: 2 }, health: aHealth(health) });
      const observation = { ...followed.observation, nodes: [...followed.observation.nodes, successor] };
      const attempts = { 'restart/i-1011': { count: 9, failures: 0, lastAtMs: NOW_MS - 600_000 } };
      const next = { ...followed, observation, memory: { ...followed.memory, attempts } };
      return planOf(next).jobs.flatMap((job) => (job.kind === 'launchNode' ? [job.slot] : []));
    };
    expect([launched('healthy'), launched('unknown')]).toEqual([['lb1'], []]);
  });
});
