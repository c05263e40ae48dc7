import { describe, expect, it } from '@jest/globals';
import type { HelloFact } from '../../../lambdas/core/facts';
import type { Node } from '../../../lambdas/core/observation';
import {
  aHealth,
  aHealthyWorld,
  aNode,
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
} from '../../builders';

describe('what a node has to show before it is added', () => {
  const base = aHealthyWorld();
  const [m1 = '', m2 = '', m3 = ''] = memberHosts(base);
  const joining = (more: Partial<HelloFact>): World => {
    const world = setOf(base, { voters: [m1, m2] });
    return withNodes(
      world,
      world.nodes.map((node) => withHello(node, hostOfNode(node) === m3 ? more : { maxWireVersion: 21 })),
    );
  };

  it.each<[string, Partial<HelloFact>, string]>([
    ['of another MongoDB series', { maxWireVersion: 25 }, 'mdb3 (10.0.3.31:27017) speaks wire version 25, the primary 21'],
    ['of another set', { setName: 'other', maxWireVersion: 21 }, 'belongs to another replica set, other: it is not added and not wiped'],
    [
      'of a set of the same name that does not know it',
      { setName: 'orion_rs', maxWireVersion: 21 },
      'that set does not know it: it is not added',
    ],
  ])('one %s is not added, and the way out is said', (_what, more, words) => {
    expect(planOf(joining(more)).jobs).toEqual([]);
    expect(planOf(joining(more)).blocked.join()).toContain(words);
    expect(planOf(joining(more)).blocked.join()).toContain('terminate its instance');
  });

  it('it waits while the ids given so far are not known, and keeps the id it was given', () => {
    const world = joining({ maxWireVersion: 21 });
    const unknown = { ...world, memory: { ...world.memory, nextMemberId: 0 } };
    expect(planOf(unknown).jobs).toEqual([]);
    const again = { ...world, memory: { ...world.memory, nextMemberId: 9, memberIds: { [m3]: 7 } } };
    expect(planOf(again).jobs).toMatchObject([{ change: { change: 'add', host: m3, memberId: 7 } }]);
  });
});

describe('the default write concern', () => {
  const untold = (world: World): World => ({ ...world, memory: { ...world.memory, writeConcernSet: 1 } });

  it('is told to the primary when the spec has another one, and does not hold up a repair', () => {
    expect(planOf(untold(aHealthyWorld())).jobs).toMatchObject([
      { kind: 'setDefaultWriteConcern', instanceId: 'i-3011', writeConcern: 'majority' },
    ]);
    const base = aHealthyWorld();
    const [m1 = '', m2 = ''] = memberHosts(base);
    expect(planOf(untold(setOf(base, { voters: [m1, m2] }))).jobs.map((job) => job.kind)).toEqual([
      'setDefaultWriteConcern',
      'reconfigReplicaSet',
    ]);
  });

  it('stays 1 where the brokers do not ask for an acknowledgement', () => {
    const world = aHealthyWorld({ mongo: { writeConcern: 0 } });
    expect(planOf({ ...world, memory: { ...world.memory, writeConcernSet: 1 } }).jobs).toEqual([]);
  });
});

