import { describe, expect, it } from '@jest/globals';
import { findViolations } from '../../../lambdas/core/invariants';
import type { PlannedJob } from '../../../lambdas/core/jobs';
import { EMPTY_MEMORY } from '../../../lambdas/core/memory';
import type { Node } from '../../../lambdas/core/observation';
import { majorityOf } from '../../../lambdas/core/plan/mongo-view';
import { planReplicaSet } from '../../../lambdas/core/plan/replica-set';
import { lookAt } from '../../../lambdas/core/plan/situation';
import {
  aHealth,
  aHealthyWorld,
  aNode,
  aSpec,
  caughtUp,
  change,
  dead,
  hostOfNode,
  look,
  memberHosts,
  NOW_MS,
  planOf,
  setOf,
  type World,
  withHello,
  withNodes,
  withReplicaSet,
  ZONES,
} from '../../builders';

describe('a new replica set', () => {
  const spec = aSpec();
  const nodes = ['mdb1', 'mdb2', 'mdb3'].map((slot) => aNode(slot));
  const fresh = withReplicaSet(nodes, { voters: [] });
  const world = (of: Node[]): World => ({
    spec,
    nodes: of,
    memory: EMPTY_MEMORY,
    observation: { cluster: 'city', atMs: NOW_MS, cloudKnown: true, zones: ZONES, nodes: of, addresses: [] },
  });

  it('is initiated once all members answer', () => {
    const step = planReplicaSet(look(world(fresh)));
    expect(step.jobs).toMatchObject([
      { kind: 'initiateReplicaSet', instanceId: 'i-3011', members: ['10.0.3.11:27017', '10.0.3.21:27017', '10.0.3.31:27017'] },
    ]);
  });

  it('waits for the last member', () => {
    const step = planReplicaSet(look(world(fresh.slice(0, 2))));
    expect(step.jobs).toEqual([]);
    expect(step.notes.join()).toContain('waiting for 1 of 3 members');
  });

  it('is never initiated a second time, even if no member knows it', () => {
    const once = { ...world(fresh), memory: { ...EMPTY_MEMORY, replicaSetInitiated: true } };
    expect(planReplicaSet(look(once)).jobs).toEqual([]);
    expect(planReplicaSet(look(once)).blocked.join()).toContain('never initiated twice');
  });

  it('keeps the predecessor of a node while a configuration is on its way to it: it may be taken in a moment', () => {
    const followed = fresh.map((node) => (node.fact.slot === 'mdb3' ? dead(node, 'boot') : node));
    const half = world([...followed, aNode('mdb3', { fact: { incarnation: 2 } })]);
    const terminated = (w: World): string[] =>
      planOf(w).jobs.flatMap((job) => (job.kind === 'terminateNode' && job.role === 'mongo' ? [job.instanceId] : []));
    expect(terminated(half)).toEqual(['i-3031']);
    const job: PlannedJob = {
      kind: 'applyConfig',
      cluster: 'city',
      jobKey: 'city@0/config/i-3031#0',
      reason: 'x',
      role: 'mongo',
      slot: 'mdb3',
      instanceId: 'i-3031',
      version: 'v',
      config: { role: 'mongo', replicaSet: 'orion_rs' },
    };
    const told = { ...half, memory: { ...half.memory, inFlight: { [job.jobKey]: { job, plannedAtMs: NOW_MS } } } };
    expect(terminated(told)).toEqual([]);
    expect(planOf(told).notes.join()).toContain('mdb3 (i-3031) is taking a configuration, and may serve in a moment');
  });

  it('goes on being said to be forgotten while members beyond it are launched', () => {
    const booting = ({ probe: _, configVersion: __, ...node }: Node): Node => ({ ...node, health: aHealth('unknown') });
    const grown = {
      ...world(fresh.map((node, i) => (i === 0 ? node : booting(node)))),
      memory: { ...EMPTY_MEMORY, replicaSetInitiated: true },
    };
    expect(planReplicaSet(look(grown)).blocked.join()).toContain('never initiated twice');
    const one = { ...world(fresh.slice(0, 1)), memory: { ...EMPTY_MEMORY, replicaSetInitiated: true } };
    expect(planReplicaSet(look(one)).blocked.join()).toContain('never initiated twice');
    // One that took its configuration and does not answer may be the one that knows.
    const silent = fresh.map((node, i) => (i === 0 ? node : { ...booting(node), configVersion: 'v' }));
    expect(planReplicaSet(look({ ...grown, ...world(silent), memory: grown.memory })).blocked).toEqual([]);
  });

  it('goes on being said to be forgotten while a new node took its configuration and was never well', () => {
    const answers = (everHealthy: boolean): string => {
      const silent = fresh.map(({ probe, ...node }, i): Node => {
        if (i === 0 && probe) return { ...node, probe };
        return { ...node, configVersion: 'v', health: { ...aHealth('unknown'), everHealthy } };
      });
      return planReplicaSet(look({ ...world(silent), memory: { ...EMPTY_MEMORY, replicaSetInitiated: true } })).blocked.join();
    };
    expect(answers(false)).toContain('never initiated twice');
    expect(answers(true)).toBe('');
  });

  it('that somebody began with one member is completed member by member', () => {
    const [first = ''] = fresh.map(hostOfNode);
    const begun = world(withReplicaSet(fresh, { voters: [first] }));
    const known = { ...begun, memory: { ...EMPTY_MEMORY, writeConcernSet: 'majority', nextMemberId: 1 } as const };
    const { jobs } = planReplicaSet(look(known));
    expect(jobs).toMatchObject([{ kind: 'reconfigReplicaSet', change: { change: 'add', host: '10.0.3.21:27017', memberId: 1 } }]);
  });

  it('whose ids nobody told yet is asked for them, together with its default write concern, before anybody is added', () => {
    const [first = ''] = fresh.map(hostOfNode);
    const { jobs } = planReplicaSet(look(world(withReplicaSet(fresh, { voters: [first] }))));
    expect(jobs.map((job) => job.kind)).toEqual(['setDefaultWriteConcern']);
  });

  it('is not made of members of several MongoDB series', () => {
    const mixed = fresh.map((node, i) => withHello(node, { maxWireVersion: i === 2 ? 25 : 21 }));
    expect(planReplicaSet(look(world(mixed))).jobs).toEqual([]);
    expect(planReplicaSet(look(world(mixed))).blocked).toEqual([
      'mdb2 speaks wire version 21, mdb3 speaks wire version 25: a replica set of several MongoDB series is not initiated; give all members the same series, then terminate those that differ',
    ]);
  });

  it("does not touch members of somebody else's set", () => {
    const foreign = fresh.map((node) => withHello(node, { setName: 'other' }));
    expect(planReplicaSet(look(world(foreign))).jobs).toEqual([]);
    expect(planReplicaSet(look(world(foreign))).blocked.join()).toContain('replica set other');
  });
});

