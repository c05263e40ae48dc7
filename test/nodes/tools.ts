/** What the tests of the node scripts run: real programs, where they are installed. On a CI machine a missing one is a failure. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from '@jest/globals';

export const NODES = join(__dirname, '..', '..', 'nodes');
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end, at most a minute. */
export function run(program: string, args: string[], env: Record<string, string> = {}): Ran {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, PATH, ...env },
  });
  return { code: status, stdout, stderr: error ? `${stderr ?? ''}${error.message}` : stderr };
}

export function isInstalled(program: string): boolean {
  return run('sh', ['-c', `command -v ${program}`]).code === 0;
}

/** `describe` where the programs are there, or must be (CI); elsewhere the tests are skipped and the title says why. */
export function describeWith(programs: string[], title: string, body: () => void): void {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length === 0 || process.env.CI) describe(title, body);
  else describe.skip(`${title} (skipped: install ${missing.join(', ')})`, body);
}

export interface Script {
  /** Below `nodes/`. */
  path: string;
  language: 'shell' | 'python' | 'lua';
}

/** The scripts that run on nodes, by their first line. */
export function nodeScripts(): Script[] {
  const paths = ['install.sh', ...readdirSync(join(NODES, 'bin')).map((name) => `bin/${name}`)];
  return paths.map((path) => {
    const [first = ''] = readFileSync(join(NODES, path), 'utf8').split('\n');
    if (path.endsWith('.lua')) return { path, language: 'lua' };
    if (/python3$/.test(first)) return { path, language: 'python' };
    if (/^#!\/bin\/(ba)?sh$|shellcheck shell=/.test(first)) return { path, language: 'shell' };
    throw new Error(`nodes/${path}: its first line names no language: ${first}`);
  });
}

/** The payload as the control plane sends it. */
export function payloadOf(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}

/** What a node script answers: its last line, one JSON object. */
export function answerOf({ stdout, stderr }: Ran): Record<string, unknown> {
  const last = stdout.trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) throw new Error(`expected one JSON line last; got ${JSON.stringify(stdout)} and ${JSON.stringify(stderr)}`);
  return JSON.parse(last) as Record<string, unknown>;
}
