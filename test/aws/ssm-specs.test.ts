import { SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, describe, expect, it } from '@jest/globals';
import { clusterOfParameter, makeSpecs } from '../../lambdas/aws/ssm-specs';
import { type Answer, type Call, fakeAws, json, stopFakes } from './fake-aws';

afterEach(stopFakes);

async function someSpecs(answers: Record<string, (call: Call) => Answer>) {
  const fake = await fakeAws((call) => answers[call.operation]?.(call) ?? json({ __type: 'NotScripted' }, 400));
  return { specs: makeSpecs(new SSMClient(fake.client)), calls: fake.calls };
}

describe('the cluster of a parameter', () => {
  it.each([
    ['/fiware-ha/clusters/city/spec', 'city'],
    ['/fiware-ha/clusters/city/other', undefined],
    ['/fiware-ha/clusters/city/spec/more', undefined],
    ['/fiware-ha/clusters/City_1/spec', undefined],
    ['/fiware-ha/control-plane', undefined],
  ])('%s: %s', (name, cluster) => {
    expect(clusterOfParameter(name)).toBe(cluster);
  });
});

describe('specs', () => {
  it('are listed page after page, ten a page as SSM allows', async () => {
    const { specs, calls } = await someSpecs({
      GetParametersByPath: ({ json: { NextToken } }) =>
        NextToken
          ? json({ Parameters: [{ Name: '/fiware-ha/clusters/port/spec' }] })
          : json({ Parameters: [{ Name: '/fiware-ha/clusters/city/spec' }, { Name: '/fiware-ha/clusters/x/note' }], NextToken: 'more' }),
    });
    expect(await specs.listClusters()).toEqual(['city', 'port']);
    expect(calls[0]?.json).toMatchObject({ Path: '/fiware-ha/clusters', Recursive: true, MaxResults: 10 });
  });

  it('are created without writing over one that is there', async () => {
    const { specs, calls } = await someSpecs({ PutParameter: () => json({ __type: 'ParameterAlreadyExists' }, 400) });
    await expect(specs.create('city', '{}')).rejects.toMatchObject({ code: 'conflict' });
    expect(calls[0]?.json).toMatchObject({ Name: '/fiware-ha/clusters/city/spec', Overwrite: false, Value: '{}' });
  });

  const stored = (Version: number) => () => json({ Parameter: { Value: '{}', Version } });

  it('are not written over another version', async () => {
    const { specs, calls } = await someSpecs({ GetParameter: stored(4) });
    await expect(specs.replace('city', '{}', 3)).rejects.toMatchObject({
      code: 'conflict',
      message: 'the spec of city is no longer at version 3',
    });
    expect(calls.map(({ operation }) => operation)).toEqual(['GetParameter']);
  });

  it('tell afterwards that somebody wrote in between', async () => {
    const alone = await someSpecs({ GetParameter: stored(3), PutParameter: () => json({ Version: 4 }) });
    await alone.specs.replace('city', '{}', 3);
    const raced = await someSpecs({ GetParameter: stored(3), PutParameter: () => json({ Version: 5 }) });
    await expect(raced.specs.replace('city', '{}', 3)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('say that they can not be read, which is not the same as missing', async () => {
    const { specs } = await someSpecs({ GetParameter: () => json({ __type: 'AccessDeniedException', message: 'no' }, 400) });
    await expect(specs.get('city')).rejects.toMatchObject({ code: 'denied' });
  });
});
