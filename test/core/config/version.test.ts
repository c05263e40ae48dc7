import { describe, expect, it } from '@jest/globals';
import { configVersion } from '../../../lambdas/core/config/version';
import type { NodeConfig } from '../../../lambdas/core/node-config';
import { ORION } from '../../node-configs';

const LB: NodeConfig = {
  role: 'lb',
  port: 1026,
  brokers: [{ slot: 'ctx1', ip: '10.0.2.11' }],
  ip: '10.0.1.11',
  peers: [],
  virtualRouterId: 51,
  advertIntervalS: 0.3,
  protocol: 'http',
};

describe('the version of a configuration', () => {
  it('is the same for the same values, in 14 hex digits', () => {
    expect(configVersion(structuredClone(LB))).toBe(configVersion(LB));
    expect(configVersion(LB)).toMatch(/^[0-9a-f]{14}$/);
  });

  it('is another one for each value that differs', () => {
    const versions = [
      LB,
      { ...LB, ip: '10.0.1.12' },
      { ...LB, peers: ['10.0.1.21'] },
      { ...LB, port: 8080 },
      { ...LB, virtualRouterId: 52 },
      { ...LB, advertIntervalS: 0.5 },
      { ...LB, protocol: 'tcp' } as const,
      { ...LB, claims: { cluster: 'city', queueUrl: 'https://sqs/claims' } },
      { ...LB, brokers: [{ slot: 'ctx1', ip: '10.0.2.12' }] },
      { ...LB, brokers: [] },
      ORION,
      { ...ORION, version: '4.2.0' },
      { ...ORION, seeds: ['10.0.3.12:27017'] },
    ].map(configVersion);
    expect(new Set(versions).size).toBe(versions.length);
  });
});
