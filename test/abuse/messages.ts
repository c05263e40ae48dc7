/** One good message of every kind, by queue: what the hostile ones are made of. Builds values, sends nothing. */
import type { QueueName } from '../../lambdas/core/jobs';
import { anInstance, NOW_MS } from '../builders';
import { anEnabler } from '../node-configs';

const planned = { cluster: 'city', jobKey: 'city@1/launch/ctx2#0', reason: 'ctx2 has no node' };
const onNode = { ...planned, instanceId: 'i-0abc' };
const set = { ...onNode, replicaSet: 'orion_rs' };
const expected = { setVersion: 3, voters: ['10.0.3.1:27017', '10.0.3.2:27017'], nonVoters: ['10.0.3.3:27017'] };
const node = { ...onNode, version: 'abcd1234' };

const CONFIGS = {
  lb: {
    role: 'lb',
    port: 1026,
    brokers: [{ slot: 'ctx1', ip: '10.0.2.1' }],
    services: [{ role: 'iotagent-json', ports: { north: 4041, south: 7896 }, servers: [{ slot: 'iotj1', ip: '10.0.4.1' }] }],
    ip: '10.0.1.1',
    peers: ['10.0.1.2'],
    virtualRouterId: 51,
    advertIntervalS: 0.3,
    protocol: 'http',
    claims: { cluster: 'city', queueUrl: 'https://sqs.eu-west-1.amazonaws.com/1/failover' },
  },
  orion: {
    role: 'orion',
    version: '4.1.0',
    replicaSet: 'orion_rs',
    seeds: ['10.0.3.1:27017'],
    writeConcern: 'majority',
    readPreference: 'primary',
  },
  mongo: { role: 'mongo', replicaSet: 'orion_rs' },
  enabler: anEnabler('iotagent-json', { options: { mqtt: { host: 'mqtt.city', port: 1883, shared: true } } }),
  cygnus: anEnabler('cygnus', { index: 2, options: { channel: 'file' } }),
} as const;

export const GOOD_CONFIGS: readonly object[] = Object.values(CONFIGS);

export const GOOD_SPEC = {
  name: 'city',
  lb: { count: 2, instanceType: 't3.small' },
  entry: { advertIntervalS: 0.3, protocol: 'http' },
  orion: { count: 2, min: 1, max: 10, instanceType: 't3.medium', version: '4.1.0' },
  mongo: {
    count: 3,
    replicaSet: 'orion_rs',
    writeConcern: 'majority',
    readPreference: 'primary',
    instanceType: 't3.medium',
    volumeGib: 50,
  },
  enablers: { 'iotagent-json': { count: 2, options: { mqtt: { host: 'mqtt.city' } } }, cygnus: { options: { channel: 'file' } } },
  policy: { deadAfterChecks: 3, deadAfterS: 15, breakerShare: 0.5, mongoLagMaxS: 10 },
};

const facts = {
  atMs: NOW_MS,
  instances: [anInstance('lb1'), anInstance('ctx1'), anInstance('mdb1')],
  addresses: [{ allocationId: 'eipalloc-1', cluster: 'city', name: 'entry1', publicIp: '203.0.113.1', holder: 'i-1011' }],
};

export const GOOD: Record<QueueName, readonly object[]> = {
  'health-check': [
    { kind: 'minute' },
    { kind: 'sweep' },
    { kind: 'check', cluster: 'city' },
    { kind: 'check', cluster: 'city', facts },
    { kind: 'repairMajority', cluster: 'city', jobKey: 'cli-1', confirm: 'city', survivors: ['10.0.3.1:27017'] },
  ],
  provision: [
    { kind: 'createCluster', cluster: 'city', jobKey: 'cli-1', spec: GOOD_SPEC },
    { kind: 'scale', cluster: 'city', role: 'orion', count: 3, expect: { count: 2 } },
    { kind: 'deleteCluster', cluster: 'city', confirm: 'city' },
    { kind: 'repairMajority', cluster: 'city', confirm: 'city', survivors: ['10.0.3.1:27017'] },
    { kind: 'launchNode', ...planned, role: 'orion', slot: 'ctx2', incarnation: 1, zone: 'eu-west-1a', instanceType: 't3.medium' },
    { kind: 'terminateNode', ...onNode, role: 'orion', slot: 'ctx2', expect: { holdsAddress: false } },
    { kind: 'applyConfig', ...node, role: 'lb', slot: 'lb1', config: CONFIGS.lb },
    { kind: 'applyConfig', ...node, role: 'orion', slot: 'ctx1', config: CONFIGS.orion },
    { kind: 'applyConfig', ...node, role: 'mongo', slot: 'mdb1', config: CONFIGS.mongo, restarts: true },
    { kind: 'applyConfig', ...node, role: 'iotagent-json', slot: 'iotj1', config: CONFIGS.enabler },
    { kind: 'applyConfig', ...node, role: 'cygnus', slot: 'cyg2', config: CONFIGS.cygnus, restarts: true },
    { kind: 'restartRole', ...onNode, role: 'orion', slot: 'ctx2' },
    { kind: 'restartRole', ...onNode, role: 'sth-comet', slot: 'sth1', evenIfItAnswers: true },
    { kind: 'initiateReplicaSet', ...set, members: ['10.0.3.1:27017'] },
    { kind: 'reconfigReplicaSet', ...set, change: { change: 'add', host: '10.0.3.4:27017', memberId: 4 }, expect: expected },
    { kind: 'reconfigReplicaSet', ...set, change: { change: 'raise-vote', host: '10.0.3.3:27017' }, expect: expected },
    { kind: 'stepDownPrimary', ...set, expect: expected },
    { kind: 'setDefaultWriteConcern', ...set, writeConcern: 'majority' },
    { kind: 'forceReplicaSet', ...set, survivors: ['10.0.3.1:27017'], expect: { setVersion: 3 } },
    { kind: 'allocateAddress', ...planned, name: 'entry1' },
    { kind: 'addPrivateAddress', ...onNode, role: 'lb', slot: 'lb1', expect: { secondaryCount: 0 } },
    { kind: 'releaseAddress', ...planned, allocationId: 'eipalloc-0abc' },
    { kind: 'forgetCluster', ...planned },
  ],
  failover: [
    { kind: 'moveAddress', ...planned, allocationId: 'eipalloc-0abc', to: 'i-0abc', expect: { holder: 'i-0def' } },
    { kind: 'stayReady' },
    { kind: 'claimAddress', cluster: 'city', claimant: 'i-0abc', atMs: NOW_MS, state: 'MASTER' },
  ],
};
