import { describe, expect, it } from '@jest/globals';
import { isGood, type Report, renderJson, renderReport } from '../../lab/report';

function aReport(change: Partial<Report> = {}): Report {
  const outage = { requests: 80, failed: 3, longestGapMs: 1_540, gapEndMs: 0, errors: { ECONNRESET: 3 } };
  return {
    recoveries: [{ fault: 'a broker is killed (ctx1)', detectedS: 1.1, recoveredS: 5.34, outage, reason: 'ctx1 has no node any more' }],
    acknowledged: 77,
    lost: 0,
    standIns: { broker: 'a STAND-IN for Orion', mongo: 'a STAND-IN for MongoDB', enablers: {} },
    denied: ['ec2:TerminateInstances: UnauthorizedOperation'],
    removedFromTemplate: ['AWS::EC2::EIP (3)'],
    left: [],
    ...change,
  };
}

describe('the lab’s report', () => {
  it('shows times, outage and reason of each fault, what stands for what, and what was taken out', () => {
    const text = renderReport(aReport());
    for (const part of ['1.1 s', '5.3 s', '1.5 s, 3 of 80 failed', 'ctx1 has no node any more', 'STAND-IN for Orion', 'AWS::EC2::EIP (3)'])
      expect(text).toContain(part);
  });

  it('is good only when nothing was lost or left, and IAM refused what it should', () => {
    expect(isGood(aReport())).toBe(true);
    expect(isGood(aReport({ lost: 1 }))).toBe(false);
    expect(isGood(aReport({ left: ['instance i-0abc (running)'] }))).toBe(false);
    expect(isGood(aReport({ denied: [] }))).toBe(false);
    expect(isGood(aReport({ recoveries: [] }))).toBe(false);
  });

  it('is one JSON line for programs', () => {
    expect(JSON.parse(renderJson(aReport({ lost: 2 })))).toMatchObject({ ok: false, lost: 2, recoveries: [{ recoveredS: 5.34 }] });
  });
});
