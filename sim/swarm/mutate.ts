/** Builds a program of other sources: exact texts are replaced while they are bundled, a bug for the swarm to find. The sources stay as they are. */
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import type { Mutant } from './mutants';
import { CHILD } from './pool';

const PROJECT = dirname(dirname(__dirname));

/** What is replaced, under a name for messages. */
type Patched = Pick<Mutant, 'name' | 'patches'>;

/** A file's text with the patches that are for it. @throws where a text to replace is not there exactly once */
export function patched({ name, patches }: Patched, file: string, text: string): string {
  return patches
    .filter((patch) => patch.file === file)
    .reduce((now, { find, replace }) => {
      const times = now.split(find).length - 1;
      if (times !== 1) throw new Error(`mutant ${name}: expected ${JSON.stringify(find)} exactly once in ${file}; found it ${times} times`);
      return now.replace(find, () => replace);
    }, text);
}

/** Writes the program that begins in `entryPoint` to `outfile`, patched. @throws where a patch finds nothing to replace */
export async function buildPatched(entryPoint: string, outfile: string, mutant?: Patched): Promise<void> {
  const done = new Set<string>();
  await build({
    entryPoints: [entryPoint],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
    plugins: [
      {
        name: 'mutant',
        setup({ onLoad }) {
          onLoad({ filter: /\.(ts|js)$/ }, ({ path }) => {
            const file = relative(PROJECT, path);
            if (!mutant?.patches.some((patch) => patch.file === file)) return undefined;
            done.add(file);
            return { contents: patched(mutant, file, readFileSync(path, 'utf8')), loader: path.endsWith('.ts') ? 'ts' : 'js' };
          });
        },
      },
    ],
  });
  const missed = mutant?.patches.find(({ file }) => !done.has(file));
  if (missed) throw new Error(`mutant ${mutant?.name}: ${missed.file} is no part of the program`);
}

/** Writes a process of the swarm to `outfile`; without a mutant it is the program as it is. */
export function buildChild(outfile: string, mutant?: Mutant): Promise<void> {
  return buildPatched(CHILD, outfile, mutant);
}

/** Where a mutant's program is written within a folder. */
export function programOf(folder: string, { name }: Mutant): string {
  return join(folder, `${name}.js`);
}
