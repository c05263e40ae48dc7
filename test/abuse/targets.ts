/** What is abused, and what must hold whatever comes in. Each check throws an Error that says what broke. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { readSpec } from '../../lambdas/app/read-spec';
import { commandOutcome, encodePayload } from '../../lambdas/aws/ssm-commands';
import { clusterOfParameter } from '../../lambdas/aws/ssm-specs';
import { parseControlPlane } from '../../lambdas/control-plane-parameter';
import { renderConfig } from '../../lambdas/core/config/render';
import { decodeMessage, type QueueName } from '../../lambdas/core/jobs';
import { byRole, CLUSTER_NAME } from '../../lambdas/core/names';
import { nodeConfig } from '../../lambdas/core/node-config';
import { parseSpec } from '../../lambdas/core/spec';
import { environmentOf, parseEnvironment } from '../../lambdas/env';
import { hostile, hostileJson, hostileScalar, hostileText } from './hostile';
import { GOOD, GOOD_CONFIGS, GOOD_SPEC } from './messages';

export interface Target {
  name: string;
  /** Share of the runs it gets, against the others. */
  weight: number;
  input: fc.Arbitrary<unknown>;
  check(input: never): void;
}

/** A target whose check takes what its arbitrary gives. */
export function target<T>(name: string, weight: number, input: fc.Arbitrary<T>, check: (input: T) => void): Target {
  return { name, weight, input, check: check as (input: never) => void };
}

export function must(holds: boolean, words: string): void {
  if (!holds) throw new Error(words);
}

/** Problems reach the log, the journal and a claim: few, short, and never none. */
const PROBLEMS_MAX = 21;
const PROBLEM_MAX_CHARS = 400;

export function areFitToRead(problems: readonly string[]): void {
  must(problems.length > 0, 'refused without a reason');
  must(problems.length <= PROBLEMS_MAX, `${problems.length} problems at once`);
  const long = problems.find((problem) => problem.length > PROBLEM_MAX_CHARS);
  must(long === undefined, `a problem of ${long?.length} characters`);
  const odd = problems.find((problem) => /[\p{Cc}\p{Cf}\p{Cs}]/u.test(problem));
  must(odd === undefined, `a problem that steers a terminal: ${JSON.stringify(odd)}`);
}

/** No input changes what all objects have. */
function leavesPrototypeAlone(): void {
  must(Object.keys(Object.prototype).length === 0, 'Object.prototype has new properties');
}

const PLAIN = /^[\x20-\x7e]*$/;
/** Free words, keys and facts of EC2: they never reach a node. */
const FREE: ReadonlySet<string> = new Set(['reason', 'confirm', 'zone', 'instanceType', 'name', 'version', 'facts', 'spec', 'jobKey']);

