import { describe, expect, it } from '@jest/globals';
import type { ConfigReport } from '../../lambdas/core/config-report';
import type { CloudFacts, NodeProbe, Probes } from '../../lambdas/core/facts';
import type { PlannedJob } from '../../lambdas/core/jobs';
import { EMPTY_MEMORY, type Memory } from '../../lambdas/core/memory';
import type { Node } from '../../lambdas/core/observation';
import { livingInstances, observe } from '../../lambdas/core/observe';
import { aHealth, anInstance, aSpec, NOW_MS, ZONES } from '../builders';

const spec = aSpec();
const cloudOf = (...instances: CloudFacts['instances']): CloudFacts => ({ atMs: NOW_MS, instances, addresses: [] });
const ids = (cloud: CloudFacts, memory: Partial<Memory>) =>
  livingInstances(cloud, { ...EMPTY_MEMORY, ...memory }).map((fact) => fact.instanceId);

describe('livingInstances', () => {
  it('counts a launched node that EC2 does not list yet', () => {
    const fact = anInstance('ctx1', { state: 'pending' });
    expect(ids(cloudOf(), { launched: { 'i-2011': { fact, atMs: NOW_MS } } })).toEqual(['i-2011']);
    expect(ids(cloudOf(anInstance('ctx1')), { launched: { 'i-2011': { fact, atMs: NOW_MS } } })).toEqual(['i-2011']);
  });

  it('leaves out what is terminated, whatever EC2 still shows', () => {
    expect(ids(cloudOf(anInstance('ctx1')), { terminated: { 'i-2011': NOW_MS } })).toEqual([]);
    expect(ids(cloudOf(anInstance('ctx1', { state: 'shutting-down' })), {})).toEqual([]);
  });
});

