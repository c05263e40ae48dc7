import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { renderConfig } from '../../../lambdas/core/config/render';
import { decodeMessage } from '../../../lambdas/core/jobs';
import type { NodeConfig } from '../../../lambdas/core/node-config';
import { MONGO, ORION } from '../../node-configs';

const CONFIGS: NodeConfig[] = [
  {
    role: 'lb',
    port: 1026,
    brokers: [{ slot: 'ctx1', ip: '10.0.2.11' }],
    ip: '10.0.1.11',
    peers: ['10.0.1.21'],
    virtualRouterId: 51,
    advertIntervalS: 0.3,
    protocol: 'http',
    claims: { cluster: 'city', queueUrl: 'https://sqs/claims' },
  },
  ORION,
  MONGO,
];

const bodyOf = (config: unknown, role: string) =>
  JSON.stringify({
    kind: 'applyConfig',
    cluster: 'city',
    jobKey: 'city@0/config/i-1#0',
    reason: 'x',
    role,
    slot: 'ctx1',
    instanceId: 'i-1',
    version: 'ab12',
    config,
  });

/** Every text and number inside a value, by its path. */
function leaves(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (value === null || typeof value !== 'object') return [path];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, Array.isArray(value) ? Number(key) : key]));
}

/** The value with another one at a path. */
function put(value: unknown, [key, ...rest]: (string | number)[], leaf: unknown): unknown {
  if (key === undefined) return leaf;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  copy[key] = put(copy[key], rest, leaf);
  return copy;
}

function textAt(value: unknown, path: (string | number)[]): string {
  return String(path.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], value));
}

/** What would end a line, a word or a text in any of the files, or begin a comment, an expansion or a command. */
const HARMFUL = ['\n', '\r', '"', "'", ' ', '\t', '#', '\\', '`', '$', '{', '}', ';', '\0', '\u2028', '|', '&', '%'];
const harmful = fc
  .tuple(fc.string({ maxLength: 12 }), fc.constantFrom(...HARMFUL), fc.string({ maxLength: 12 }))
  .map((parts) => parts.join(''));

describe.each(CONFIGS.map((config) => [config.role, config] as const))('the values of a %s configuration', (role, config) => {
  const paths = leaves(config).filter(([first]) => first !== 'role');

  it('are decoded as they are', () => {
    expect(decodeMessage('provision', bodyOf(config, role))).toMatchObject({ ok: true, value: { config } });
  });

  it.each(paths.map((path) => [path.join('.'), path] as const))(
    '%s: nothing that could leave its place in a file gets through',
    (_, path) => {
      const present = textAt(config, path);
      const around = fc.oneof(
        harmful,
        harmful.map((text) => present + text),
        harmful.map((text) => text + present),
      );
      fc.assert(
        fc.property(around, (text) => {
          const decoded = decodeMessage('provision', bodyOf(put(config, path, text), role));
          expect(decoded.ok).toBe(false);
          if (!decoded.ok) expect(decoded.problems.join()).toContain(`config.${path[0]}`);
        }),
        { numRuns: 60 },
      );
    },
  );

  it.each(paths.map((path) => [path.join('.'), path] as const))('%s: whatever gets through adds no line to a file', (_, path) => {
    const lines = (of: NodeConfig) => renderConfig(of, 'ab12').map(({ name, content }) => [name, content.split('\n').length]);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9._:/-]{1,20}$/), fc.integer(), fc.double()), (value) => {
        const decoded = decodeMessage('provision', bodyOf(put(config, path, value), role));
        if (!decoded.ok || decoded.value.kind !== 'applyConfig') return;
        // The two protocols are two files; within one the count of lines is fixed.
        const reference = path[0] === 'protocol' ? decoded.value.config : config;
        expect(lines(decoded.value.config)).toEqual(lines(reference));
      }),
      { numRuns: 60 },
    );
  });
});
