import { describe, expect, it } from '@jest/globals';
import { findViolations } from '../../../lambdas/core/invariants';
import type { PlannedJob } from '../../../lambdas/core/jobs';
import type { NodeConfig } from '../../../lambdas/core/node-config';
import type { Node } from '../../../lambdas/core/observation';
import { withDrain } from '../../../lambdas/core/plan/drain';
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
  look,
  NOW_MS,
  planOf,
  type World,
  withNodes,
} from '../../builders';

/** Slots the balancers should send to. */
function poolOf(world: World): string[] {
  const { config } = look(world).configs.lb.get('i-1011') ?? {};
  return (config as Extract<NodeConfig, { role: 'lb' }> | undefined)?.brokers.map(({ slot }) => slot) ?? [];
}

const kindsOf = (world: World) => planOf(world).jobs.map(({ kind, ...job }) => `${kind} ${'slot' in job ? job.slot : ''}`);
const outdated = (world: World, ...slots: string[]): World =>
  slots.reduce((w, slot) => change(w, slot, (node) => ({ ...node, configVersion: 'old' })), world);
const health = (world: World, slot: string, ...of: Parameters<typeof aHealth>): World =>
  change(world, slot, (node) => ({ ...node, health: aHealth(...of) }));
/** The world as the row remembers it after one more look. */
const looked = (world: World): World => ({ ...world, memory: withDrain(world.memory, look(world).drain) });
const scaledTo = (world: World, count: number): World => ({ ...world, spec: aSpec({ orion: { count } }) });
const inFlight = (world: World, job: PlannedJob | undefined): World => {
  if (!job) throw new Error('expected a job');
  return { ...world, memory: { ...world.memory, inFlight: { [job.jobKey]: { job, plannedAtMs: NOW_MS } } } };
};

