/** Decisions about the roles of the catalogue beside the brokers. */
import { describe, expect, it } from '@jest/globals';
import type { NodeHealth } from '../../../lambdas/core/memory';
import { differences, settingsOf, withSettings } from '../../../lambdas/core/rollout-settings';
import { countOf, withCount } from '../../../lambdas/core/spec';
import { aHealth, aHealthyWorld, change, dead, inStep, look, memberHosts, NOW_MS, planOf, setOf, type World } from '../../builders';

const ENABLERS = { 'sth-comet': {}, cygnus: {} };
const base = aHealthyWorld({ enablers: ENABLERS });

const jobsOf = (world: World, prefix: string) =>
  planOf(world).jobs.flatMap((job) => ('slot' in job && job.slot.startsWith(prefix) ? [`${job.kind} ${job.slot}`] : []));

function withHealth(world: World, slot: string, health: NodeHealth): World {
  return change(world, slot, (node) => ({ ...node, health }));
}

/** Answers, and has said for so long that it has no database. */
const cutOff = (forS: number): NodeHealth => ({ ...aHealth('healthy', 'database'), lacksDatabaseSinceMs: NOW_MS - forS * 1000 });

describe('a healthy cluster with other roles', () => {
  it('needs nothing', () => {
    expect(planOf(base).jobs).toEqual([]);
    expect(look(base).slots.wanted.cygnus.map(({ slot }) => slot)).toEqual(['cyg1', 'cyg2']);
  });

  it('waits with their configuration until there is an address by which they reach the brokers', () => {
    const { observation } = base;
    const world = { ...base, observation: { ...observation, addresses: [] } };
    expect(look(world).configs.services.size).toBe(0);
    expect(look(base).configs.services.get('sth2')?.config).toMatchObject({ broker: { host: '203.0.113.1', port: 1026 }, index: 2 });
  });
});

describe('a service that answers without its database', () => {
  it('is restarted once it has been so for as long as its entry says, and the set is well', () => {
    expect(jobsOf(withHealth(base, 'sth1', cutOff(100)), 'sth')).toEqual([]);
    const world = withHealth(base, 'sth1', cutOff(130));
    expect(jobsOf(world, 'sth')).toEqual(['restartRole sth1']);
    const [job] = planOf(world).jobs;
    expect(job).toMatchObject({ kind: 'restartRole', evenIfItAnswers: true });
    expect(job?.reason).toContain('answers without its database');
  });

  it('is left alone while the set has no primary, and where its driver comes back by itself', () => {
    const world = withHealth(base, 'sth1', cutOff(600));
    expect(jobsOf(setOf(world, { voters: memberHosts(base), primary: null }), 'sth')).toEqual([]);
    const alone = withHealth(base, 'ctx1', cutOff(600));
    expect(jobsOf(alone, 'ctx')).toEqual([]);
    expect(planOf(alone).sentence).toMatch(/^ctx1 \(i-2011\) answers without its database, .*, while others of its role have it$/);
    expect(planOf(withHealth(base, 'ctx1', cutOff(100))).sentence).not.toContain('ctx1');
    expect(planOf(withHealth(withHealth(base, 'ctx2', cutOff(600)), 'ctx1', cutOff(600))).sentence).not.toContain('while others');
  });

  it('one at a time, and twice as late after each restart that did not help', () => {
    const both = withHealth(withHealth(base, 'sth1', cutOff(600)), 'sth2', cutOff(600));
    expect(jobsOf(both, 'sth')).toEqual(['restartRole sth1']);
    const tried = (agoS: number): World => {
      const instanceId = base.nodes.find(({ fact }) => fact.slot === 'sth1')?.fact.instanceId;
      const attempts = { [`reconnect/${instanceId}`]: { count: 1, failures: 0, lastAtMs: NOW_MS - agoS * 1000 } };
      const world = withHealth(base, 'sth1', cutOff(3_600));
      return { ...world, memory: { ...world.memory, attempts } };
    };
    expect(jobsOf(tried(200), 'sth')).toEqual([]);
    expect(jobsOf(tried(250), 'sth')).toEqual(['restartRole sth1']);
  });
});

describe('a dead service', () => {
  it('is restarted first, then replaced, as a broker is', () => {
    const world = change(base, 'sth2', (node) => dead(node));
    expect(jobsOf(world, 'sth')).toEqual(['restartRole sth2']);
    const instanceId = base.nodes.find(({ fact }) => fact.slot === 'sth2')?.fact.instanceId;
    const attempts = { [`restart/${instanceId}`]: { count: 1, failures: 0, lastAtMs: NOW_MS - 120_000 } };
    expect(jobsOf({ ...world, memory: { ...world.memory, attempts } }, 'sth')).toEqual(['launchNode sth2']);
    expect(planOf({ ...world, memory: { ...world.memory, attempts } }).jobs[0]).toMatchObject({ instanceType: 't3.small', incarnation: 2 });
  });

  it('that needs the set is not replaced for the lack of a primary', () => {
    const world = setOf(
      change(base, 'sth2', (node) => dead(node)),
      { voters: memberHosts(base), primary: null },
    );
    expect(jobsOf(world, 'sth')).toEqual([]);
    expect(planOf(world).blocked.join()).toContain('the replica set has no primary');
  });
});

describe('new settings of a pair', () => {
  const changed = {
    ...base,
    spec: { ...base.spec, enablers: { ...base.spec.enablers, cygnus: { ...cygnusOf(base), version: '3.16.0' } } },
  };

  it('go to the one that waits first: it is drained, though nobody sends to it', () => {
    expect(look(changed).drain?.node.fact.slot).toBe('cyg2');
    expect(look(inStep(changed)).drain).toBeUndefined();
  });

  it('are told apart for people, and can be taken back', () => {
    const [before, after] = [settingsOf(base.spec, 'cygnus'), settingsOf(changed.spec, 'cygnus')];
    expect(differences(before, after)).toEqual(['enablers.cygnus.version 3.17.0 → 3.16.0']);
    expect(withSettings(changed.spec, before)?.enablers.cygnus?.version).toBe('3.17.0');
    expect(withSettings(changed.spec, before)?.enablers['sth-comet']).toEqual(base.spec.enablers['sth-comet']);
  });

  it('of the balancers of before name the roles of before: one that they do not take is not offered', () => {
    const without = settingsOf({ ...base.spec, enablers: {} }, 'lb');
    expect(withSettings(base.spec, without)?.enablers).toEqual({});
    expect(withSettings(base.spec, settingsOf(base.spec, 'lb'))?.enablers).toEqual(base.spec.enablers);
  });
});

function cygnusOf({ spec }: World) {
  const { cygnus } = spec.enablers;
  if (!cygnus) throw new Error('the spec has no cygnus');
  return cygnus;
}

describe('the count of a role', () => {
  it('is the same job for all, within the bounds of the entry', () => {
    expect(countOf(base.spec, 'sth-comet')).toBe(2);
    expect(countOf(base.spec, 'orion-ld')).toBe(0);
    const more = withCount(base.spec, 'sth-comet', 5);
    expect(more.ok && countOf(more.value, 'sth-comet')).toBe(5);
    const none = withCount(base.spec, 'iotagent-ul', 2);
    expect(none.ok ? '' : none.problems.join()).toMatch(/^enablers\.iotagent-ul: expected a role that the cluster has/);
    const one = withCount(base.spec, 'cygnus', 1);
    expect(one.ok ? '' : one.problems.join()).toContain('enablers.cygnus.count: expected 2 to 4');
  });
});