/** Every text of a decoded job that may reach a node is plain ASCII without quotes, spaces or signs of a shell. */
function isHarmless(value: unknown, path = ''): void {
  if (typeof value === 'string')
    must(PLAIN.test(value) && !/['"`$\\;&|<>(){}\s]/.test(value), `${path}: ${JSON.stringify(value)} got through`);
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) if (!FREE.has(key)) isHarmless(item, `${path}.${key}`);
}

function decoder(queue: QueueName): Target {
  return target(`decode ${queue}`, 4, hostileJson(GOOD[queue]), (body) => {
    const decoded = decodeMessage(queue, body);
    leavesPrototypeAlone();
    if (!decoded.ok) return areFitToRead(decoded.problems);
    isHarmless(decoded.value);
    // Deeper than JSON can be written: only a spec may hold it, and the spec is checked by itself.
    if (/(\[{2000}|(\{"a":){2000})/.test(body)) return;
    const again = decodeMessage(queue, JSON.stringify(decoded.value));
    must(again.ok && isDeepStrictEqual(again.value, decoded.value), 'decoded twice it is another message');
  });
}

const spec = target('spec', 3, hostile([GOOD_SPEC]), (input) => {
  const parsed = parseSpec(input);
  leavesPrototypeAlone();
  if (!parsed.ok) return areFitToRead(parsed.problems);
  must(/^[a-z0-9-]{1,32}$/.test(parsed.value.name), `name ${JSON.stringify(parsed.value.name)} got through`);
  must(/^[\w-]{1,32}$/.test(parsed.value.mongo.replicaSet), `replica set ${JSON.stringify(parsed.value.mongo.replicaSet)} got through`);
  must(parsed.value.orion.count <= 20 && parsed.value.mongo.count <= 7, 'a count beyond every limit got through');
});

const storedSpec = target('spec in Parameter Store', 1, hostileJson([GOOD_SPEC]), (text) => {
  const { spec: found, problems } = readSpec('city', text);
  must(found === undefined || found.name === 'city', 'a spec of another cluster was taken');
  if (!found) areFitToRead(problems);
});

const names = target('names and paths', 2, fc.tuple(hostileText, hostileText), ([a, b]) => {
  for (const text of [a, b, a + b])
    if (CLUSTER_NAME.test(text))
      must(
        [...text].every((c) => 'abcdefghijklmnopqrstuvwxyz0123456789-'.includes(c)),
        `${JSON.stringify(text)} is no name`,
      );
  const cluster = clusterOfParameter(`/fiware-ha/clusters/${a}/spec${b}`);
  must(cluster === undefined || (cluster === a && b === ''), `${JSON.stringify([a, b])} was read as ${cluster}`);
});

/** Lines by file of the good configuration of a role: what is rendered from another must have no line of its own making. */
const shapeOf = (content: string) => content.split('\n').map((line) => /^\s*[A-Za-z_#@!-]*/.exec(line)?.[0] ?? '');

const templates = target('templates and payloads', 3, hostile(GOOD_CONFIGS), (input) => {
  const parsed = nodeConfig.safeParse(input);
  if (!parsed.success) return;
  const files = renderConfig(parsed.data, 'abcd1234');
  for (const { name, content } of files) {
    must(/^[\x20-\x7e\n]*$/.test(content), `${name}: a character that is not plain got in`);
    must(content.length < 65_536, `${name}: ${content.length} characters`);
    for (const line of shapeOf(content)) must(!/evil|reboot/.test(line), `${name}: a line of the sender's own: ${line}`);
  }
  const payload = encodePayload({ name: 'apply-config', role: parsed.data.role, version: 'abcd1234', files });
  must(/^[A-Za-z0-9+/]+={0,2}$/.test(payload), 'the payload is not base64');
  const back = JSON.parse(Buffer.from(payload, 'base64').toString('utf8'));
  must(JSON.stringify(back.files) === JSON.stringify(files), 'the payload is not what was rendered');
});

const GOOD_ENVIRONMENT = environmentOf({
  tableName: 'state',
  queueUrls: { 'health-check': 'https://q/1/h', provision: 'https://q/1/p' },
  tickEveryS: 10,
  terminationsPer10Min: 10,
  probeTimeoutMs: 2_000,
  subnets: [{ zone: 'eu-west-1a', public: 'subnet-1', private: 'subnet-2' }],
  launchTemplates: byRole((role) => `lt-${role}`),
  imageIds: byRole(() => 'ami-1'),
  commandDocuments: 'shell',
  placementGroups: 'off',
});

/** Runs what may throw one Error in words; anything else is a bug. */
function wordsOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    must(error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError), `threw ${String(error)}`);
    return (error as Error).message;
  }
}

const environment = target('environment', 1, hostile([GOOD_ENVIRONMENT]), (input) => {
  const env = Object.fromEntries(Object.entries(input).filter(([, value]) => typeof value === 'string'));
  const words = wordsOf(() => parseEnvironment(env));
  must(words === undefined || /^environment: /.test(words), `not in words: ${words}`);
});

const GOOD_PLANE = { tableName: 't', queues: { 'health-check': 'h', provision: 'p', failover: 'f' }, tickEveryS: 10 };
const controlPlane = target('parameter of the deployment', 1, hostileJson([GOOD_PLANE]), (text) => {
  const words = wordsOf(() => parseControlPlane(text));
  must(words === undefined || words.startsWith('/fiware-ha/control-plane: '), `not in words: ${words}`);
});

const outputs = target(
  'answers of commands',
  1,
  fc.tuple(
    fc.constantFrom('Success', 'Failed', 'TimedOut', 'Pending', '', 'Whatever'),
    fc.oneof(fc.integer(), fc.constant(undefined)),
    fc
      .array(fc.oneof(hostileText, hostileJson([{ ok: true, configVersion: 'abcd', error: 'x' }])), { maxLength: 3 })
      .map((lines) => lines.join('\n')),
    hostileText,
  ),
  ([status, exitCode, stdout, stderr]) => {
    const outcome = commandOutcome(status, exitCode, stdout, stderr);
    if (outcome.is === 'failed') must(outcome.detail.length <= 300, `a detail of ${outcome.detail.length} characters`);
    if (outcome.is === 'succeeded')
      must(typeof outcome.output === 'object' && !Array.isArray(outcome.output), 'a success without an object');
  },
);

const scalars = target('scalars as messages', 1, hostileScalar, (value) => {
  for (const queue of ['health-check', 'provision', 'failover'] as const)
    must(!decodeMessage(queue, JSON.stringify(value) ?? '').ok, `${JSON.stringify(value)} is no message`);
});

export const TEXT_TARGETS: readonly Target[] = [
  decoder('health-check'),
  decoder('provision'),
  decoder('failover'),
  spec,
  storedSpec,
  names,
  templates,
  environment,
  controlPlane,
  outputs,
  scalars,
];
