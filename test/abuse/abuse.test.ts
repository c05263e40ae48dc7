import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeMessage } from '../../lambdas/core/jobs';
import { PROJECT } from '../source-tree';
import { FACT_TARGETS } from './facts';
import { GOOD } from './messages';
import { RENDERED_TARGETS } from './rendered';
import { TEXT_TARGETS } from './targets';

/** Runs a target gets for each of its weight; `npm run abuse` runs a million. */
const RUNS = 150;

describe('the good messages', () => {
  it.each(Object.entries(GOOD))('of %s are taken', (queue, messages) => {
    const refused = messages.map((message) => decodeMessage(queue as keyof typeof GOOD, JSON.stringify(message))).filter(({ ok }) => !ok);
    expect(refused).toEqual([]);
  });

  it('are of every kind there is', () => {
    const source = readFileSync(join(PROJECT, 'lambdas/core/jobs.ts'), 'utf8');
    const kinds = [...source.matchAll(/kind: z\.literal\('(\w+)'\)/g)].map(([, kind]) => kind);
    const tried = Object.values(GOOD).flatMap((messages) => messages.map((message) => (message as { kind: string }).kind));
    expect(kinds.length).toBeGreaterThan(15);
    expect([...new Set(tried)].sort()).toEqual([...new Set(kinds)].sort());
  });
});

describe('whatever comes in', () => {
  it.each([...TEXT_TARGETS, ...FACT_TARGETS, ...RENDERED_TARGETS])('$name keeps its word', ({ input, check, weight }) => {
    fc.assert(fc.property(input, check as (input: unknown) => void), { numRuns: RUNS * weight });
  });
});
