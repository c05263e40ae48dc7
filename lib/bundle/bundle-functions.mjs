/**
 * Bundles the three functions as minified ES modules with the SDK inside: `node lib/bundle/bundle-functions.mjs OUT_DIR` writes OUT_DIR/<function>/index.mjs.
 * Plain JavaScript, because a synth runs it as it is; never decides what a function may do.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const FUNCTIONS = ['health-check', 'provision', 'failover'];
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Lambda's node makes no `require` in an ES module; some dependencies still ask for one. */
const BANNER = "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);";

/**
 * The SDK's schemas use constants as computed keys (`{[_eQN]: …}`), which a bundler must take for side effects: it keeps all
 * 700 operations of EC2. With the constants' own text as keys it drops those nobody calls: half a megabyte less.
 */
const literalSchemaKeys = {
  name: 'literal-schema-keys',
  setup(builder) {
    builder.onLoad({ filter: /[\\/]dist-es[\\/]schemas[\\/]schemas_\d+\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const constants = new Map([...source.matchAll(/^const (_\w+) = ("[^"]*");$/gm)].map(([, name, text]) => [name, text]));
      return { contents: source.replace(/\[(_\w+)\]:/g, (key, name) => (constants.has(name) ? `${constants.get(name)}:` : key)) };
    });
  },
};

/** Bundles one function into `outDir`/<name>/index.mjs. */
export async function bundleFunction(name, outDir) {
  await build({
    entryPoints: [join(ROOT, 'lambdas', `${name}.ts`)],
    outfile: join(outDir, name, 'index.mjs'),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    mainFields: ['module', 'main'],
    banner: { js: BANNER },
    plugins: [literalSchemaKeys],
    legalComments: 'none',
    logLevel: 'error',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [outDir] = process.argv.slice(2);
  if (!outDir) {
    console.error('usage: node lib/bundle/bundle-functions.mjs OUT_DIR');
    process.exit(2);
  }
  await Promise.all(FUNCTIONS.map((name) => bundleFunction(name, outDir)));
}
