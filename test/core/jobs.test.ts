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
