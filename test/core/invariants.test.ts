import { describe, expect, it } from '@jest/globals';
import { findViolations } from '../../lambdas/core/invariants';
import type { PlannedJob } from '../../lambdas/core/jobs';
import { aHealthyWorld, aNode, change, dead, hostOfNode, look, setOf, withNodes } from '../builders';

const world = aHealthyWorld();
const [m1 = '', m2 = '', m3 = ''] = world.nodes.filter((node) => node.fact.role === 'mongo').map(hostOfNode);
const common = (jobKey: string) => ({ cluster: 'city', reason: 'planted', jobKey });
const terminate = (role: 'lb' | 'orion' | 'mongo', slot: string, instanceId: string): PlannedJob => ({
  kind: 'terminateNode',
  ...common(`t/${instanceId}`),
  role,
  slot,
  instanceId,
  expect: { holdsAddress: false },
});
const remove = (host: string, key = 'r'): PlannedJob => ({
  kind: 'reconfigReplicaSet',
  ...common(key),
  instanceId: 'i-3011',
  replicaSet: 'orion_rs',
  change: { change: 'remove', host },
  expect: { setVersion: 3, voters: [m1, m2, m3], nonVoters: [] },
});

function violations(jobs: PlannedJob[], of = world): string {
  return findViolations(look(of), jobs).join('; ');
}

describe('findViolations', () => {
  it('lets no planner force a configuration', () => {
    const force: PlannedJob = {
      kind: 'forceReplicaSet',
      ...common('f'),
      instanceId: 'i-3011',
      replicaSet: 'orion_rs',
      survivors: [m1],
      expect: { setVersion: 3 },
    };
    expect(violations([force])).toContain('only a person may force a configuration');
  });

  it('has nothing against an empty plan', () => {
    expect(violations([])).toBe('');
  });

  it('keeps the holder of an address, a member of the set and a node that fills its slot', () => {
    expect(violations([terminate('lb', 'lb1', 'i-1011')])).toContain('holds an address');
    expect(violations([terminate('mongo', 'mdb2', 'i-3021')])).toContain('member of the replica set');
    expect(violations([terminate('orion', 'ctx1', 'i-2011')])).toContain('fills ctx1');
    expect(violations([terminate('orion', 'ctx9', 'i-9')])).toContain('not observed');
  });

  it('keeps an address on a holder that may be alive', () => {
    const move: PlannedJob = {
      kind: 'moveAddress',
      ...common('m'),
      allocationId: 'eipalloc-1',
      to: 'i-1021',
      expect: { holder: 'i-1011' },
    };
    expect(violations([move])).toContain('its holder is healthy');
    expect(
      violations(
        [move],
        change(world, 'lb1', (node) => dead(node)),
      ),
    ).toBe('');
  });

  it('keeps a living majority in the old and the new configuration', () => {
    expect(violations([remove(m3)])).toBe('');
    const one = change(world, 'mdb2', (node) => dead(node));
    expect(violations([remove(m2)], one)).toBe('');
    expect(violations([remove(m1)], one)).toContain('1 of 2 voters would live');
  });

  it('gives two nodes of one slot never a vote each, but for a sole voter that hands over', () => {
    const successor = aNode('mdb3', { fact: { incarnation: 2 } });
    const heir = hostOfNode(successor);
    const joined = setOf(withNodes(world, [...world.nodes, successor]), { voters: [m1, m2, m3], nonVoters: [heir] });
    const vote = (voters: string[]): PlannedJob => ({
      kind: 'reconfigReplicaSet',
      ...common('v'),
      instanceId: 'i-3011',
      replicaSet: 'orion_rs',
      change: { change: 'raise-vote', host: heir },
      expect: { setVersion: 3, voters, nonVoters: [heir] },
    });
    expect(violations([vote([m1, m2, m3])], joined)).toContain(`${m3} of the same slot votes already`);
    expect(violations([vote([m1, m2])], joined)).toBe('');
    const sole = setOf(withNodes(world, [...world.nodes, successor]), { voters: [m3], nonVoters: [heir], primary: m3 });
    expect(violations([vote([m3])], sole)).toBe('');
  });

  it('steps a primary down only where another voter could lead, and restarts none that leads', () => {
    const step: PlannedJob = {
      kind: 'stepDownPrimary',
      ...common('s'),
      instanceId: 'i-3011',
      replicaSet: 'orion_rs',
      expect: { setVersion: 3, voters: [m1, m2, m3], nonVoters: [] },
    };
    expect(violations([step])).toBe('');
    const alone = change(
      change(world, 'mdb2', (node) => dead(node)),
      'mdb3',
      (node) => dead(node),
    );
    expect(violations([step], alone)).toContain('no other voter could lead');
    const restart = (slot: string, instanceId: string): PlannedJob => ({
      kind: 'applyConfig',
      ...common(`c/${slot}`),
      role: 'mongo',
      slot,
      instanceId,
      version: 'abcd',
      config: { role: 'mongo', replicaSet: 'orion_rs' },
      restarts: true,
    });
    expect(violations([restart('mdb1', 'i-3011')])).toContain('it is stepped down first');
    expect(violations([restart('mdb2', 'i-3021')])).toBe('');
    const one = change(world, 'mdb3', (node) => dead(node));
    expect(violations([restart('mdb2', 'i-3021')], one)).toContain('1 of 3 voters would be left meanwhile');
  });

  it('allows one disruption and each key once', () => {
    expect(violations([remove(m2, 'a'), remove(m3, 'b')])).toContain('2 disruptive jobs at once');
    expect(violations([remove(m2, 'a'), remove(m2, 'a')])).toContain('two jobs share one key');
  });

  it('never initiates or reuses an incarnation twice', () => {
    const initiate: PlannedJob = {
      kind: 'initiateReplicaSet',
      ...common('i'),
      instanceId: 'i-3011',
      replicaSet: 'orion_rs',
      members: [m1],
    };
    expect(violations([initiate])).toContain('initiated before');
    const launch: PlannedJob = {
      kind: 'launchNode',
      ...common('l'),
      role: 'orion',
      slot: 'ctx1',
      incarnation: 1,
      zone: 'a',
      instanceType: 't3.medium',
    };
    expect(violations([launch])).toContain('was used already');
  });

  it('gives no two running nodes of a role a configuration at once', () => {
    const apply = (slot: string, instanceId: string, restarts: boolean): PlannedJob => ({
      kind: 'applyConfig',
      ...common(`config/${instanceId}`),
      role: 'mongo',
      slot,
      instanceId,
      version: 'ab12',
      config: { role: 'mongo', replicaSet: 'orion_rs' },
      ...(restarts ? { restarts: true } : {}),
    });
    const both = [apply('mdb2', 'i-3021', true), apply('mdb3', 'i-3031', true)];
    expect(violations(both)).toContain('2 running mongo nodes given a configuration at once');
    expect(violations([apply('mdb2', 'i-3021', true), apply('mdb3', 'i-3031', false)])).toBe('');
  });

  it('forgets no cluster that is in use', () => {
    expect(violations([{ kind: 'forgetCluster', ...common('f') }])).toContain('not being deleted');
  });
});
