import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeMessage } from '../../lambdas/core/jobs';

function problemsOf(body: string): string {
  const decoded = decodeMessage('provision', body);
  return decoded.ok ? '' : decoded.problems.join('; ');
}

describe('decodeMessage', () => {
  it('takes the documented bodies', () => {
    expect(decodeMessage('provision', '{"kind":"createCluster","cluster":"city"}').ok).toBe(true);
    expect(decodeMessage('provision', '{"kind":"scale","cluster":"city","role":"orion","count":4}').ok).toBe(true);
    expect(decodeMessage('provision', '{"kind":"deleteCluster","cluster":"city","confirm":"city"}').ok).toBe(true);
    expect(decodeMessage('health-check', '{"kind":"minute"}').ok).toBe(true);
  });

  it('says that a body is not JSON', () => {
    expect(problemsOf('scale city')).toBe('body: expected JSON; got "scale city"');
  });

  it('names an unknown kind', () => {
    expect(problemsOf('{"kind":"explode","cluster":"city"}')).toMatch(/^kind: .*got "explode"/);
  });

  it('names the field, the value and what is allowed', () => {
    expect(problemsOf('{"kind":"scale","cluster":"ci;ty","role":"orion","count":4}')).toMatch(
      /^cluster: expected 1 to 32 characters.*got "ci;ty"/,
    );
    expect(problemsOf('{"kind":"scale","cluster":"city","role":"nginx","count":4}')).toMatch(/^role: .*got "nginx"/);
    expect(problemsOf('{"kind":"scale","cluster":"city","role":"orion","count":"four"}')).toMatch(/^count: .*got "four"/);
  });

  it('keeps the queues apart', () => {
    expect(decodeMessage('failover', '{"kind":"minute"}').ok).toBe(false);
    expect(decodeMessage('failover', '{"kind":"stayReady"}').ok).toBe(true);
    expect(decodeMessage('provision', '{"kind":"stayReady"}').ok).toBe(false);
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
        for (const queue of ['health-check', 'provision', 'failover'] as const)
          expect(typeof decodeMessage(queue, body).ok).toBe('boolean');
      }),
    );
  });
});

describe('a claim', () => {
  const claims = fc.record({
    kind: fc.constant('claimAddress'),
    cluster: fc.stringMatching(/^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/),
    claimant: fc.stringMatching(/^i-[0-9a-f]{1,32}$/),
    atMs: fc.maxSafeNat(),
    state: fc.constant('MASTER'),
  });

  it('is taken as it was sent', () => {
    fc.assert(
      fc.property(claims, (claim) => {
        expect(decodeMessage('failover', JSON.stringify(claim))).toEqual({ ok: true, value: claim });
      }),
    );
  });

  it('with any field missing, added or of another kind is not taken, and the field is named', () => {
    const other = fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.double({ noInteger: true, noNaN: true }),
      fc.constant(''),
      fc.constant([]),
      fc.constant('BACKUP; id'),
    );
    fc.assert(
      fc.property(
        claims,
        fc.constantFrom('cluster', 'claimant', 'atMs', 'state', 'allocationId'),
        fc.option(other),
        (claim, field, value) => {
          const { [field as 'atMs']: _, ...rest } = claim;
          const forged = value === null && field !== 'allocationId' ? rest : { ...rest, [field]: value };
          const decoded = decodeMessage('failover', JSON.stringify(forged));
          expect(decoded.ok).toBe(false);
          expect(decoded.ok ? '' : decoded.problems.join('; ')).toContain(field);
        },
      ),
    );
  });

  it('is for the failover queue alone', () => {
    const body = JSON.stringify({ kind: 'claimAddress', cluster: 'city', claimant: 'i-0abc', atMs: 1, state: 'MASTER' });
    expect(decodeMessage('provision', body).ok).toBe(false);
    expect(decodeMessage('health-check', body).ok).toBe(false);
  });
});