describe('the drain of a broker that is to go', () => {
  const shrunk = scaledTo(aHealthyWorld({ orion: { count: 4 } }), 2);

  it('takes it alone out of the balancers: those that go after it serve until it is their turn', () => {
    expect(poolOf(shrunk)).toEqual(['ctx1', 'ctx2', 'ctx3']);
    expect(look(shrunk).drain).toMatchObject({ instanceId: 'i-2041', keptBy: 'lb1' });
  });

  it('counts from the moment on which both balancers run without it', () => {
    const half = change(lbsInStep(shrunk), 'lb2', (node) => ({ ...node, configVersion: 'old' }));
    expect(looked(half).memory.draining).toEqual({ instanceId: 'i-2041', sinceMs: NOW_MS });
    expect(looked(lbsInStep(shrunk)).memory.draining).toEqual({ instanceId: 'i-2041', sinceMs: NOW_MS, letGoAtMs: NOW_MS });
  });

  it('waits for no balancer that is dead', () => {
    const one = change(lbsInStep(shrunk), 'lb2', (node) => dead({ ...node, configVersion: 'old' }));
    expect(look(one).drain).toMatchObject({ letGoAtMs: NOW_MS });
  });

  it('starts anew when a balancer has another configuration again, or is just being told one', () => {
    const gone = letGo(shrunk, 'ctx4');
    expect(look(change(gone, 'lb2', (node) => ({ ...node, configVersion: 'drifted' }))).drain).not.toHaveProperty('letGoAtMs');
    const [told] = planOf(shrunk).jobs;
    expect(look(inFlight(gone, told)).drain).toMatchObject({ keptBy: 'lb1' });
  });

  it.each([
    ['a connection is left', { agoS: 5, connections: 1 }, []],
    ['none is left', { agoS: 5, connections: 0 }, ['terminateNode ctx4']],
    ['one is left after all the time it gets', { agoS: 30, connections: 1 }, ['terminateNode ctx4']],
    ['nobody counts', { agoS: 29, connections: 'uncounted' }, []],
    ['nobody counts, after all the time it gets', { agoS: 30, connections: 'uncounted' }, ['terminateNode ctx4']],
    ['none was left before the balancers let it go', { agoS: 0, connections: 0 }, []],
  ] as const)('when %s', (_, state, jobs) => {
    expect(kindsOf(letGo(shrunk, 'ctx4', state))).toEqual(jobs);
  });

  it('waits for no request where the spec says so', () => {
    const spec = aSpec({ orion: { count: 2 }, policy: { drainMaxS: 0 } });
    expect(kindsOf(letGo({ ...shrunk, spec }, 'ctx4', { agoS: 0, connections: 7 }))).toEqual(['terminateNode ctx4']);
    expect(kindsOf({ ...shrunk, spec })).toEqual(['applyConfig lb1']);
  });

  it('is given up when the scale-in is taken back: the broker serves again', () => {
    const back = scaledTo(letGo(shrunk, 'ctx4'), 4);
    expect(poolOf(back)).toEqual(['ctx1', 'ctx2', 'ctx3', 'ctx4']);
    expect(looked(back).memory).not.toHaveProperty('draining');
  });

  it('is given up when the others fail: the last that serves stays', () => {
    const gone = letGo(scaledTo(aHealthyWorld({ orion: { count: 3 } }), 2), 'ctx3');
    const failing = ['ctx1', 'ctx2'].reduce((w, slot) => health(w, slot, 'suspect'), gone);
    expect(poolOf(failing)).toContain('ctx3');
    expect(kindsOf(failing)).not.toContain('terminateNode ctx3');
    expect(planOf(failing).notes.join()).toContain('ctx3 (i-2031) stays for now: no other orion serves well enough meanwhile');
  });

  it('holds on to it while its termination is under way', () => {
    const gone = letGo(shrunk, 'ctx4');
    const failing = ['ctx1', 'ctx2', 'ctx3'].reduce((w, slot) => health(w, slot, 'suspect'), inFlight(gone, planOf(gone).jobs[0]));
    expect(poolOf(failing)).not.toContain('ctx4');
  });

  it('is not waited for where the broker is dead', () => {
    expect(kindsOf(change(lbsInStep(shrunk), 'ctx4', (node) => dead(node)))).toContain('terminateNode ctx4');
  });

  it('is left out for one that is dead, and its job says what that rests on; a job after a drain does not', () => {
    const expectsOf = (world: World) => planOf(world).jobs.flatMap((job) => (job.kind === 'terminateNode' ? [job.expect] : []));
    expect(expectsOf(change(lbsInStep(shrunk), 'ctx4', (node) => dead(node)))).toEqual([{ holdsAddress: false, serves: false }]);
    expect(expectsOf(letGo(shrunk, 'ctx4', { agoS: 5, connections: 0 }))).toEqual([{ holdsAddress: false }]);
    const neverConfigured = change(shrunk, 'ctx4', ({ configVersion: _, ...node }) => dead(node));
    expect(expectsOf(neverConfigured)).toEqual([{ holdsAddress: false }]);
  });

  it('is waited for where it answers again, though it counts as dead: a balancer may send to it still', () => {
    const back = (node: Node): Node => ({ ...node, health: { ...dead(node).health, good: 1, bad: 0 } });
    const answers = change(lbsInStep(change(shrunk, 'ctx4', back)), 'lb2', (node) => ({ ...node, configVersion: 'old' }));
    expect(poolOf(answers)).not.toContain('ctx4');
    expect(look(answers).drain).toMatchObject({ instanceId: 'i-2041', keptBy: 'lb2' });
    expect(kindsOf(answers)).toEqual(['applyConfig lb2']);
    expect(kindsOf(change(letGo(shrunk, 'ctx4', { agoS: 5, connections: 0 }), 'ctx4', back))).toEqual(['terminateNode ctx4']);
  });

  it('does not begin for one that takes its first configuration just now', () => {
    const young = change(shrunk, 'ctx4', ({ configVersion: _, ...node }) => node);
    const job: PlannedJob = {
      kind: 'applyConfig',
      cluster: 'city',
      jobKey: 'city@1/config/i-2041#0',
      reason: 'x',
      role: 'orion',
      slot: 'ctx4',
      instanceId: 'i-2041',
      version: 'v',
      config: { role: 'mongo', replicaSet: 'orion_rs' },
    };
    expect(kindsOf(young)).toContain('terminateNode ctx4');
    expect(kindsOf(inFlight(young, job))).not.toContain('terminateNode ctx4');
  });
});

