import type { Instance } from '@aws-sdk/client-ec2';
import { describe, expect, it } from '@jest/globals';
import { addressFact, instanceFact, statusOf } from '../../lambdas/aws/ec2-facts';

const TAGS = [
  { Key: 'fiware-ha:cluster', Value: 'city' },
  { Key: 'fiware-ha:role', Value: 'orion' },
  { Key: 'fiware-ha:slot', Value: 'ctx2' },
  { Key: 'fiware-ha:incarnation', Value: '3' },
  { Key: 'Name', Value: 'city-ctx2' },
];

function anAnswer(change: Partial<Instance> = {}): Instance {
  return {
    InstanceId: 'i-0abc',
    State: { Code: 16, Name: 'running' },
    SubnetId: 'subnet-1',
    Placement: { AvailabilityZone: 'eu-west-1a' },
    PrivateIpAddress: '10.64.0.7',
    LaunchTime: new Date(1_800_000_000_000),
    Tags: TAGS,
    ...change,
  };
}

function withTag(Key: string, Value?: string): Instance {
  const others = TAGS.filter((tag) => tag.Key !== Key);
  return anAnswer({ Tags: Value === undefined ? others : [...others, { Key, Value }] });
}

describe('the fact of an instance', () => {
  it('comes from its tags, state and placement', () => {
    expect(instanceFact(anAnswer(), 'ok', {})).toEqual({
      instanceId: 'i-0abc',
      cluster: 'city',
      role: 'orion',
      slot: 'ctx2',
      incarnation: 3,
      zone: 'eu-west-1a',
      state: 'running',
      privateIp: '10.64.0.7',
      launchedAtMs: 1_800_000_000_000,
      status: 'ok',
    });
  });

  it('takes the zone of its subnet over the one that EC2 says', () => {
    expect(instanceFact(anAnswer(), 'ok', { 'subnet-1': 'eu-west-1c' })?.zone).toBe('eu-west-1c');
  });

  it('has no address while EC2 gives none', () => {
    expect(instanceFact(anAnswer({ PrivateIpAddress: undefined }), 'ok', {})).not.toHaveProperty('privateIp');
  });

  it('lists the further private addresses of the interface it is reached at, and none where EC2 lists no interface', () => {
    const ip = (PrivateIpAddress: string, Primary = false) => ({ PrivateIpAddress, Primary });
    const first = { Attachment: { DeviceIndex: 0 }, PrivateIpAddresses: [ip('10.64.0.7', true), ip('10.64.0.9'), ip('10.64.0.8')] };
    const other = { Attachment: { DeviceIndex: 1 }, PrivateIpAddresses: [ip('10.64.0.20', true), ip('10.64.0.21')] };
    const fact = (NetworkInterfaces: Instance['NetworkInterfaces']) => instanceFact(anAnswer({ NetworkInterfaces }), 'ok', {});
    expect(fact([other, first])?.secondaryIps).toEqual(['10.64.0.8', '10.64.0.9']);
    expect(fact([{ ...first, PrivateIpAddresses: [ip('10.64.0.7', true)] }])?.secondaryIps).toEqual([]);
    expect(fact([])).not.toHaveProperty('secondaryIps');
  });

  it.each([
    ['no cluster', withTag('fiware-ha:cluster')],
    ['no slot', withTag('fiware-ha:slot')],
    ['a role we do not know', withTag('fiware-ha:role', 'cosmos')],
    ['no incarnation', withTag('fiware-ha:incarnation')],
    ['an incarnation that is no number', withTag('fiware-ha:incarnation', 'first')],
    ['incarnation 0', withTag('fiware-ha:incarnation', '0')],
    ['no tags', anAnswer({ Tags: undefined })],
    ['no id', anAnswer({ InstanceId: undefined })],
    ['a state we do not know', anAnswer({ State: { Name: 'paused' as 'running' } })],
  ])('is not made of an instance with %s', (_, instance) => {
    expect(instanceFact(instance, 'ok', {})).toBeUndefined();
  });
});

describe('the fact of an address', () => {
  const address = {
    AllocationId: 'eipalloc-1',
    PublicIp: '203.0.113.9',
    Tags: [
      { Key: 'fiware-ha:cluster', Value: 'city' },
      { Key: 'fiware-ha:address', Value: 'entry1' },
    ],
  };

  it('has no holder while it is free', () => {
    expect(addressFact(address)).toEqual({ allocationId: 'eipalloc-1', cluster: 'city', name: 'entry1', publicIp: '203.0.113.9' });
    expect(addressFact({ ...address, InstanceId: '' })).not.toHaveProperty('holder');
  });

  it('names its holder', () => {
    expect(addressFact({ ...address, InstanceId: 'i-0abc' })?.holder).toBe('i-0abc');
    expect(addressFact({ ...address, InstanceId: 'i-0abc', PrivateIpAddress: '10.64.0.8' })?.privateIp).toBe('10.64.0.8');
  });

  it('is not made of an address of others', () => {
    expect(addressFact({ ...address, Tags: [] })).toBeUndefined();
    expect(addressFact({ ...address, AllocationId: undefined })).toBeUndefined();
  });
});

describe('the status of an instance', () => {
  it.each([
    ['ok', 'ok', 'ok'],
    ['ok', 'impaired', 'impaired'],
    ['impaired', 'initializing', 'impaired'],
    ['initializing', 'ok', 'initializing'],
    ['ok', 'insufficient-data', 'unknown'],
    ['not-applicable', 'not-applicable', 'unknown'],
    ['ok', undefined, 'unknown'],
  ] as const)('machine %s and host %s is %s', (machine, host, expected) => {
    expect(statusOf({ InstanceStatus: { Status: machine }, SystemStatus: { Status: host } })).toBe(expected);
  });
});
