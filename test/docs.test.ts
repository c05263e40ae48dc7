import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { decodeMessage, type QueueName } from '../lambdas/core/jobs';
import { parseSpec } from '../lambdas/core/spec';
import { PROJECT } from './source-tree';

const PAGES = ['README.md', 'CONTRIBUTING.md', 'docs/runbook.md'];
const ALARM_HEADINGS = [
  'dead-letters',
  'missing-ticks',
  'old-messages',
  'function-errors',
  'breaker-open',
  'blocked-decisions',
  'majority-lost',
];

function read(page: string): string {
  return readFileSync(join(PROJECT, page), 'utf8');
}

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replace(/\s/g, '-'),
  );
}

function brokenLinks(page: string): string[] {
  const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link).filter((link) => !link.startsWith('http'));
  return links.filter((link) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? page : join(dirname(page), file);
    return !existsSync(join(PROJECT, target)) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
  });
}

/** Messages shown to readers, with the queue each is sent to. */
function messagesOf(page: string): { queue: QueueName; body: string }[] {
  const shown = read(page).matchAll(/\$\(queue ([a-z-]+)\)"[\s\\]+--message-body '([^']+)'/g);
  return [...shown].map(([, queue, body = '']) => ({ queue: queue as QueueName, body }));
}

describe.each(PAGES)('%s', (page) => {
  it('links to what is there', () => {
    expect(brokenLinks(page)).toEqual([]);
  });

  it('names only scripts that package.json has', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const named = [...read(page).matchAll(/npm run (?:-s )?([a-z:-]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it('names only files and folders that are there', () => {
    const named = [...read(page).matchAll(/`((?:bench|bin|docs|lab|lambdas|lib|nodes|sim|test)\/[\w./-]*)`/g)].map(([, path = '']) => path);
    expect(named.filter((path) => !existsSync(join(PROJECT, path)))).toEqual([]);
  });

  it('shows only messages that their queue takes', () => {
    const refused = messagesOf(page).filter(({ queue, body }) => !decodeMessage(queue, body).ok);
    expect(refused).toEqual([]);
  });
});

describe('README.md', () => {
  it('shows each request people can enqueue', () => {
    const kinds = messagesOf('README.md').map(({ body }) => JSON.parse(body).kind);
    expect(kinds).toEqual(expect.arrayContaining(['createCluster', 'scale', 'deleteCluster', 'check']));
  });

  it('shows a spec that is valid', () => {
    const { $schema, ...spec } = JSON.parse(/```json\n([\s\S]*?)```/.exec(read('README.md'))?.[1] ?? 'null');
    expect(parseSpec(spec)).toMatchObject({ ok: true });
    expect(existsSync(join(PROJECT, $schema))).toBe(true);
  });
});

describe('docs/runbook.md', () => {
  it('has a heading for each alarm', () => {
    expect(anchorsOf('docs/runbook.md')).toEqual(expect.arrayContaining(ALARM_HEADINGS));
  });

  it('is linked to by its headings wherever it is named', () => {
    const texts = ['lambdas/core/plan/replica-set.ts', 'bin/cli/follow.ts', 'bin/cli/status-text.ts'].map(read).join('\n');
    const named = [...texts.matchAll(/docs\/runbook\.md#([a-z-]+)/g)].map(([, anchor = '']) => anchor);
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter((anchor) => !anchorsOf('docs/runbook.md').includes(anchor))).toEqual([]);
  });
});