describe('the replacement of a dead member', () => {
  const base = aHealthyWorld();
  const [m1 = '', m2 = '', m3 = ''] = memberHosts(base);
  const gone = change(base, 'mdb3', () => undefined);
  const successor = aNode('mdb3', {
    fact: { incarnation: 2 },
    configVersion: base.nodes.find((n) => n.fact.slot === 'mdb3')?.configVersion ?? '',
  });
  const n3 = hostOfNode(successor);
  const launched = withNodes(gone, [...gone.nodes, successor]);

  it('starts with a new node', () => {
    expect(planOf(gone).jobs).toMatchObject([{ kind: 'launchNode', slot: 'mdb3', incarnation: 2 }]);
  });

  it('adds it without a vote', () => {
    const world = setOf(launched, { voters: [m1, m2, m3] });
    expect(planOf(world).jobs).toMatchObject([
      {
        kind: 'reconfigReplicaSet',
        instanceId: 'i-3011',
        change: { change: 'add', host: n3, memberId: 3 },
        expect: { setVersion: 3, voters: [m1, m2, m3], nonVoters: [] },
      },
    ]);
  });

  it('waits until it has caught up', () => {
    const world = setOf(launched, { voters: [m1, m2, m3], nonVoters: [n3] });
    expect(planOf(world).jobs).toEqual([]);
    expect(planOf(world).notes).toEqual(['replica set: mdb3 joins without a vote and is catching up (21600 s at most)']);
  });

  it('then removes the dead voter, then raises the vote', () => {
    const joined = caughtUp(setOf(launched, { voters: [m1, m2, m3], nonVoters: [n3] }), n3);
    expect(planOf(joined).jobs).toMatchObject([{ change: { change: 'remove', host: m3 } }]);
    const removed = caughtUp(setOf(launched, { voters: [m1, m2], nonVoters: [n3] }), n3);
    expect(planOf(removed).jobs).toMatchObject([{ change: { change: 'raise-vote', host: n3 } }]);
  });

  it('stops when the majority is lost, and says what to read', () => {
    const world = change(setOf(launched, { voters: [m1, m2, m3] }), 'mdb2', (node) => dead(node, 'boot'));
    const result = planOf(world);
    expect(result.jobs.filter((job) => job.kind === 'reconfigReplicaSet')).toEqual([]);
    expect(result.blocked.join()).toContain('majority lost: 1 of 3 voters answer, 2 needed');
  });

  it('steps a primary down before it is removed', () => {
    const five = aHealthyWorld({ mongo: { count: 5 } });
    const all = memberHosts(five);
    const shrinking = setOf({ ...five, spec: aSpec() }, { voters: all, primary: all[4] ?? null });
    const [first] = planOf(shrinking).jobs.filter((job) => job.kind !== 'launchNode');
    expect(first).toMatchObject({ kind: 'reconfigReplicaSet', change: { change: 'remove', host: all[3] } });
    const last = setOf({ ...five, spec: aSpec() }, { voters: [...all.slice(0, 3), all[4] ?? ''], primary: all[4] ?? null });
    expect(planOf(last).jobs).toMatchObject([{ kind: 'stepDownPrimary', instanceId: 'i-3051' }]);
  });

  it('gives a caught-up successor a vote before the only living voter leaves', () => {
    const one = aHealthyWorld({ mongo: { count: 1 } });
    const [old = ''] = memberHosts(one);
    const heir = aNode('mdb1', {
      fact: { incarnation: 2 },
      configVersion: one.nodes.find((n) => n.fact.slot === 'mdb1')?.configVersion ?? '',
    });
    const both = withNodes(one, [...one.nodes, heir]);
    const silent = caughtUp(setOf(both, { voters: [old], nonVoters: [hostOfNode(heir)] }), hostOfNode(heir));
    expect(planOf(silent).jobs).toMatchObject([{ kind: 'reconfigReplicaSet', change: { change: 'raise-vote', host: hostOfNode(heir) } }]);
    const voting = setOf(both, { voters: [old, hostOfNode(heir)], primary: old });
    expect(planOf(voting).jobs).toMatchObject([{ kind: 'stepDownPrimary' }]);
    const led = setOf(both, { voters: [old, hostOfNode(heir)], primary: hostOfNode(heir) });
    expect(planOf(led).jobs).toMatchObject([{ kind: 'reconfigReplicaSet', change: { change: 'remove', host: old } }]);
  });

  it('keeps a member node until the set has let it go', () => {
    const world = setOf(
      withNodes(base, [...base.nodes.map((node) => (node.fact.slot === 'mdb3' ? dead(node, 'boot') : node)), successor]),
      { voters: [m1, m2, m3], nonVoters: [n3] },
    );
    expect(planOf(world).jobs.filter((job) => job.kind === 'terminateNode')).toEqual([]);
    expect(planOf(world).notes.join()).toContain('still a member of the replica set');
  });
});

