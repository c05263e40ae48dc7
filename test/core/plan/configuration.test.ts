import { describe, expect, it } from '@jest/globals';
import { plan } from '../../../lambdas/core/plan/plan';
import { lookAt } from '../../../lambdas/core/plan/situation';
import {
  aHealth,
  aHealthyWorld,
  change,
  dead,
  inStep,
  letGo,
  look,
  memberHosts,
  NOW_MS,
  planOf,
  type World,
  withNodes,
  withReplicaSet,
} from '../../builders';

function appliesOf(world: World): string[] {
  return planOf(world).jobs.flatMap((job) => (job.kind === 'applyConfig' ? [job.slot] : []));
}

const unconfigured = (world: World, ...slots: string[]): World =>
  slots.reduce((w, slot) => change(w, slot, ({ configVersion: _, ...node }) => node), world);
const outdated = (world: World, ...slots: string[]): World =>
  slots.reduce((w, slot) => change(w, slot, (node) => ({ ...node, configVersion: 'old' })), world);

describe('planConfiguration', () => {
  it('configures new nodes all at once', () => {
    expect(appliesOf(unconfigured(aHealthyWorld(), 'lb1', 'lb2', 'ctx1', 'ctx2', 'mdb2')).sort()).toEqual([
      'ctx1',
      'ctx2',
      'lb1',
      'lb2',
      'mdb2',
    ]);
  });

  it('reconfigures running nodes one at a time a role', () => {
    const world = outdated(aHealthyWorld(), 'lb1', 'lb2', 'ctx1', 'ctx2');
    expect(appliesOf(world)).toEqual(['lb1']);
    expect(appliesOf(letGo(world, 'ctx1'))).toEqual(['ctx1']);
  });

  it('restarts members of the replica set one at a time, the primary only after it stepped down', () => {
    const world = outdated(aHealthyWorld(), 'mdb1', 'mdb2');
    expect(planOf(world).jobs).toMatchObject([{ kind: 'stepDownPrimary', instanceId: 'i-3011' }]);
    const [m1 = '', m2 = '', m3 = ''] = memberHosts(world);
    const led = withNodes(world, withReplicaSet(world.nodes, { voters: [m1, m2, m3], primary: m3 }));
    expect(planOf(led).jobs).toMatchObject([{ kind: 'applyConfig', slot: 'mdb1', restarts: true }]);
  });

  it('restarts no member whose absence would cost the majority', () => {
    const world = change(outdated(aHealthyWorld(), 'mdb2'), 'mdb3', (node) => dead(node, 'boot'));
    expect(appliesOf(world)).toEqual([]);
    expect(planOf(world).blocked.join()).toContain('1 of 3 voters would be left');
  });

  it('restarts the only member of a set, which nobody can stand in for', () => {
    expect(appliesOf(outdated(aHealthyWorld({ mongo: { count: 1 } }), 'mdb1'))).toEqual(['mdb1']);
  });

  it('stops a rollout while another node of the role is not well', () => {
    const world = change(outdated(aHealthyWorld(), 'lb2'), 'lb1', (node) => ({ ...node, health: aHealth('suspect') }));
    expect(appliesOf(world)).toEqual([]);
  });

  it('tells the balancers the brokers and each other', () => {
    const s = look(aHealthyWorld());
    expect(s.configs.lb.get('i-1011')?.config).toEqual({
      role: 'lb',
      port: 1026,
      brokers: [
        { slot: 'ctx1', ip: '10.0.2.11' },
        { slot: 'ctx2', ip: '10.0.2.21' },
      ],
      ip: '10.0.1.11',
      peers: ['10.0.1.21'],
      virtualRouterId: 51,
      advertIntervalS: 0.3,
      protocol: 'http',
    });
  });

  it('tells the balancers where the deployment takes claims, and for which cluster', () => {
    const world = aHealthyWorld({ entry: { advertIntervalS: 0.5 } });
    const claimQueueUrl = 'https://sqs/failover';
    const s = look({ ...world, observation: { ...world.observation, claimQueueUrl } });
    expect(s.configs.lb.get('i-1021')?.config).toMatchObject({
      advertIntervalS: 0.5,
      claims: { cluster: 'city', queueUrl: claimQueueUrl },
    });
  });

  it('gives brokers no configuration before there is a primary to name', () => {
    const world = aHealthyWorld();
    const young = withNodes(
      { ...world, memory: { ...world.memory, brokerSeeds: [] } },
      withReplicaSet(world.nodes, { voters: memberHosts(world), primary: null }),
    );
    expect(appliesOf(unconfigured(young, 'ctx1', 'ctx2'))).toEqual([]);
  });

  it('keeps the seeds of the brokers when one member is replaced, so that none restarts', () => {
    const world = aHealthyWorld();
    const [m1 = '', m2 = ''] = memberHosts(world);
    const replaced = withNodes(world, withReplicaSet(world.nodes, { voters: [m1, m2, '10.0.3.99:27017'] }));
    expect(appliesOf(replaced)).toEqual([]);
    expect(look(replaced).configs.orion?.config).toMatchObject({ seeds: world.memory.brokerSeeds });
  });

  it('gives new seeds once most of the old ones are gone, to one broker after the other', () => {
    const world = aHealthyWorld();
    const [m1 = ''] = memberHosts(world);
    const replaced = withNodes(world, withReplicaSet(world.nodes, { voters: [m1, '10.0.3.98:27017', '10.0.3.99:27017'] }));
    expect(appliesOf(replaced)).toEqual(['lb1']);
    expect(appliesOf(letGo(replaced, 'ctx1'))).toEqual(['ctx1']);
  });

  it('leaves dead nodes alone', () => {
    expect(appliesOf(change(outdated(aHealthyWorld(), 'ctx1'), 'ctx1', (node) => dead(node)))).toEqual([]);
  });
});

describe('planDeletion', () => {
  const world = aHealthyWorld();
  const deletion = (of: World) => plan(of.spec, 'deleting', of.observation, of.memory, NOW_MS).jobs.map((job) => job.kind);

  it('takes addresses and nodes', () => {
    expect(deletion(world)).toEqual(['releaseAddress', ...Array(7).fill('terminateNode')]);
  });

  it('forgets the cluster last', () => {
    const empty = { ...world, nodes: [], observation: { ...world.observation, nodes: [], addresses: [] } };
    expect(deletion(empty)).toEqual(['forgetCluster']);
  });

  it('does not forget what could not be looked at', () => {
    const blind = { ...world, observation: { ...world.observation, nodes: [], addresses: [], cloudKnown: false } };
    expect(deletion(blind)).toEqual([]);
  });

  it('waits for a launch under way', () => {
    const job = {
      kind: 'launchNode',
      cluster: 'city',
      jobKey: 'city@1/launch/ctx9#0',
      reason: 'x',
      role: 'orion',
      slot: 'ctx9',
      incarnation: 1,
      zone: 'a',
      instanceType: 't3.small',
    } as const;
    const memory = { ...world.memory, inFlight: { [job.jobKey]: { job, plannedAtMs: NOW_MS } } };
    const observation = { ...world.observation, nodes: [], addresses: [] };
    expect(plan(world.spec, 'deleting', observation, memory, NOW_MS).jobs).toEqual([]);
    expect(lookAt(world.spec, 'deleting', observation, memory, NOW_MS).inFlight).toHaveLength(1);
  });
});

describe('inStep', () => {
  it('is what a plan without applyConfig means', () => {
    expect(appliesOf(inStep(inStep(outdated(aHealthyWorld(), 'lb1', 'ctx1'))))).toEqual([]);
  });
});
