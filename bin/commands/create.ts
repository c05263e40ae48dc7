/** `fiware-ha create`: asks for a new cluster. Checks the spec before it is sent; launches nothing itself. */
import { Command } from 'commander';
import { parseSpec, warningsOf } from '../../lambdas/core/spec';
import { mistake } from '../cli/command-error';
import type { CliContext } from '../cli/context';
import { readSpecFile } from '../cli/json-file';
import { sendMessageExample, withWaiting } from '../cli/options';
import { checkedName, request, type WaitOptions, wholeNumber } from '../cli/request';

interface CreateOptions extends WaitOptions {
  spec?: string;
  orion?: string;
  mongo?: string;
}

function specFrom(context: CliContext, name: string, options: CreateOptions): Record<string, unknown> {
  if (options.spec !== undefined) {
    if (options.orion !== undefined || options.mongo !== undefined)
      throw mistake('--spec: expected either --spec or --orion and --mongo; got both: set the counts in the file');
    return readSpecFile(context, options.spec, name);
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
