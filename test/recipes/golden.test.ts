import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { RECIPES, REPLICA_SET_SCRIPT } from './specs';

/** GOLDEN=write npx jest recipes/golden: writes the files anew; look at the difference before it is committed. */
const GOLDEN = join(__dirname, 'golden');

/** The slides' own recipe stands there whole; of the others the files that are theirs alone. */
const KEPT: Record<string, RegExp> = {
  slides: /./,
  baremetal: /^(README\.md|lb1\/|ctx1\/|mdb1\/)/,
  pacemaker: /^(lb1\/etc\/corosync|pacemaker)\//,
  compose: /^(compose\.yaml|lb\/(haproxy\.cfg|lb1\/.*|run-balancer)|cyg\/cyg1\/.*)$/,
  swarm: /^(stack\.yaml|config\/(haproxy|keepalived)\..*)$/,
};
const SCRIPT = 'mongo/replica-set.js';

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => relative(folder, join(folder, path)))
    .sort();
}

describe.each(Object.entries(RECIPES))('the recipe %s', (name, render) => {
  const rendered = render();
  const kept = rendered.filter(({ path }) => KEPT[name]?.test(path) && path !== SCRIPT);
  const folder = join(GOLDEN, name);

  if (process.env.GOLDEN === 'write') {
    rmSync(folder, { recursive: true, force: true });
    for (const { path, content } of kept) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
  }

  it('has the files it had', () => {
    expect(kept.map(({ path }) => path).sort()).toEqual(filesBelow(folder));
  });

  it.each(kept.map(({ path, content }) => [path, content]))('has %s as it was', (path, content) => {
    expect(content).toBe(readFileSync(join(folder, path), 'utf8'));
  });

  it('takes steps on the replica set by the guards of the nodes', () => {
    expect(rendered.filter(({ content }) => content === REPLICA_SET_SCRIPT).map(({ path }) => path.split('/').at(-1))).toEqual([
      'replica-set.js',
    ]);
  });

  it('is the same each time', () => {
    expect(render()).toEqual(rendered);
  });
});
