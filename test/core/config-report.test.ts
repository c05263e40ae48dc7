import { describe, expect, it } from '@jest/globals';
import { driftWords, readConfigReport } from '../../lambdas/core/config-report';

describe('what a node tells of its configuration', () => {
  it.each([
    ['0a1b2c3d4e5f60\n', { configVersion: '0a1b2c3d4e5f60' }],
    ['drifted: /etc/haproxy/haproxy.cfg', { drifted: '/etc/haproxy/haproxy.cfg' }],
    ['drifted', { drifted: 'a file' }],
  ])('%j is read', (text, report) => {
    expect(readConfigReport(text)).toEqual(report);
  });

  it.each(['', 'nothing to tell', '<html>', 'drifted: /etc/x; rm', `drifted: ${'x'.repeat(101)}`, 'ab\ncd'])('%j is no report', (text) => {
    expect(readConfigReport(text)).toEqual({});
  });
});

describe('drift, for people', () => {
  it.each([
    ['/etc/haproxy/haproxy.cfg', 'somebody edited /etc/haproxy/haproxy.cfg'],
    ['keepalived', 'keepalived has stopped'],
  ])('of %s', (drifted, words) => expect(driftWords(drifted)).toBe(words));
});
