import { EC2Client } from '@aws-sdk/client-ec2';
import { afterEach, describe, expect, it } from '@jest/globals';
import { makeAddresses } from '../../lambdas/aws/ec2-addresses';
import { type Answer, type Call, fakeAws, stopFakes, xml, xmlError } from './fake-aws';

afterEach(stopFakes);

interface Held {
  id?: string;
  cluster?: string;
  holder?: string;
}

function addressesXml(...held: Held[]): Answer {
  const items = held.map(({ id = 'eipalloc-1', cluster = 'city', holder }) => {
    const tags = { 'fiware-ha:cluster': cluster, 'fiware-ha:address': 'entry1' };
    const tagSet = Object.entries(tags).map(([key, value]) => `<item><key>${key}</key><value>${value}</value></item>`);
    const held = holder ? `<instanceId>${holder}</instanceId><associationId>eipassoc-1</associationId>` : '';
    return `<item><allocationId>${id}</allocationId><publicIp>203.0.113.9</publicIp>${held}<tagSet>${tagSet.join('')}</tagSet></item>`;
  });
  return xml('DescribeAddresses', `<addressesSet>${items.join('')}</addressesSet>`);
}

const yes = (operation: string) => xml(operation, '<return>true</return>');

async function someAddresses(answers: Record<string, (call: Call) => Answer>) {
  const fake = await fakeAws((call) => answers[call.operation]?.(call) ?? xmlError('NotScripted', 400, call.operation));
  const operations = () => fake.calls.map(({ operation }) => operation);
  return { addresses: makeAddresses(new EC2Client(fake.client)), calls: fake.calls, operations };
}

describe('allocating an address', () => {
  const made = () => xml('AllocateAddress', '<publicIp>203.0.113.5</publicIp><allocationId>eipalloc-5</allocationId>');

  it('tags it at once', async () => {
    const { addresses, calls } = await someAddresses({ DescribeAddresses: () => addressesXml(), AllocateAddress: made });
    expect(await addresses.allocate('city', 'entry1')).toEqual({
      allocationId: 'eipalloc-5',
      cluster: 'city',
      name: 'entry1',
      publicIp: '203.0.113.5',
    });
    expect(calls.at(-1)?.form).toMatchObject({
      Domain: 'vpc',
      'TagSpecification.1.ResourceType': 'elastic-ip',
      'TagSpecification.1.Tag.1.Value': 'city',
      'TagSpecification.1.Tag.2.Value': 'entry1',
    });
  });

  it('answers the one that is there, and never another cluster’s', async () => {
    const there = await someAddresses({ DescribeAddresses: () => addressesXml({ cluster: 'port' }, { id: 'eipalloc-2' }) });
    expect((await there.addresses.allocate('city', 'entry1')).allocationId).toBe('eipalloc-2');
    const others = await someAddresses({ DescribeAddresses: () => addressesXml({ cluster: 'port' }), AllocateAddress: made });
    expect((await others.addresses.allocate('city', 'entry1')).allocationId).toBe('eipalloc-5');
  });
});

describe('associating an address', () => {
  it.each([true, false])('says to EC2 whether it may be taken from its holder: %s', async (mayTakeFrom) => {
    const { addresses, calls } = await someAddresses({ AssociateAddress: () => yes('AssociateAddress') });
    await addresses.associate('eipalloc-1', 'i-1', { mayTakeFrom });
    expect(calls.map(({ form }) => form)).toMatchObject([
      { AllocationId: 'eipalloc-1', InstanceId: 'i-1', AllowReassociation: String(mayTakeFrom) },
    ]);
  });

  it('names the private address it shall lead to', async () => {
    const { addresses, calls } = await someAddresses({ AssociateAddress: () => yes('AssociateAddress') });
    await addresses.associate('eipalloc-2', 'i-1', { mayTakeFrom: true, privateIp: '10.64.0.77' });
    expect(calls.map(({ form }) => form)).toMatchObject([
      { AllocationId: 'eipalloc-2', InstanceId: 'i-1', PrivateIpAddress: '10.64.0.77' },
    ]);
  });

  it('is a conflict while another holds it, and done when it is held by that node already', async () => {
    const held = await someAddresses({
      AssociateAddress: () => xmlError('Resource.AlreadyAssociated'),
      DescribeAddresses: () => addressesXml({ holder: 'i-2' }),
    });
    await expect(held.addresses.associate('eipalloc-1', 'i-1', { mayTakeFrom: false })).rejects.toMatchObject({ code: 'conflict' });
    await held.addresses.associate('eipalloc-1', 'i-2', { mayTakeFrom: false });
  });
});

describe('releasing an address', () => {
  it('frees it first', async () => {
    const { addresses, operations } = await someAddresses({
      DescribeAddresses: () => addressesXml({ id: 'eipalloc-7', holder: 'i-7' }, { holder: 'i-1' }),
      DisassociateAddress: () => yes('DisassociateAddress'),
      ReleaseAddress: () => yes('ReleaseAddress'),
    });
    await addresses.release('eipalloc-1');
    expect(operations()).toEqual(['DescribeAddresses', 'DisassociateAddress', 'ReleaseAddress']);
  });

  it('releases it all the same when its association ended meanwhile', async () => {
    const { addresses, operations } = await someAddresses({
      DescribeAddresses: () => addressesXml({ holder: 'i-1' }),
      DisassociateAddress: () => xmlError('InvalidAssociationID.NotFound'),
      ReleaseAddress: () => yes('ReleaseAddress'),
    });
    await addresses.release('eipalloc-1');
    expect(operations()).toContain('ReleaseAddress');
  });

  it('is fine when it is gone, and says what else went wrong', async () => {
    const gone = await someAddresses({
      DescribeAddresses: () => xmlError('InvalidAllocationID.NotFound'),
      ReleaseAddress: () => xmlError('InvalidAllocationID.NotFound'),
    });
    await gone.addresses.release('eipalloc-1');
    const denied = await someAddresses({
      DescribeAddresses: () => addressesXml({}),
      ReleaseAddress: () => xmlError('UnauthorizedOperation', 403),
    });
    await expect(denied.addresses.release('eipalloc-1')).rejects.toMatchObject({ code: 'denied' });
  });
});
