import { EC2Client } from '@aws-sdk/client-ec2';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { LaunchRequest } from '../../lambdas/app/ports';
import { clientToken, type LaunchSettings, makeCompute } from '../../lambdas/aws/ec2-compute';
import { byRole } from '../../lambdas/core/names';
import { type Answer, type Call, fakeAws, stopFakes, xml, xmlError } from './fake-aws';

afterEach(stopFakes);

const SETTINGS: LaunchSettings = {
  subnets: [
    { zone: 'eu-west-1a', public: 'subnet-pa', private: 'subnet-na' },
    { zone: 'eu-west-1b', public: 'subnet-pb', private: 'subnet-nb' },
  ],
  launchTemplates: byRole((role) => `lt-${role}`),
  imageIds: byRole((role) => (role === 'mongo' ? 'resolve:ssm:/ubuntu' : 'ami-1')),
  placementGroups: 'on',
};

const REQUEST: LaunchRequest = {
  cluster: 'city',
  role: 'mongo',
  slot: 'mdb1',
  incarnation: 2,
  zone: 'eu-west-1b',
  instanceType: 't3.medium',
  token: 'a token of any length '.repeat(10),
};

function instanceXml(id: string, cluster = 'city', state = 'running'): string {
  const tags = { 'fiware-ha:cluster': cluster, 'fiware-ha:role': 'lb', 'fiware-ha:slot': 'lb1', 'fiware-ha:incarnation': '1' };
  const tagSet = Object.entries(tags).map(([key, value]) => `<item><key>${key}</key><value>${value}</value></item>`);
  return `<item><instanceId>${id}</instanceId><instanceState><code>16</code><name>${state}</name></instanceState>
    <launchTime>2026-01-05T03:00:00.000Z</launchTime><subnetId>subnet-pa</subnetId><tagSet>${tagSet.join('')}</tagSet></item>`;
}

function instancesXml(items: string[], nextToken?: string): Answer {
  const reservations = `<reservationSet><item><instancesSet>${items.join('')}</instancesSet></item></reservationSet>`;
  return xml('DescribeInstances', `${reservations}${nextToken ? `<nextToken>${nextToken}</nextToken>` : ''}`);
}

function statusXml(ids: string[]): Answer {
  const items = ids.map(
    (id) =>
      `<item><instanceId>${id}</instanceId><systemStatus><status>ok</status></systemStatus><instanceStatus><status>ok</status></instanceStatus></item>`,
  );
  return xml('DescribeInstanceStatus', `<instanceStatusSet>${items.join('')}</instanceStatusSet>`);
}

const NO_ADDRESSES = xml('DescribeAddresses', '<addressesSet/>');

async function aCompute(answers: Record<string, (call: Call) => Answer>, settings = SETTINGS) {
  const fake = await fakeAws((call) => answers[call.operation]?.(call) ?? xmlError('NotScripted', 400, call.operation));
  const callsOf = (operation: string) => fake.calls.filter((call) => call.operation === operation).map(({ form }) => form);
  return { compute: makeCompute(new EC2Client(fake.client), settings), callsOf, calls: fake.calls };
}

describe('describing the fleet', () => {
  it('reads page after page of what carries the cluster tag, and no more calls for more clusters', async () => {
    const { compute, calls, callsOf } = await aCompute({
      DescribeInstances: ({ form }) =>
        form.NextToken ? instancesXml([instanceXml('i-2', 'port')]) : instancesXml([instanceXml('i-1', 'city')], 'more'),
      DescribeInstanceStatus: () => statusXml(['i-1']),
      DescribeAddresses: () => NO_ADDRESSES,
    });
    const { instances } = await compute.describeFleet();
    expect(instances.map(({ instanceId, cluster, status }) => [instanceId, cluster, status])).toEqual([
      ['i-1', 'city', 'ok'],
      ['i-2', 'port', 'unknown'],
    ]);
    expect(callsOf('DescribeInstances')[1]).toMatchObject({
      'Filter.1.Name': 'tag-key',
      'Filter.1.Value.1': 'fiware-ha:cluster',
      MaxResults: '1000',
      NextToken: 'more',
    });
    expect(calls).toHaveLength(4);
  });

  it('fails as a whole when the instances can not be read', async () => {
    const { compute } = await aCompute({
      DescribeInstances: () => xmlError('RequestLimitExceeded', 503),
      DescribeInstanceStatus: () => statusXml([]),
      DescribeAddresses: () => NO_ADDRESSES,
    });
    await expect(compute.describeFleet()).rejects.toMatchObject({ name: 'PortError', code: 'throttled' });
  });
});

