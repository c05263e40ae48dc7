import { describe, expect, it } from '@jest/globals';
import { findViolations } from '../../../lambdas/core/invariants';
import type { JobOf } from '../../../lambdas/core/jobs';
import { EMPTY_MEMORY } from '../../../lambdas/core/memory';
import type { Node } from '../../../lambdas/core/observation';
import { observe } from '../../../lambdas/core/observe';
import { putInFlight } from '../../../lambdas/core/outbox';
import { mayHaveBegunOn } from '../../../lambdas/core/plan/beginning';
import { problemsOfChange } from '../../../lambdas/core/spec-change';
import { aHealthyWorld, aNode, anInstance, aSpec, dead, look, NOW_MS, planOf, type World, withReplicaSet, ZONES } from '../../builders';

const INITIATE: JobOf<'initiateReplicaSet'> = {
  kind: 'initiateReplicaSet',
  cluster: 'city',
  jobKey: 'city@0/initiate#0',
  reason: 'all answer',
  instanceId: 'i-3011',
  replicaSet: 'orion_rs',
  members: ['10.0.3.11:27017'],
};
const LATE_MS = NOW_MS - 181_000;

/** A cluster without a set, whose mdb1 was told to begin one; nobody saw how it ended. */
function aCity(mongo: Node[], count = mongo.length, atMs = NOW_MS - 5_000): World {
  const world = aHealthyWorld({ mongo: { count } });
  const members = withReplicaSet(mongo, { voters: [] });
  const nodes = [...world.nodes.filter(({ fact }) => fact.role !== 'mongo'), ...members];
  const memory = { ...world.memory, replicaSetInitiated: false, initiating: { instanceId: 'i-3011', atMs } };
  return { ...world, nodes, memory, observation: { ...world.observation, nodes } };
}

const aboutSet = (world: World) => planOf(world).jobs.filter((job) => /initiate|mdb/.test(job.jobKey));