describe('the drain of a broker that is to restart', () => {
  const old = outdated(aHealthyWorld(), 'ctx1', 'ctx2');

  it('takes the first out, restarts it, and lets the next wait until it is back and well', () => {
    expect(poolOf(old)).toEqual(['ctx2']);
    expect(kindsOf(old)).toEqual(['applyConfig lb1']);
    const drained = letGo(old, 'ctx1');
    expect(kindsOf(drained)).toEqual(['applyConfig ctx1']);
    expect(planOf(drained).jobs[0]?.reason).toContain('drained: no connection is left 5 s after');
    const restarted = health(inStep(change(drained, 'ctx2', (node) => node)), 'ctx1', 'suspect');
    const halfway = outdated(restarted, 'ctx2');
    expect(poolOf(halfway)).toEqual(['ctx2']);
    expect(kindsOf(halfway)).toEqual([]);
    const back = looked(health(halfway, 'ctx1', 'healthy'));
    expect(back.memory.draining).toMatchObject({ instanceId: 'i-2021' });
    expect(poolOf(back)).toEqual(['ctx1']);
  });

  it('keeps a broker out while its restart is under way, even if its own need is over by then', () => {
    const drained = letGo(old, 'ctx1');
    const reverted = inStep(inFlight(drained, planOf(drained).jobs[0]));
    expect(poolOf(reverted)).toEqual(['ctx2']);
  });

  it('puts it back while a failed restart rests, and when the change is taken back', () => {
    const attempts = { 'config/i-2011': { count: 2, failures: 2, lastAtMs: NOW_MS - 1_000 } };
    const drained = letGo(outdated(aHealthyWorld(), 'ctx1'), 'ctx1');
    expect(poolOf({ ...drained, memory: { ...drained.memory, attempts } })).toEqual(['ctx1', 'ctx2']);
    const reverted = inStep(drained);
    expect(poolOf(reverted)).toEqual(['ctx1', 'ctx2']);
  });

  it.each([
    ['dead', undefined],
    ['suspect', undefined],
    ['unknown', undefined],
    ['healthy', 'database'],
  ] as const)('waits while the other is %s %s', (state, sickness) => {
    const world = health(outdated(aHealthyWorld(), 'ctx1'), 'ctx2', state, sickness);
    expect(poolOf(world)).toEqual(['ctx1', 'ctx2']);
    expect(kindsOf(world)).not.toContain('applyConfig ctx1');
  });

  it('goes on where none has the database: they lose nothing by it', () => {
    const world = ['ctx1', 'ctx2'].reduce((w, slot) => health(w, slot, 'healthy', 'database'), old);
    expect(poolOf(world)).toEqual(['ctx2']);
  });

  it('is left out for the only broker, and the journal says what that costs', () => {
    const [job] = planOf(outdated(aHealthyWorld({ orion: { count: 1 } }), 'ctx1')).jobs;
    expect(job).toMatchObject({ kind: 'applyConfig', slot: 'ctx1', restarts: true });
    expect(job?.reason).toContain('it is the only orion: there is none to drain it towards');
  });

  it('is left out for a broker that never served', () => {
    const world = change(outdated(aHealthyWorld(), 'ctx1'), 'ctx1', (node) => ({ ...node, health: aHealth('unknown', 'boot') }));
    expect(kindsOf(world)).toEqual(['applyConfig ctx1']);
    expect(poolOf(world)).toEqual(['ctx1', 'ctx2']);
  });
});

describe('a predecessor that came back', () => {
  const base = aHealthyWorld({ orion: { count: 1 } });
  const successor = (of: Parameters<typeof aHealth>) =>
    aNode('ctx1', { fact: { incarnation: 2 }, health: aHealth(...of), configVersion: 'v' });

  it('serves until its successor is well, and is drained then', () => {
    const early = withNodes(base, [...base.nodes, successor(['unknown', 'boot'])]);
    expect(look(early).configs.lb.get('i-1011')?.config).toMatchObject({ brokers: [{ slot: 'ctx1', ip: '10.0.2.11' }] });
    const late = withNodes(base, [...base.nodes, successor(['healthy'])]);
    expect(look(late).configs.lb.get('i-1011')?.config).toMatchObject({ brokers: [{ slot: 'ctx1', ip: '10.0.2.12' }] });
    expect(look(late).drain).toMatchObject({ instanceId: 'i-2011' });
  });
});

describe('a plan', () => {
  it('that stops a broker which a balancer may still send to is no safe one', () => {
    const shrunk = scaledTo(aHealthyWorld({ orion: { count: 3 } }), 2);
    const jobs = planOf(letGo(shrunk, 'ctx3')).jobs;
    expect(findViolations(look(letGo(shrunk, 'ctx3')), jobs)).toEqual([]);
    expect(findViolations(look(shrunk), jobs).join()).toContain('lb1 may still send to it');
  });

  it('that restarts one is none either', () => {
    const old = outdated(aHealthyWorld(), 'ctx1');
    const { jobs } = planOf(letGo(old, 'ctx1'));
    expect(findViolations(look(letGo(old, 'ctx1')), jobs)).toEqual([]);
    expect(findViolations(look(old), jobs).join()).toContain('lb1 may still send to it');
  });
});