describe('the status checks of the fleet', () => {
  const answers = (status: Answer) => ({
    DescribeInstances: () => instancesXml([instanceXml('i-1')]),
    DescribeInstanceStatus: () => status,
    DescribeAddresses: () => NO_ADDRESSES,
  });

  it('are unknown when that call fails', async () => {
    const { compute } = await aCompute(answers(xmlError('InvalidInstanceID.NotFound')));
    expect((await compute.describeFleet()).instances[0]?.status).toBe('unknown');
  });

  it('say that a permission is missing', async () => {
    const { compute } = await aCompute(answers(xmlError('UnauthorizedOperation', 403)));
    await expect(compute.describeFleet()).rejects.toMatchObject({ code: 'denied' });
  });
});

describe('describing a cluster', () => {
  it('asks for its instances and addresses by tag, and waits for nothing more', async () => {
    const { compute, calls, callsOf } = await aCompute({
      DescribeInstances: () => instancesXml([instanceXml('i-1'), instanceXml('i-new', 'city', 'pending')]),
      DescribeAddresses: () => NO_ADDRESSES,
    });
    const { instances } = await compute.describeCluster('city');
    expect(instances.map(({ instanceId, state, status }) => [instanceId, state, status])).toEqual([
      ['i-1', 'running', 'unknown'],
      ['i-new', 'pending', 'unknown'],
    ]);
    expect(callsOf('DescribeInstances')[0]).toMatchObject({ 'Filter.1.Name': 'tag:fiware-ha:cluster', 'Filter.1.Value.1': 'city' });
    expect(calls).toHaveLength(2);
  });

  it('passes over what an emulator lists although the filter says no', async () => {
    const { compute } = await aCompute({
      DescribeInstances: () => instancesXml([instanceXml('i-1', 'city'), instanceXml('i-2', 'port')]),
      DescribeAddresses: () => NO_ADDRESSES,
    });
    expect((await compute.describeCluster('city')).instances.map(({ instanceId }) => instanceId)).toEqual(['i-1']);
  });
});

describe('launching a node', () => {
  const launched = () =>
    xml(
      'RunInstances',
      '<instancesSet><item><instanceId>i-9</instanceId><instanceState><code>0</code><name>pending</name></instanceState><subnetId>subnet-nb</subnetId><launchTime>2026-01-05T03:00:00.000Z</launchTime></item></instancesSet>',
    );
  const group = () => xml('CreatePlacementGroup', '<return>true</return>');

  it('names template, image, type, subnet and group, and tags instance and volume at once', async () => {
    const { compute, callsOf } = await aCompute({ RunInstances: launched, CreatePlacementGroup: group });
    const fact = await compute.launchNode({ ...REQUEST, volumeGib: 80 });
    const { cluster, role, slot, incarnation, zone } = REQUEST;
    const launchedAtMs = Date.UTC(2026, 0, 5, 3);
    expect(fact).toEqual({
      instanceId: 'i-9',
      cluster,
      role,
      slot,
      incarnation,
      zone,
      state: 'pending',
      launchedAtMs,
      status: 'initializing',
    });
    expect(callsOf('RunInstances')[0]).toMatchObject({
      MinCount: '1',
      MaxCount: '1',
      ClientToken: clientToken(REQUEST.token),
      'LaunchTemplate.LaunchTemplateId': 'lt-mongo',
      ImageId: 'resolve:ssm:/ubuntu',
      InstanceType: 't3.medium',
      SubnetId: 'subnet-nb',
      'Placement.GroupName': 'fiware-ha-city-mongo',
      'BlockDeviceMapping.1.Ebs.VolumeSize': '80',
      'BlockDeviceMapping.1.Ebs.Encrypted': 'true',
      'TagSpecification.1.ResourceType': 'instance',
      'TagSpecification.1.Tag.4.Key': 'fiware-ha:incarnation',
      'TagSpecification.1.Tag.4.Value': '2',
      'TagSpecification.2.ResourceType': 'volume',
      'TagSpecification.3.ResourceType': 'network-interface',
      'TagSpecification.3.Tag.1.Key': 'fiware-ha:cluster',
      'TagSpecification.3.Tag.1.Value': 'city',
    });
    expect(callsOf('CreatePlacementGroup')[0]).toMatchObject({ GroupName: 'fiware-ha-city-mongo', Strategy: 'spread' });
  });

  it('goes on when the placement group is there already, and makes none where they are off', async () => {
    const there = await aCompute({ RunInstances: launched, CreatePlacementGroup: () => xmlError('InvalidPlacementGroup.Duplicate') });
    expect((await there.compute.launchNode(REQUEST)).instanceId).toBe('i-9');
    const off = await aCompute({ RunInstances: launched }, { ...SETTINGS, placementGroups: 'off' });
    await off.compute.launchNode({ ...REQUEST, role: 'lb', slot: 'lb1' });
    expect(off.callsOf('RunInstances')[0]).toMatchObject({ SubnetId: 'subnet-pb' });
    expect(off.callsOf('RunInstances')[0]).not.toHaveProperty('Placement.GroupName');
  });

  it('says that a zone has no room', async () => {
    const { compute } = await aCompute({
      CreatePlacementGroup: group,
      RunInstances: () => xmlError('InsufficientInstanceCapacity', 500),
    });
    await expect(compute.launchNode(REQUEST)).rejects.toMatchObject({ code: 'noCapacity' });
  });

  it('names the zones it knows when asked for another', async () => {
    const { compute, calls } = await aCompute({});
    await expect(compute.launchNode({ ...REQUEST, zone: 'eu-west-1z' })).rejects.toMatchObject({
      code: 'invalid',
      message: 'zone "eu-west-1z" has no subnet; known: eu-west-1a, eu-west-1b',
    });
    expect(calls).toEqual([]);
  });
});