describe('a new node with the address of a member that is gone', () => {
  const base = aHealthyWorld();
  const [m1 = '', m2 = '', m3 = ''] = memberHosts(base);
  const { configVersion: _, probe: __, ...bare } = aNode('mdb3', { fact: { incarnation: 2 } });
  const health = { ...aHealth('unknown'), everHealthy: false };
  const newcomer = { ...bare, health, fact: { ...bare.fact, privateIp: m3.split(':')[0] ?? '' } };
  const withNewcomer = (set: Partial<HelloFact>) =>
    withNodes(
      base,
      base.nodes.map((node) => (node.fact.slot === 'mdb3' ? newcomer : withHello(node, set))),
    );

  it('is not started while the set counts it as a voter: that address leaves first', () => {
    expect(planOf(withNewcomer({})).jobs).toMatchObject([{ kind: 'reconfigReplicaSet', change: { change: 'remove', host: m3 } }]);
    expect(planOf(withNewcomer({})).notes.join()).toContain('mdb3 starts once the set has let go of its address');
  });

  const saying = (set: (node: Node) => Partial<HelloFact>, mdb3: Node = newcomer) =>
    withNodes(
      base,
      base.nodes.map((node) => (node.fact.slot === 'mdb3' ? mdb3 : withHello(node, set(node)))),
    );
  const leaderless = { hosts: [m1, m2], isWritablePrimary: false, secondary: true };

  it('is not started while no primary tells who is a member', () => {
    const plan = planOf(saying(() => leaderless));
    expect(plan.jobs).toEqual([]);
    expect(plan.notes.join()).toContain(
      'mdb3 starts once a primary, its configuration on a majority, tells that no member has its address',
    );
  });

  it('is not started while no member answers at all', () => {
    const silent = withNodes(
      base,
      base.nodes.map((node) => (node.fact.slot === 'mdb3' ? newcomer : node.fact.role === 'mongo' ? dead(node) : node)),
    );
    expect(planOf(silent).jobs.filter((job) => job.kind === 'applyConfig')).toEqual([]);
  });

  it('is not started while its removal from the voters may still be rolled back', () => {
    const ahead = saying((node) => ({ hosts: [m1, m2], setVersion: hostOfNode(node) === m1 ? 9 : 8 }));
    expect(planOf(ahead).jobs.filter((job) => job.kind === 'applyConfig')).toEqual([]);
    const settled = saying(() => ({ hosts: [m1, m2], setVersion: 9 }));
    expect(planOf(settled).jobs).toMatchObject([{ kind: 'applyConfig', slot: 'mdb3' }]);
  });

  it('gets no successor while it waits, which would wait as well', () => {
    const overGrace = { ...newcomer, health: aHealth('dead', 'boot') };
    expect(planOf(saying(() => leaderless, overGrace)).jobs.filter((job) => job.kind === 'launchNode')).toEqual([]);
  });

  it('is started where no member is left that could come back, so that a person finds nodes that answer', () => {
    const bare = (node: Node): Node => {
      const { configVersion: _, probe: __, ...rest } = node;
      return { ...rest, health };
    };
    const allNew = withNodes(
      base,
      base.nodes.map((node) => (node.fact.role === 'mongo' ? bare(node) : node)),
    );
    expect(planOf(allNew).jobs.flatMap((job) => (job.kind === 'applyConfig' ? [job.slot] : []))).toEqual(['mdb1', 'mdb2', 'mdb3']);
  });

  it('is started and joins as any other afterwards', () => {
    expect(planOf(withNewcomer({ hosts: [m1, m2] })).jobs).toMatchObject([{ kind: 'applyConfig', slot: 'mdb3' }]);
  });
});

describe('a member that never catches up', () => {
  const base = aHealthyWorld();
  const [m1 = '', m2 = '', m3 = ''] = memberHosts(base);
  const behind = (world: World, host: string, forS: number): World => ({
    ...world,
    memory: { ...world.memory, behindSinceMs: { [host]: NOW_MS - forS * 1000 } },
  });

  it('gets a successor after the bound, and no voter is touched', () => {
    const syncing = setOf(base, { voters: [m1, m2], nonVoters: [m3] });
    expect(planOf(behind(syncing, m3, 21_600)).jobs).toEqual([]);
    expect(planOf(behind(syncing, m3, 21_601)).jobs).toMatchObject([{ kind: 'launchNode', slot: 'mdb3', incarnation: 2 }]);
  });

  it('then leaves the set, which it never voted in', () => {
    const successor = aNode('mdb3', { fact: { incarnation: 2 } });
    const world = setOf(withNodes(base, [...base.nodes, successor]), { voters: [m1, m2], nonVoters: [m3] });
    expect(planOf(behind(world, m3, 30_000)).jobs).toContainEqual(expect.objectContaining({ change: { change: 'remove', host: m3 } }));
  });

  it('is no majority for a change while it still votes', () => {
    const rollingBack = withNodes(
      base,
      base.nodes.map((node) => withHello(node, hostOfNode(node) === m2 ? { secondary: false } : {})),
    );
    const world = change(rollingBack, 'mdb3', (node) => dead(node, 'boot'));
    const { jobs } = planOf(withNodes(world, [...world.nodes, aNode('mdb3', { fact: { incarnation: 2 } })]));
    expect(jobs.filter((job) => job.kind === 'reconfigReplicaSet')).toEqual([]);
  });
});

describe('two members that both say they lead', () => {
  it('are told apart by their election: the later one counts', () => {
    const base = aHealthyWorld();
    const [m1 = '', m2 = '', m3 = ''] = memberHosts(base);
    const split = base.nodes.map((node) => {
      if (hostOfNode(node) === m1) return withHello(node, { setVersion: 9, electionId: `7fffffff${'1'.padStart(16, '0')}` });
      return hostOfNode(node) === m2
        ? withHello(node, { isWritablePrimary: true, secondary: false, electionId: `7fffffff${'2'.padStart(16, '0')}`, hosts: [m2, m3] })
        : node;
    });
    const { mongo } = look(withNodes(base, split));
    expect(mongo.primary?.host).toBe(m2);
    expect(mongo.members.map((m) => m.host)).toEqual([m2, m3]);
  });
});