/** Every 3- and 5-member set with every combination of living and dead voters and of joining members that have caught up or not. */
function everyState(): World[] {
  const worlds: World[] = [];
  for (const count of [3, 5]) {
    const base = aHealthyWorld({ mongo: { count } });
    const slots = base.nodes.filter((node) => node.fact.role === 'mongo').map((node) => node.fact.slot);
    for (let deadBits = 0; deadBits < 2 ** count; deadBits++)
      for (let primary = -1; primary < count; primary++)
        for (const joined of [0, 1, 2]) {
          if (primary >= 0 && deadBits & (1 << primary)) continue;
          const isDead = (i: number) => (deadBits & (1 << i)) !== 0;
          const voters = memberHosts(base);
          const kept = base.nodes.map((node) =>
            isDead(slots.indexOf(node.fact.slot)) && node.fact.role === 'mongo' ? dead(node, 'boot') : node,
          );
          const successors = slots.filter((_, i) => isDead(i)).map((slot) => aNode(slot, { fact: { incarnation: 2 } }));
          const nonVoters = joined > 0 ? successors.map(hostOfNode) : [];
          const nodes = withReplicaSet([...kept, ...successors], {
            voters,
            nonVoters,
            primary: primary < 0 ? null : (voters[primary] ?? null),
          });
          const world = withNodes(base, nodes);
          worlds.push(joined === 2 ? caughtUp(world, ...nonVoters) : world);
        }
  }
  return worlds;
}

describe('every state of 3 and 5 members', () => {
  it('gets a plan without violation, that keeps a living majority and changes one voter at most', () => {
    const worlds = everyState();
    expect(worlds.length).toBeGreaterThan(300);
    for (const world of worlds) {
      const s = lookAt(world.spec, 'active', world.observation, world.memory, NOW_MS);
      const { jobs } = planOf(world);
      expect(findViolations(s, jobs)).toEqual([]);
      const changes = jobs.filter((job): job is Extract<PlannedJob, { kind: 'reconfigReplicaSet' }> => job.kind === 'reconfigReplicaSet');
      expect(changes.length).toBeLessThanOrEqual(1);
      const living = s.mongo.votersLiving;
      if (living < majorityOf(s.mongo.voters)) expect(changes).toEqual([]);
      for (const { change: step } of changes) {
        if (step.change !== 'remove') continue;
        const stillLiving = s.mongo.members.filter((m) => m.votes && m.living && m.host !== step.host).length;
        expect(stillLiving).toBeGreaterThanOrEqual(majorityOf(s.mongo.voters - 1));
      }
    }
  });
});