describe('observe', () => {
  const hello = { isWritablePrimary: false, secondary: true, setName: 'orion_rs', setVersion: 2, hosts: [], passives: [], lastWriteS: 100 };
  const members = [anInstance('mdb1'), anInstance('mdb2')];
  const probesOf = (lagS: number): Probes => ({
    'i-3011': {
      role: 'mongo',
      atMs: NOW_MS,
      process: { is: 'ok', latencyMs: 1 },
      hello: { ...hello, isWritablePrimary: true, secondary: false },
    },
    'i-3021': { role: 'mongo', atMs: NOW_MS, process: { is: 'ok', latencyMs: 1 }, hello: { ...hello, lastWriteS: 100 - lagS } },
  });

  it('gives a member all its time to catch up anew once there is a primary again', () => {
    const syncing = { ...hello, secondary: false, isWritablePrimary: false, hosts: ['10.0.3.11:27017', '10.0.3.21:27017'] };
    const probe = (over: object): NodeProbe => ({
      role: 'mongo',
      atMs: NOW_MS,
      process: { is: 'ok', latencyMs: 1 },
      hello: { ...syncing, ...over },
    });
    const behindAfter = (isWritablePrimary: boolean) => {
      const probes = { 'i-3011': probe({ isWritablePrimary }), 'i-3021': probe({}) };
      const memory = { ...EMPTY_MEMORY, replicaSetInitiated: true, behindSinceMs: { '10.0.3.21:27017': NOW_MS - 90_000 } };
      return observe(spec, cloudOf(...members), probes, memory, ZONES, NOW_MS).memory.behindSinceMs;
    };
    expect([behindAfter(true), behindAfter(false)]).toEqual([{ '10.0.3.21:27017': NOW_MS - 90_000 }, {}]);
  });

  it('knows nothing when EC2 could not be read, and keeps its memory', () => {
    const memory = { ...EMPTY_MEMORY, health: { 'i-1': aHealth() } };
    const seen = observe(spec, null, {}, memory, ZONES, NOW_MS);
    expect(seen.observation).toMatchObject({ cloudKnown: false, nodes: [] });
    expect(seen.memory).toBe(memory);
  });

  it('remembers since when a member has kept up, and forgets it when it lags', () => {
    const first = observe(spec, cloudOf(...members), probesOf(2), EMPTY_MEMORY, ZONES, NOW_MS).memory;
    expect(first.caughtUpSinceMs).toEqual({ '10.0.3.21:27017': NOW_MS });
    const later = observe(spec, cloudOf(...members), probesOf(2), first, ZONES, NOW_MS + 5_000).memory;
    expect(later.caughtUpSinceMs).toEqual({ '10.0.3.21:27017': NOW_MS });
    expect(observe(spec, cloudOf(...members), probesOf(11), later, ZONES, NOW_MS + 9_000).memory.caughtUpSinceMs).toEqual({});
  });

  it('gives a service its grace from when a primary came, not from its launch', () => {
    const young = spec.policy.bootGraceS * 1000 + 1;
    const grown = NOW_MS - young;
    const silent: NodeProbe = {
      role: 'orion',
      atMs: NOW_MS,
      process: { is: 'failed', detail: 'connection refused' },
      database: { is: 'unknown', detail: 'not asked' },
    };
    const broker = anInstance('ctx1', { launchedAtMs: grown });
    const balancer = anInstance('lb1', { launchedAtMs: grown });
    const probes = (withSet: boolean): Probes => ({
      ...(withSet ? probesOf(0) : {}),
      'i-2011': silent,
      'i-1011': { role: 'lb', atMs: NOW_MS, process: silent.process },
    });
    const healthOf = (withSet: boolean, memory: Partial<Memory> = {}) => {
      const seen = observe(spec, cloudOf(broker, balancer, ...members), probes(withSet), { ...EMPTY_MEMORY, ...memory }, ZONES, NOW_MS);
      const [orion, lb] = seen.observation.nodes.map(({ health }) => health.health);
      return { orion, lb, since: seen.memory.primarySinceMs };
    };
    expect(healthOf(false)).toEqual({ orion: 'unknown', lb: 'dead', since: undefined });
    expect(healthOf(true)).toEqual({ orion: 'unknown', lb: 'dead', since: NOW_MS });
    expect(healthOf(true, { primarySinceMs: grown })).toEqual({ orion: 'dead', lb: 'dead', since: grown });
    expect(healthOf(false, { primarySinceMs: grown })).toEqual({ orion: 'unknown', lb: 'dead', since: undefined });
  });

  it('knows from any member that the set was initiated', () => {
    expect(observe(spec, cloudOf(...members), probesOf(0), EMPTY_MEMORY, ZONES, NOW_MS).memory.replicaSetInitiated).toBe(true);
    expect(observe(spec, cloudOf(...members), {}, EMPTY_MEMORY, ZONES, NOW_MS).memory.replicaSetInitiated).toBe(false);
  });

  it.each(['lb1', 'ctx1', 'mdb1'])("believes %s' own word about its configuration, and its last result while it is silent", (slot) => {
    const fact = anInstance(slot);
    const process = { is: 'ok', latencyMs: 1 } as const;
    const atMs = NOW_MS;
    const silent: NodeProbe =
      fact.role === 'orion' ? { role: 'orion', atMs, process, database: process } : { role: fact.role, atMs, process };
    const seen = (report: ConfigReport, applied: Record<string, string> = { [fact.instanceId]: 'v1' }) => {
      const probes = { [fact.instanceId]: { ...silent, ...report } };
      const { configVersion, drifted } = observe(spec, cloudOf(fact), probes, { ...EMPTY_MEMORY, applied }, ZONES, NOW_MS).observation
        .nodes[0] as Node;
      return { configVersion, drifted };
    };
    expect(seen({ configVersion: 'v0' })).toEqual({ configVersion: 'v0', drifted: undefined });
    expect(seen({ drifted: '/etc/x' })).toEqual({ configVersion: 'v1', drifted: '/etc/x' });
    expect(seen({})).toEqual({ configVersion: 'v1', drifted: undefined });
    expect(seen({ drifted: '/etc/x' }, {})).toEqual({ configVersion: undefined, drifted: undefined });
    expect(seen({}, {})).toEqual({ configVersion: undefined, drifted: undefined });
  });

  describe('of a node whose first configuration has no known result', () => {
    const fact = anInstance('ctx1');
    const process = { is: 'ok', latencyMs: 1 } as const;
    const telling: NodeProbe = { role: 'orion', atMs: NOW_MS - 10, process, database: process, configVersion: 'v0' };
    const seenWith = (memory: Partial<Memory>, probe: NodeProbe = telling) =>
      observe(spec, cloudOf(fact), { [fact.instanceId]: probe }, { ...EMPTY_MEMORY, ...memory }, ZONES, NOW_MS);

    it('does not believe its word while it is being told: what it tells may be half of it', () => {
      const job = { kind: 'applyConfig', instanceId: fact.instanceId, jobKey: 'k' } as PlannedJob;
      const { observation, memory } = seenWith({ inFlight: { k: { job, plannedAtMs: NOW_MS - 5_000 } } });
      expect([observation.nodes[0]?.configVersion, memory.applied]).toEqual([undefined, {}]);
    });

    it('believes it afterwards, and remembers it while the node is silent', () => {
      const { observation, memory } = seenWith({});
      expect(observation.nodes[0]?.configVersion).toBe('v0');
      expect([memory.applied, memory.appliedAtMs]).toEqual([{ 'i-2011': 'v0' }, { 'i-2011': NOW_MS - 10 }]);
      const silent: NodeProbe = { role: 'orion', atMs: NOW_MS, process: { is: 'failed', detail: 'no answer in time' } };
      expect(seenWith(memory, silent).observation.nodes[0]?.configVersion).toBe('v0');
    });

    it('leaves what is known of others as it is', () => {
      const known = { applied: { 'i-2021': 'v9' }, appliedAtMs: { 'i-2021': 7 } };
      expect(seenWith(known).memory).toMatchObject({ applied: { 'i-2021': 'v9', 'i-2011': 'v0' }, appliedAtMs: { 'i-2021': 7 } });
    });
  });

  it('never forgets the highest incarnation of a slot', () => {
    const memory = { ...EMPTY_MEMORY, incarnations: { ctx1: 4 } };
    expect(observe(spec, cloudOf(anInstance('ctx1', { incarnation: 2 })), {}, memory, ZONES, NOW_MS).memory.incarnations.ctx1).toBe(4);
  });
});
