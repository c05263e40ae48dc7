import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { filesEnding, forEachNode, functionsOf, importsOf, PROJECT, parse, type SourceFile } from './source-tree';

const FILE_LINES_MAX = 300;
const FUNCTION_LINES_MAX = 70;

/** Who may import what: the first row that fits a file counts. Files of its own row are always allowed. */
const TABLE: { who: string; from: RegExp; files: RegExp[]; packages: RegExp[] }[] = [
  { who: 'core', from: /^lambdas\/core\//, files: [], packages: [/^zod$/] },
  { who: 'app', from: /^lambdas\/app\//, files: [/^lambdas\/core\//], packages: [] },
  {
    who: 'aws',
    from: /^lambdas\/aws\//,
    files: [/^lambdas\/core\//, /^lambdas\/app\/ports\.ts$/],
    packages: [/^@aws-sdk\//, /^@aws-lambda-powertools\//, /^bson$/, /^node:(crypto|net)$/],
  },
  {
    who: 'runtime',
    from: /^lambdas\/runtime\.ts$/,
    files: [/^lambdas\/aws\//, /^lambdas\/app\/ports\.ts$/, /^lambdas\/(env|control-plane-parameter)\.ts$/],
    packages: [/^@aws-sdk\//, /^@aws-lambda-powertools\//],
  },
  {
    who: 'handlers',
    from: /^lambdas\/(health-check|provision|failover)\.ts$/,
    files: [/^lambdas\/app\//, /^lambdas\/core\/jobs\.ts$/, /^lambdas\/(runtime|sqs-batch)\.ts$/],
    packages: [/^aws-lambda$/],
  },
  {
    who: 'what the handlers stand on',
    from: /^lambdas\/[^/]+\.ts$/,
    files: [/^lambdas\/app\/ports\.ts$/, /^lambdas\/core\/(jobs|names)\.ts$/],
    packages: [/^zod$/, /^aws-lambda$/],
  },
  {
    who: 'swarm',
    from: /^sim\/swarm\//,
    files: [/^sim\//, /^lambdas\/(core|app)\//],
    packages: [/^esbuild$/, /^node:(child_process|fs|os|path)$/],
  },
  {
    who: 'sim',
    from: /^sim\//,
    files: [/^lambdas\/(core|app)\//, /^nodes\/mongo\//],
    packages: [/^node:(assert|crypto|fs|path|vm)$/],
  },
  { who: 'recipes', from: /^recipes\//, files: [/^lambdas\/core\//], packages: [/^zod$/] },
  {
    who: 'lib',
    from: /^lib\//,
    files: [
      /^lambdas\/(env|control-plane-parameter)\.ts$/,
      /^lambdas\/core\/(names|spec)\.ts$/,
      /^lambdas\/core\/catalogue\/(catalogue|role-entry)\.ts$/,
      /^nodes\/[^/]+\.ts$/,
    ],
    packages: [/^aws-cdk-lib$/, /^constructs$/, /^cdk-nag$/, /^esbuild$/, /^zod$/, /^node:/],
  },
  { who: 'nodes', from: /^nodes\//, files: [/^lambdas\/core\/names\.ts$/], packages: [/^node:(fs|path|zlib)$/] },
  {
    who: 'the CDK app',
    from: /^bin\/app\.ts$/,
    files: [/^lib\//, /^lambdas\/core\/spec\.ts$/, /^bin\/cli\/(json-file|command-error)\.ts$/],
    packages: [/^aws-cdk-lib$/, /^cdk-nag$/, /^node:fs$/],
  },
  { who: 'the demo', from: /^bin\/commands\/demo\.ts$/, files: [/^sim\//], packages: [/^commander$/] },
  { who: 'the lab command', from: /^bin\/commands\/lab\.ts$/, files: [/^lab\//], packages: [/^commander$/] },
  {
    who: 'the command line',
    from: /^bin\//,
    files: [/^lambdas\/(core|app)\//, /^lambdas\/runtime\.ts$/, /^recipes\//],
    packages: [/^commander$/, /^zod$/, /^tsx$/, /^node:/],
  },
  { who: "the lab's IoT agent", from: /^lab\/iot-agent\//, files: [], packages: [/^iotagent-node-lib$/, /^node:http$/] },
  {
    who: 'the guard of the lab',
    from: /^lab\/iam\//,
    files: [/^lab\//, /^lambdas\/core\/names\.ts$/, /^lib\/emulator-policies\.ts$/],
    packages: [/^@aws-sdk\//, /^@cloud-copilot\/iam-simulate$/, /^node:/],
  },
  {
    who: 'lab',
    from: /^lab\//,
    files: [/^lambdas\//, /^lib\//, /^sim\/replica-set\//, /^test\/(contract|.*builders)/],
    packages: [/^@aws-sdk\//, /^aws-cdk-lib$/, /^bson$/, /^esbuild$/, /^mongodb$/, /^vega(-lite)?$/, /^zod$/, /^@jest\/globals$/, /^node:/],
  },
  { who: 'bench', from: /^bench\//, files: [/^(lambdas|sim|lib)\//, /^test\/builders\.ts$/], packages: [/^esbuild$/, /^zod$/, /^node:/] },
];

const SOURCES = filesEnding('.ts').filter(({ path }) => !path.startsWith('test/'));

/** Tests say what they are about by their names, and a `describe` is no function with an idea of its own. */
const NOT_TESTS = SOURCES.filter(({ path }) => !path.endsWith('.test.ts'));

function rowOf(path: string) {
  return TABLE.find(({ from }) => from.test(path));
}

function breaches(file: SourceFile): string[] {
  const row = rowOf(file.path);
  if (!row) return [`${file.path}: no row of the import table is for it`];
  return importsOf(file).flatMap(({ to, isFile }) => {
    const allowed = isFile ? row.from.test(to) || row.files.some((rule) => rule.test(to)) : row.packages.some((rule) => rule.test(to));
    return allowed ? [] : [`${file.path} (${row.who}) imports ${to}`];
  });
}

/** Circles of imports as paths that end where they began; each circle once. Imports of types alone count as well. */
function circles(files: SourceFile[]): string[] {
  const edges = new Map(files.map((file) => [file.path, importsOf(file).flatMap(({ to, isFile }) => (isFile ? [to] : []))]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) found.push([...trail.slice(at), path].join(' -> '));
    if (at >= 0 || done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return found;
}

/** What core must not touch: clock, randomness, environment, I/O, logging, promises. */
function impurities(file: SourceFile): string[] {
  const found: string[] = [];
  const source = parse(file);
  const note = (node: ts.Node) => {
    found.push(`${file.path}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${node.getText().slice(0, 40)}`);
  };
  const banned =
    /^(Date\.now|Math\.random|performance\.now|crypto\..*|process\.(env|argv|exit|hrtime|nextTick|std(in|out|err)|cwd).*|console\..*|globalThis\..*|Promise\..*)$/;
  forEachNode(source, (node) => {
    const isAsync = ts.isAwaitExpression(node) || node.kind === ts.SyntaxKind.AsyncKeyword;
    const isCall = ts.isPropertyAccessExpression(node) && banned.test(node.getText());
    const made = ts.isNewExpression(node) ? node : undefined;
    const isClock = made?.expression.getText() === 'Date' && (made.arguments?.length ?? 0) === 0;
    const isPromise = made?.expression.getText() === 'Promise';
    const isTimer =
      ts.isCallExpression(node) && /^(setTimeout|setInterval|setImmediate|queueMicrotask|fetch)$/.test(node.expression.getText());
    if (isAsync || isCall || isClock || isPromise || isTimer) note(node);
  });
  return found;
}

/** The first comment of a file without its marks; empty where code comes first. */
function openingComment(text: string): string {
  const body = text.replace(/^#!.*\n/, '');
  const block = /^(?:\/\*\*?([\s\S]*?)\*\/|"""([\s\S]*?)""")/.exec(body);
  if (block) return (block[1] ?? block[2] ?? '').replace(/^\s*\*? ?/gm, '').trim();
  return (/^(?:(?:\/\/|#) .*\n)+/.exec(body)?.[0] ?? '').replace(/^(\/\/|#) /gm, '').trim();
}

describe('imports', () => {
  it('keep to the table of the design', () => {
    expect(SOURCES.flatMap(breaches)).toEqual([]);
  });

  it('are seen wherever they stand', () => {
    const text =
      "export { a } from '../lambdas/aws/table';\nconst b = () => import('../lab/lab');\nimport type { C } from '@aws-sdk/client-ec2';";
    expect(breaches({ path: 'sim/made-up.ts', text, lines: 3 })).toEqual([
      'sim/made-up.ts (sim) imports lambdas/aws/table.ts',
      'sim/made-up.ts (sim) imports lab/lab.ts',
      'sim/made-up.ts (sim) imports @aws-sdk/client-ec2',
    ]);
  });

  it('have no circle', () => {
    expect(circles(SOURCES)).toEqual([]);
  });

  it('lead from nothing that is deployed or installed to the simulator of IAM or the library of IoT agents, whose licence is the AGPL', () => {
    const edges = new Map(SOURCES.map((file) => [file.path, importsOf(file).map(({ to }) => to)]));
    const reached = new Set<string>();
    const visit = (to: string): void => {
      if (reached.has(to)) return;
      reached.add(to);
      for (const next of edges.get(to) ?? []) visit(next);
    };
    for (const path of edges.keys()) if (/^(bin|lib|lambdas|nodes|sim|recipes)\//.test(path)) visit(path);
    expect([...reached]).toEqual(expect.arrayContaining(['lab/lab.ts', 'aws-cdk-lib']));
    expect([...reached].filter((to) => /^(@cloud-copilot\/|iotagent-node-lib|lab\/(iam|iot-agent)\/)/.test(to))).toEqual([]);
  });

  it('of tests mock no module', () => {
    const mocking = filesEnding('.test.ts').filter(({ text }) => /\bjest\.(mock|doMock|unstable_mockModule)\(/.test(text));
    expect(mocking.map(({ path }) => path)).toEqual([]);
  });
});

describe('core', () => {
  it('uses no clock, randomness, environment, I/O, logging or promises', () => {
    expect(SOURCES.filter(({ path }) => path.startsWith('lambdas/core/')).flatMap(impurities)).toEqual([]);
  });
});

describe('files', () => {
  it(`have at most ${FILE_LINES_MAX} lines`, () => {
    const long = filesEnding('.ts', '.mjs', '.js', '.cjs', '.sh', '.py').filter(({ lines }) => lines > FILE_LINES_MAX);
    expect(long.map(({ path, lines }) => `${path}: ${lines} lines`)).toEqual([]);
  });

  it('open with a comment of at least one sentence', () => {
    const files = [...NOT_TESTS, ...filesEnding('.mjs', '.sh', '.js', '.py')];
    const silent = files.filter(({ text }) => !/^[\S\s]{20,}?[.!]/.test(openingComment(text)));
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('are named in kebab-case, after what they do', () => {
    const bad = filesEnding('.ts', '.mjs').filter(({ path }) => {
      const name = path.slice(path.lastIndexOf('/') + 1).replace(/(\.d|\.test|\.config)?\.[cm]?[jt]s$/, '');
      return !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) || /^(utils?|helpers?|manager|service|common|misc)$/.test(name);
    });
    expect(bad.map(({ path }) => path)).toEqual([]);
  });
});

describe('functions', () => {
  it(`have at most ${FUNCTION_LINES_MAX} lines`, () => {
    const long = NOT_TESTS.flatMap((file) =>
      functionsOf(file).flatMap(({ line, lines }) => (lines > FUNCTION_LINES_MAX ? [`${file.path}:${line}: ${lines} lines`] : [])),
    );
    expect(long).toEqual([]);
  });
});

describe('the package', () => {
  const manifest = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
  const lock = JSON.parse(readFileSync(join(PROJECT, 'package-lock.json'), 'utf8'));
  const wanted: [string, string][] = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });

  it('pins every dependency to one version, the one in the lock file', () => {
    const loose = wanted.filter(([name, version]) => {
      return !/^\d+\.\d+\.\d+$/.test(version) || lock.packages[`node_modules/${name}`]?.version !== version;
    });
    expect(loose).toEqual([]);
  });

  it('carries the Apache License 2.0', () => {
    expect(manifest.license).toBe('Apache-2.0');
    const license = readFileSync(join(PROJECT, 'LICENSE'), 'utf8');
    expect(license).toMatch(/Apache License\s+Version 2\.0, January 2004/);
    expect(license).toContain('END OF TERMS AND CONDITIONS');
  });

  it('needs the simulator of IAM for tests and the lab alone', () => {
    expect(Object.keys(manifest.dependencies).filter((name) => name.startsWith('@cloud-copilot/'))).toEqual([]);
    const simulators = Object.entries<{ dev?: boolean }>(lock.packages).filter(([path]) => path.includes('node_modules/@cloud-copilot/'));
    expect(simulators.length).toBeGreaterThan(0);
    expect(simulators.filter(([, { dev }]) => !dev)).toEqual([]);
  });

  it('names in every script a file that is there', () => {
    const files = Object.values<string>(manifest.scripts).flatMap((script) => script.match(/\b(bin|bench|lab|sim)\/\S+/g) ?? []);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(() => readFileSync(join(PROJECT, file))).not.toThrow();
  });
});
