import { describe, expect, it } from '@jest/globals';
import { isDisruptive } from '../../../lambdas/core/jobs';
import { plan } from '../../../lambdas/core/plan/plan';
import {
  aHealth,
  aHealthyWorld,
  aNode,
  aSpec,
  change,
  dead,
  inStep,
  lbsInStep,
  letGo,
  NOW_MS,
  type World,
  withNodes,
  withReplicaSet,
} from '../../builders';

function planOf(world: World) {
  return plan(world.spec, 'active', world.observation, world.memory, NOW_MS);
}

function kindsOf(world: World): string[] {
  return planOf(world).jobs.map((job) => job.kind);
}

function restarted(world: World, instanceId: string): World {
  const attempts = { [`restart/${instanceId}`]: { count: 1, failures: 0, lastAtMs: NOW_MS - 120_000 } };
  return { ...world, memory: { ...world.memory, attempts } };
}

describe('a dead broker', () => {
  const down = change(aHealthyWorld(), 'ctx2', (node) => dead(node));

  it('is restarted first', () => {
    expect(planOf(down).jobs).toMatchObject([{ kind: 'restartRole', slot: 'ctx2', instanceId: 'i-2021' }]);
  });

  it('is left alone for one more look when it answered the last time', () => {
    const answering = change(down, 'ctx2', (node) => ({ ...node, health: { ...node.health, good: 1, bad: 0 } }));
    expect(kindsOf(answering)).toEqual([]);
    expect(kindsOf(restarted(answering, 'i-2021'))).toEqual([]);
  });

  it('gets a successor when the restart did not help', () => {
    expect(planOf(restarted(down, 'i-2021')).jobs).toMatchObject([{ kind: 'launchNode', slot: 'ctx2', incarnation: 2 }]);
  });

  it('is terminated once its successor is there', () => {
    const world = restarted(down, 'i-2021');
    const successor = aNode('ctx2', { fact: { incarnation: 2 } });
    const next = inStep(
      withNodes({ ...world, memory: { ...world.memory, incarnations: { ...world.memory.incarnations, ctx2: 2 } } }, [
        ...world.nodes,
        successor,
      ]),
    );
    expect(planOf(next).jobs).toMatchObject([{ kind: 'terminateNode', instanceId: 'i-2021' }]);
  });

  it('that answers again is not terminated before its successor is well', () => {
    const world = restarted(down, 'i-2021');
    const memory = { ...world.memory, incarnations: { ...world.memory.incarnations, ctx2: 2 } };
    const successor = aNode('ctx2', { fact: { incarnation: 2 }, health: aHealth('unknown') });
    const terminated = (nodes: World['nodes']): string[] =>
      planOf(inStep(withNodes({ ...world, memory }, [...nodes, successor]))).jobs.flatMap((job) =>
        job.kind === 'terminateNode' ? [job.instanceId] : [],
      );
    const back = change(world, 'ctx2', (node) => ({ ...node, health: { ...node.health, good: 1, bad: 0 } }));
    expect([terminated(world.nodes), terminated(back.nodes)]).toEqual([['i-2021'], []]);
  });

  it('is replaced at once when EC2 says that it is gone', () => {
    expect(kindsOf(change(aHealthyWorld(), 'ctx2', (node) => dead(node, 'gone')))).toContain('launchNode');
    expect(kindsOf(change(aHealthyWorld(), 'ctx2', () => undefined))).toContain('launchNode');
  });

  it('is neither restarted nor replaced while the replica set has no primary', () => {
    const hosts = down.observation.nodes.filter((n) => n.fact.role === 'mongo').map((n) => `${n.fact.privateIp}:27017`);
    const world = withNodes(down, withReplicaSet(down.nodes, { voters: hosts, primary: null }));
    expect(kindsOf(world)).toEqual([]);
    expect(planOf(world).blocked.join()).toContain('the replica set has no primary');
    expect(kindsOf(restarted(world, 'i-2021'))).toEqual([]);
  });

  it('rests after a replacement', () => {
    const world = restarted(down, 'i-2021');
    const resting = { ...world, memory: { ...world.memory, cooldownUntilMs: { ctx2: NOW_MS + 30_000 } } };
    expect(kindsOf(resting)).toEqual([]);
    expect(planOf(resting).blocked.join()).toContain('it rests another 30 s');
  });
});