describe('another private address', () => {
  const withInterface = (id: string) =>
    instancesXml([
      instanceXml(id).replace(
        '<tagSet>',
        '<networkInterfaceSet><item><networkInterfaceId>eni-7</networkInterfaceId></item></networkInterfaceSet><tagSet>',
      ),
    ]);

  it('is asked for on the interface of the node', async () => {
    const { compute, callsOf } = await aCompute({
      DescribeInstances: () => withInterface('i-1'),
      AssignPrivateIpAddresses: () => xml('AssignPrivateIpAddresses', '<return>true</return>'),
    });
    await compute.addPrivateAddress('i-1');
    expect(callsOf('AssignPrivateIpAddresses')).toMatchObject([{ NetworkInterfaceId: 'eni-7', SecondaryPrivateIpAddressCount: '1' }]);
  });

  it('says that the node has no interface, that its type takes no more, and that the subnet has none left', async () => {
    const none = await aCompute({ DescribeInstances: () => instancesXml([instanceXml('i-1')]) });
    await expect(none.compute.addPrivateAddress('i-1')).rejects.toMatchObject({ code: 'notFound' });
    for (const [name, code] of [
      ['PrivateIpAddressLimitExceeded', 'unavailable'],
      ['InsufficientFreeAddressesInSubnet', 'noCapacity'],
    ] as const) {
      const full = await aCompute({ DescribeInstances: () => withInterface('i-1'), AssignPrivateIpAddresses: () => xmlError(name) });
      await expect(full.compute.addPrivateAddress('i-1')).rejects.toMatchObject({ code, message: expect.stringContaining('i-1') });
    }
  });
});

describe('the client token', () => {
  it('has the 64 characters EC2 allows, the same for the same text', () => {
    expect(clientToken('x'.repeat(1_000))).toMatch(/^[0-9a-f]{64}$/);
    expect(clientToken('a')).toBe(clientToken('a'));
    expect(clientToken('a')).not.toBe(clientToken('b'));
  });
});

describe('deleting placement groups', () => {
  const groupsXml = (...names: string[]) => {
    const items = names.map((name) => `<item><groupName>${name}</groupName></item>`);
    return xml('DescribePlacementGroups', `<placementGroupSet>${items.join('')}</placementGroupSet>`);
  };

  it('asks once which there are by the cluster’s tag, and deletes those alone', async () => {
    const { compute, calls, callsOf } = await aCompute({
      DescribePlacementGroups: () => groupsXml('fiware-ha-city-lb', 'fiware-ha-city-mongo'),
      DeletePlacementGroup: () => xml('DeletePlacementGroup', '<return>true</return>'),
    });
    await compute.deletePlacementGroups('city');
    expect(callsOf('DescribePlacementGroups')).toMatchObject([{ 'Filter.1.Name': 'tag:fiware-ha:cluster', 'Filter.1.Value.1': 'city' }]);
    expect(callsOf('DeletePlacementGroup').map(({ GroupName }) => GroupName)).toEqual(['fiware-ha-city-lb', 'fiware-ha-city-mongo']);
    expect(calls).toHaveLength(3);
  });

  it('is fine where there are none or one goes meanwhile, and tries later where a node is still going down', async () => {
    const none = await aCompute({ DescribePlacementGroups: () => groupsXml() });
    await none.compute.deletePlacementGroups('city');
    expect(none.calls).toHaveLength(1);
    const found = { DescribePlacementGroups: () => groupsXml('fiware-ha-city-lb') };
    const gone = await aCompute({ ...found, DeletePlacementGroup: () => xmlError('InvalidPlacementGroup.Unknown') });
    await gone.compute.deletePlacementGroups('city');
    const busy = await aCompute({ ...found, DeletePlacementGroup: () => xmlError('InvalidPlacementGroup.InUse') });
    await expect(busy.compute.deletePlacementGroups('city')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('asks nothing where they are off', async () => {
    const { compute, calls } = await aCompute({}, { ...SETTINGS, placementGroups: 'off' });
    await compute.deletePlacementGroups('city');
    expect(calls).toEqual([]);
  });
});
