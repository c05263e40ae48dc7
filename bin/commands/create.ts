/** `fiware-ha create`: asks for a new cluster. Checks the spec before it is sent; launches nothing itself. */
import { Command } from 'commander';
import { parseSpec, warningsOf } from '../../lambdas/core/spec';
import { mistake } from '../cli/command-error';
import type { CliContext } from '../cli/context';
import { sendMessageExample, withWaiting } from '../cli/options';
import { checkedName, request, type WaitOptions, wholeNumber } from '../cli/request';

interface CreateOptions extends WaitOptions {
  spec?: string;
  orion?: string;
  mongo?: string;
}

function readSpecFile(context: CliContext, file: string): Record<string, unknown> {
  let text: string;
  try {
    text = context.readText(file);
  } catch (error) {
    throw mistake(`--spec: ${JSON.stringify(file)} can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw mistake(`--spec: expected JSON in ${JSON.stringify(file)}; ${error instanceof Error ? error.message : String(error)}`);
  }
  if (json === null || typeof json !== 'object' || Array.isArray(json))
    throw mistake(`--spec: expected a JSON object in ${JSON.stringify(file)}; got ${JSON.stringify(json).slice(0, 60)}`);
  // `$schema` is for editors and no part of a spec.
  const { $schema: _, ...spec } = json as Record<string, unknown>;
  return spec;
}

function specFrom(context: CliContext, name: string, options: CreateOptions): Record<string, unknown> {
  if (options.spec !== undefined) {
    if (options.orion !== undefined || options.mongo !== undefined)
      throw mistake('--spec: expected either --spec or --orion and --mongo; got both: set the counts in the file');
    const spec = readSpecFile(context, options.spec);
    if (spec.name !== undefined && spec.name !== name)
      throw mistake(`name: expected ${JSON.stringify(name)} as on the command line; got ${JSON.stringify(spec.name)} in ${options.spec}`);
    return spec;
  }
  return {
    ...(options.orion === undefined ? {} : { orion: { count: wholeNumber('--orion', options.orion, 1, 20) } }),
    ...(options.mongo === undefined ? {} : { mongo: { count: wholeNumber('--mongo', options.mongo, 1, 7) } }),
  };
}

const EXAMPLES = `
Without options you get the cluster of the FIWARE HA slides: two balancers with one shared
Elastic IP (lb1, lb2), two brokers (ctx1, ctx2) and the replica set orion_rs (mdb1 to mdb3).

Examples:
  fiware-ha create city --wait
  fiware-ha create city --orion 4 --mongo 5
  fiware-ha create city --spec city.json --wait --timeout 1200
  # city.json, with completion in editors that know JSON Schema:
  # { "$schema": "./docs/cluster-spec.schema.json", "name": "city", "orion": { "count": 3, "max": 12 } }
${sendMessageExample({ kind: 'createCluster', cluster: 'city', spec: { orion: { count: 4 } } })}`;

export function createCommand(context: CliContext): Command {
  const command = new Command('create')
    .summary('ask for a new cluster')
    .description('Asks for a new cluster: the spec is stored, and the control plane builds what it says.')
    .argument('<name>', 'name of the cluster')
    .option('--spec <file>', "the whole spec as JSON; '-' reads standard input")
    .option('--orion <n>', 'number of Orion brokers, 1 to 20 (2 unless given)')
    .option('--mongo <n>', 'number of MongoDB members: 1, 3, 5 or 7 (3 unless given)')
    .addHelpText('after', EXAMPLES);
  return withWaiting(command).action(async (name: string, options: CreateOptions) => {
    const cluster = checkedName(name);
    const spec = specFrom(context, cluster, options);
    const parsed = parseSpec({ ...spec, name: cluster });
    if (!parsed.ok) throw mistake(...parsed.problems);
    for (const warning of warningsOf(parsed.value)) context.err(`warning: ${warning}`);
    const ports = await context.connect();
    await request(context, ports, { kind: 'createCluster', cluster, spec }, options, (row) => row?.status?.converged === true);
  });
}