describe('brokers', () => {
  it.each(['database', 'overload'] as const)('are left alone with the sickness %s', (sickness) => {
    expect(kindsOf(change(aHealthyWorld(), 'ctx1', (node) => ({ ...node, health: aHealth('healthy', sickness) })))).toEqual([]);
  });

  it('are not replaced several at once', () => {
    const base = aHealthyWorld({ orion: { count: 4 } });
    const world = ['ctx1', 'ctx2'].reduce((w, slot) => change(w, slot, (node) => dead(node, 'boot')), base);
    expect(kindsOf(world).filter((kind) => kind === 'launchNode')).toHaveLength(1);
  });

  it('are launched in the emptiest zone, and not in a full one', () => {
    const base = aHealthyWorld({ orion: { count: 3 } });
    const world = change(base, 'ctx3', () => undefined);
    expect(planOf(world).jobs[0]).toMatchObject({ kind: 'launchNode', zone: 'eu-west-1c' });
    const full = { ...world, memory: { ...world.memory, zoneFullUntilMs: { 'eu-west-1c': NOW_MS + 1 } } };
    expect(planOf(full).jobs[0]).toMatchObject({ kind: 'launchNode', zone: 'eu-west-1a' });
  });

  it('grow all at once, spread over zones', () => {
    const two = aHealthyWorld();
    const { jobs } = planOf({ ...two, spec: aSpec({ orion: { count: 5 } }) });
    const launches = jobs.flatMap((job) => (job.kind === 'launchNode' ? [[job.slot, job.zone]] : []));
    expect(launches).toEqual([
      ['ctx3', 'eu-west-1c'],
      ['ctx4', 'eu-west-1a'],
      ['ctx5', 'eu-west-1b'],
    ]);
  });

  it('leave one by one, the last slot first, and only after the balancers have let them go', () => {
    const four = aHealthyWorld({ orion: { count: 4 } });
    const shrunk = { ...four, spec: aSpec({ orion: { count: 2 } }) };
    const first = planOf(shrunk);
    expect(first.jobs.map((job) => job.kind)).toEqual(['applyConfig']);
    expect(first.notes.join()).toContain('ctx4 (i-2041) is drained first: lb1 still has it');
    expect(planOf(inStep(shrunk)).jobs).toEqual([]);
    const [job] = planOf(letGo(shrunk, 'ctx4')).jobs;
    expect(job).toMatchObject({ kind: 'terminateNode', slot: 'ctx4' });
    expect(job?.reason).toContain('beyond the 2 orion nodes of the spec; drained: no connection is left 5 s after');
  });

  it('of the same slot and incarnation: the later one goes', () => {
    const world = aHealthyWorld();
    const twin = aNode('ctx1', { fact: { instanceId: 'i-2fff', privateIp: '10.0.2.99', launchedAtMs: NOW_MS - 1_000 } });
    expect(planOf(withNodes(world, [twin, ...world.nodes])).jobs).toMatchObject([{ kind: 'terminateNode', instanceId: 'i-2fff' }]);
  });
});

describe('the limits', () => {
  it('stop everything but launches into empty slots while the breaker is open', () => {
    const base = aHealthyWorld({ orion: { count: 4 } });
    const slots = ['lb2', 'ctx1', 'ctx2', 'ctx3', 'ctx4'];
    const world = slots.reduce((w, slot) => change(w, slot, (node) => dead(node)), base);
    expect(kindsOf(world)).toEqual([]);
    expect(planOf(world).blocked.join()).toContain('breaker open: 5 of 9 nodes');
    expect(kindsOf(change(world, 'mdb3', () => undefined))).toEqual(['launchNode']);
  });

  it('allow one disruptive job at a time', () => {
    const base = aHealthyWorld({ orion: { count: 4 } });
    const shrunk = lbsInStep(change(letGo({ ...base, spec: aSpec({ orion: { count: 2 } }) }, 'ctx4'), 'ctx3', (node) => dead(node)));
    const [first] = planOf(shrunk).jobs;
    expect(planOf(shrunk).jobs.filter(isDisruptive)).toHaveLength(1);
    if (!first) throw new Error('expected a job');
    const busy = { ...shrunk, memory: { ...shrunk.memory, inFlight: { [first.jobKey]: { job: first, plannedAtMs: NOW_MS } } } };
    expect(planOf(busy).jobs).toEqual([]);
    expect(planOf(busy).notes.join()).toContain('terminateNode waits for terminateNode: one disruption at a time');
  });

  it('let restarts of dead processes run beside the move of an address, one a role', () => {
    const base = aHealthyWorld({ orion: { count: 4 } });
    const world = ['lb1', 'ctx1', 'ctx2'].reduce((w, slot) => change(w, slot, (node) => dead(node)), base);
    expect(kindsOf(world)).toEqual(['moveAddress', 'restartRole', 'restartRole']);
  });

  it('do nothing on unknown or stale facts', () => {
    const world = change(aHealthyWorld(), 'ctx2', () => undefined);
    const blind = { ...world, observation: { ...world.observation, cloudKnown: false } };
    expect(planOf(blind)).toMatchObject({ jobs: [], sentence: 'blocked: EC2 could not be read: nothing is decided on unknown facts' });
    const stale = { ...world, observation: { ...world.observation, atMs: NOW_MS - 61_000 } };
    expect(planOf(stale)).toMatchObject({ jobs: [] });
  });

  it('let failures rest, longer each time', () => {
    const world = change(aHealthyWorld(), 'ctx2', () => undefined);
    const tried = (failures: number, agoMs: number): World => ({
      ...world,
      memory: { ...world.memory, attempts: { 'launch/ctx2': { count: failures, failures, lastAtMs: NOW_MS - agoMs } } },
    });
    expect(kindsOf(tried(1, 3_000))).not.toContain('launchNode');
    expect(kindsOf(tried(1, 4_000))).toContain('launchNode');
    expect(kindsOf(tried(4, 31_000))).not.toContain('launchNode');
    expect(kindsOf(tried(4, 32_000))).toContain('launchNode');
  });
});
