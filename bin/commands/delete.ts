/** `fiware-ha delete`: asks for the end of a cluster. Sends nothing without the name given twice. */
import { Command } from 'commander';
import { mistake } from '../cli/command-error';
import type { CliContext } from '../cli/context';
import { sendMessageExample, withWaiting } from '../cli/options';
import { checkedName, request, type WaitOptions } from '../cli/request';

interface DeleteOptions extends WaitOptions {
  confirm?: string;
}

const EXAMPLES = `
Removes instances with their volumes, Elastic IPs, placement groups, spec and row.
The data in MongoDB goes with the volumes. The journal stays readable for weeks.

Example:
  fiware-ha delete city --confirm city --wait
${sendMessageExample({ kind: 'deleteCluster', cluster: 'city', confirm: 'city' })}`;

export function deleteCommand(context: CliContext): Command {
  const command = new Command('delete')
    .summary('ask for the end of a cluster, data included')
    .description('Asks for the end of a cluster, its data included.')
    .argument('<name>', 'name of the cluster')
    .option('--confirm <name>', 'the name once more; nothing is deleted without it')
    .addHelpText('after', EXAMPLES);
  return withWaiting(command).action(async (name: string, options: DeleteOptions) => {
    const cluster = checkedName(name);
    const { confirm } = options;
    if (confirm !== cluster)
      throw mistake(
        `--confirm: expected ${JSON.stringify(cluster)}, the name of the cluster; got ${confirm === undefined ? 'nothing' : JSON.stringify(confirm)}; nothing was deleted`,
      );
    const ports = await context.connect();
    await request(context, ports, { kind: 'deleteCluster', cluster, confirm }, options, (row) => row === null);
  });
}