describe('a set that may have begun on a node', () => {
  it('is remembered from the write that plans it, until it is seen or its node is gone', () => {
    const memory = putInFlight(EMPTY_MEMORY, [INITIATE], NOW_MS);
    expect(memory.initiating).toEqual({ instanceId: 'i-3011', atMs: NOW_MS });
    const mdb1 = anInstance('mdb1');
    const memoryOf = (fact: typeof mdb1, setName?: string) =>
      observe(
        aSpec(),
        { atMs: NOW_MS, instances: [fact], addresses: [] },
        {
          [fact.instanceId]: {
            role: 'mongo',
            atMs: NOW_MS,
            process: { is: 'ok', latencyMs: 1 },
            hello: { ...(setName ? { setName } : {}), isWritablePrimary: false, secondary: false, hosts: [], passives: [] },
          },
        },
        memory,
        ZONES,
        NOW_MS,
      ).memory;
    expect(memoryOf(mdb1)).toMatchObject({ initiating: { instanceId: 'i-3011' }, replicaSetInitiated: false });
    expect(memoryOf(mdb1, 'orion_rs')).toMatchObject({ replicaSetInitiated: true });
    expect(memoryOf(mdb1, 'orion_rs')).not.toHaveProperty('initiating');
    expect(memoryOf({ ...mdb1, state: 'terminated' })).not.toHaveProperty('initiating');
  });

  it('is begun again there alone, also where another answers first', () => {
    const world = aCity([aNode('mdb3'), aNode('mdb2'), aNode('mdb1')]);
    expect(aboutSet(world)).toMatchObject([{ kind: 'initiateReplicaSet', instanceId: 'i-3011' }]);
    const elsewhere = { ...INITIATE, instanceId: 'i-3021' };
    expect(findViolations(look(world), [elsewhere]).join()).toContain('it may have begun on mdb1 (i-3011)');
    expect(findViolations(look(world), [INITIATE])).toEqual([]);
  });

  it.each([NOW_MS - 5_000, LATE_MS])('keeps its node when that dies: no successor comes, and a person is told (told at %i)', (atMs) => {
    const world = aCity([dead(aNode('mdb1')), aNode('mdb2'), aNode('mdb3')], 3, atMs);
    world.memory.attempts['restart/i-3011'] = { count: 9, failures: 0, lastAtMs: 0 };
    expect(aboutSet(world)).toEqual([]);
    expect(planOf(world).blocked.join()).toContain(
      'mdb1 (i-3011) is dead: connection refused; not replaced: the replica set may have begun on it: bring it back, or terminate its instance if nobody needs its data',
    );
  });

  it('is not begun on a successor, and its node is not taken down, while that is there', () => {
    const stopped = dead(aNode('mdb1', { fact: { state: 'stopped' } }), 'gone');
    const world = aCity([stopped, aNode('mdb1', { fact: { incarnation: 2 } })], 1);
    expect(aboutSet(world)).toEqual([]);
    expect(planOf(world).blocked.join()).toContain('mdb1 (i-3011): the replica set may have begun on it');
    const terminate = { role: 'mongo', slot: 'mdb1', instanceId: 'i-3011', expect: { holdsAddress: false } } as const;
    const job = { ...INITIATE, ...terminate, kind: 'terminateNode' } as const;
    expect(findViolations(look(world), [job]).join()).toContain('may have begun on the node');
  });

  it('has not begun where the node belongs to no set once the command can come no more', () => {
    const nodes = [aNode('mdb1'), aNode('mdb1', { fact: { incarnation: 2 } })];
    const begunOn = (atMs: number) => mayHaveBegunOn(look(aCity(nodes, 1, atMs)))?.fact.instanceId;
    expect([begunOn(NOW_MS - 5_000), begunOn(LATE_MS)]).toEqual(['i-3011', undefined]);
    expect(aboutSet(aCity(nodes, 1, LATE_MS))).toMatchObject([{ kind: 'initiateReplicaSet', instanceId: 'i-3012' }]);
  });

  it('keeps its name', () => {
    const { memory, spec } = aCity([aNode('mdb1')]);
    const row = { cluster: 'city', version: 1, phase: 'active', spec, memory, status: null } as const;
    expect(problemsOfChange(row, aSpec({ mongo: { count: 1, replicaSet: 'other' } })).join()).toContain('mongo.replicaSet');
  });

  it('is restarted once where only its first member knew of it, whatever the policy says, and gets no successor', () => {
    const begun = (edit: (node: Node) => Node, restarts = 0, initiated = true): World => {
      const world = aCity([edit({ ...aNode('mdb1'), configVersion: 'v1' }), aNode('mdb2'), aNode('mdb3')]);
      const { initiating: _, ...memory } = world.memory;
      const attempts = { ...memory.attempts, 'restart/i-3011': { count: restarts, failures: 0, lastAtMs: 0 } };
      const policy = { ...world.spec.policy, restartsBeforeReplace: 0 };
      return { ...world, spec: { ...world.spec, policy }, memory: { ...memory, replicaSetInitiated: initiated, attempts } };
    };
    const jobsOf = (world: World) => planOf(world).jobs.flatMap(({ kind, jobKey }) => (/mdb|i-3011/.test(jobKey) ? [kind] : []));
    expect(jobsOf(begun(dead))).toEqual(['restartRole']);
    expect(jobsOf(begun(dead, 1))).toEqual([]);
    expect(planOf(begun(dead, 1)).blocked.join()).toContain(
      'not replaced: nobody who answers knows the replica set, and it may hold its data',
    );
    expect(jobsOf(begun(dead, 0, false))).toEqual(['launchNode']);
    expect(jobsOf(begun((node) => dead(node, 'gone')))).toEqual(['launchNode']);
    const never = (node: Node): Node => ({ ...dead(node), health: { ...dead(node).health, everHealthy: false } });
    expect(jobsOf(begun(never))).toEqual(['launchNode']);
  });

  it("is known again once another member answers with it: restarts are the policy's, and a successor comes", () => {
    const world = aHealthyWorld();
    const nodes = world.nodes.map((node) => (node.fact.slot === 'mdb1' ? dead(node) : node));
    const policy = { ...world.spec.policy, restartsBeforeReplace: 0 };
    const known = { ...world, nodes, spec: { ...world.spec, policy }, observation: { ...world.observation, nodes } };
    expect(planOf(known).jobs).toMatchObject([{ kind: 'launchNode', slot: 'mdb1' }]);
  });
});
