/** `fiware-ha status`: how a cluster is, what is under way and why. Reads what the last check wrote; looks at no node itself. */
import { Command } from 'commander';
import { readSpec } from '../../lambdas/app/read-spec';
import type { ClusterRow } from '../../lambdas/core/memory';
import type { CliContext, CommonOptions, OperatorPorts } from '../cli/context';
import { checkedName } from '../cli/request';
import { statusLines, statusSummaryLine } from '../cli/status-text';
import { knownClusters, unknownCluster } from '../cli/unknown-cluster';

function machine(row: ClusterRow): Record<string, unknown> {
  const { cluster, phase, version, spec, status } = row;
  return { cluster, phase, version, spec, status };
}

async function showDeclared(context: CliContext, ports: OperatorPorts, cluster: string, options: CommonOptions): Promise<void> {
  const stored = await ports.specs.get(cluster);
  if (!stored) throw await unknownCluster(ports, cluster);
  const { spec, problems } = readSpec(cluster, stored.text);
  if (options.json) context.out(JSON.stringify({ cluster, phase: 'declared', version: 0, spec: spec ?? null, status: null, problems }));
  else if (spec) context.out(`${cluster}: declared; no check has looked at it yet`);
  else context.out(`${cluster}: declared, but its spec is not valid and nothing is done: ${problems.join('; ')}`);
}

async function showOne(context: CliContext, name: string, options: CommonOptions): Promise<void> {
  const cluster = checkedName(name);
  const ports = await context.connect();
  const row = await ports.rows.get(cluster);
  if (!row) return showDeclared(context, ports, cluster, options);
  if (options.json) context.out(JSON.stringify(machine(row)));
  else for (const line of statusLines(row, ports.clock.nowMs())) context.out(line);
}

async function showAll(context: CliContext, options: CommonOptions): Promise<void> {
  const ports = await context.connect();
  const names = await knownClusters(ports);
  if (names.length === 0 && !options.json) context.out('no clusters yet; make one: fiware-ha create city --wait');
  for (const name of names) {
    const row = await ports.rows.get(name);
    if (!row) await showDeclared(context, ports, name, options);
    else context.out(options.json ? JSON.stringify(machine(row)) : statusSummaryLine(row, ports.clock.nowMs()));
  }
}

const EXAMPLES = `
Without a name: one line a cluster.

Examples:
  fiware-ha status
  fiware-ha status city
  fiware-ha status city --json | jq '.status.slots[] | select(.health != "healthy")'
`;

export function statusCommand(context: CliContext): Command {
  return new Command('status')
    .summary('how a cluster is, what is under way and why')
    .description('Shows how a cluster is: each slot, what is under way and why, what the last plan said.')
    .argument('[name]', 'name of the cluster')
    .option('--json', 'one JSON document a line')
    .addHelpText('after', EXAMPLES)
    .action((name: string | undefined, options: CommonOptions) =>
      name === undefined ? showAll(context, options) : showOne(context, name, options),
    );
}
