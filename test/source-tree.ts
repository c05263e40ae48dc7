/** The source tree as the TypeScript compiler parses it: files, what each imports, how long each function is. Reads files, judges nothing. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

export const PROJECT = join(__dirname, '..');
const FOLDERS = ['bench', 'bin', 'lab', 'lambdas', 'lib', 'nodes', 'sim', 'test'];
/** What is installed or made, not written. */
const NOT_SOURCES: ReadonlySet<string> = new Set(['node_modules', 'cdk.out', 'dist', '__snapshots__']);

export interface SourceFile {
  /** From the project's folder, with slashes: `lambdas/core/plan/plan.ts`. */
  path: string;
  text: string;
  /** Lines of text; a newline at the end starts no line of its own. */
  lines: number;
}

export interface Import {
  /** A file of the project as its path, a package as its name (`node:fs`, `@aws-sdk/client-ec2`). */
  to: string;
  isFile: boolean;
  /** True for `import type` and for imports whose names are all types. */
  isTypeOnly: boolean;
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_SOURCES.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : [path];
  });
}

/** All files of the source folders whose name ends in one of `endings`, in a fixed order. */
export function filesEnding(...endings: string[]): SourceFile[] {
  const paths = FOLDERS.map((folder) => join(PROJECT, folder)).flatMap(walk);
  return paths
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .sort()
    .map((path) => {
      const text = readFileSync(path, 'utf8');
      return { path: relative(PROJECT, path), text, lines: text.replace(/\n$/, '').split('\n').length };
    });
}

export function parse(file: SourceFile): ts.SourceFile {
  return ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ES2022, true);
}

function isFileAt(path: string): boolean {
  return statSync(join(PROJECT, path), { throwIfNoEntry: false })?.isFile() ?? false;
}

/** The file that an import without an ending stands for; whether it is there is the compiler's to say. */
function resolveFile(from: string, specifier: string): string {
  const base = join(dirname(from), specifier);
  return [base, `${base}.ts`, join(base, 'index.ts')].find(isFileAt) ?? `${base}.ts`;
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  if (!ts.isImportDeclaration(node) || !node.importClause) return false;
  const { importClause } = node;
  const names = importClause.namedBindings;
  const allTypes = names !== undefined && ts.isNamedImports(names) && names.elements.every((element) => element.isTypeOnly);
  return importClause.isTypeOnly || (importClause.name === undefined && allTypes);
}

function specifierOf(node: ts.Node): string | undefined {
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier))
    return node.moduleSpecifier.text;
  if (!ts.isCallExpression(node)) return undefined;
  const [argument] = node.arguments;
  const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword || node.expression.getText() === 'require';
  return isImport && argument && ts.isStringLiteral(argument) ? argument.text : undefined;
}

/** Calls `visit` for a node and everything below it. */
export function forEachNode(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  node.forEachChild((child) => forEachNode(child, visit));
}

/** Everything a file imports, `import()` and `export … from` included. */
export function importsOf(file: SourceFile): Import[] {
  const imports: Import[] = [];
  forEachNode(parse(file), (node) => {
    const specifier = specifierOf(node);
    if (specifier === undefined) return;
    const isFile = specifier.startsWith('.');
    imports.push({ to: isFile ? resolveFile(file.path, specifier) : packageOf(specifier), isFile, isTypeOnly: isTypeOnly(node) });
  });
  return imports;
}

/** Each function, method and arrow of a file with its first line and its length in lines. */
export function functionsOf(file: SourceFile): { line: number; lines: number }[] {
  const source = parse(file);
  const functions: { line: number; lines: number }[] = [];
  forEachNode(source, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return;
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    functions.push({ line, lines: source.getLineAndCharacterOfPosition(node.getEnd()).line + 2 - line });
  });
  return functions;
}
