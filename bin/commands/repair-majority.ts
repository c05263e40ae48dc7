/** `fiware-ha repair-majority`: shows what is left of a lost replica set, the procedure and its risk. Sends nothing without the name given twice. */
import { Command } from 'commander';
import type { ClusterRow } from '../../lambdas/core/memory';
import { CommandError, mistake } from '../cli/command-error';
import type { CliContext } from '../cli/context';
import { sendMessageExample, withWaiting } from '../cli/options';
import { hostOfSlot, repairLines, survivorsOf } from '../cli/repair-text';
import { checkedName, request, type WaitOptions } from '../cli/request';
import { unknownCluster } from '../cli/unknown-cluster';

interface RepairOptions extends WaitOptions {
  confirm?: string;
}

const EXAMPLES = `
Without --confirm it only prints, and changes nothing. A forced configuration can lose
writes that clients were told were safe: try to bring the lost members back first.

Examples:
  fiware-ha repair-majority city
  fiware-ha repair-majority city --confirm city --wait
${sendMessageExample({ kind: 'repairMajority', cluster: 'city', confirm: 'city' })}`;

/** Whether the last check found the majority lost. */
function isLost(row: ClusterRow): boolean {
  return row.status?.blocked.some((reason) => reason.startsWith('majority lost')) ?? false;
}

export function repairMajorityCommand(context: CliContext): Command {
  const command = new Command('repair-majority')
    .summary('what to do when most members of a replica set are lost')
    .description('Shows what is left of a replica set that lost its majority, how to go on with the survivors, and what that can lose.')
    .argument('<name>', 'name of the cluster')
    .option('--confirm <name>', 'the name once more: forces the set down to its survivors')
    .addHelpText('after', EXAMPLES);
  return withWaiting(command).action(async (name: string, options: RepairOptions) => {
    const cluster = checkedName(name);
    const { confirm } = options;
    if (confirm !== undefined && confirm !== cluster)
      throw mistake(
        `--confirm: expected ${JSON.stringify(cluster)}, the name of the cluster; got ${JSON.stringify(confirm)}; nothing was forced`,
      );
    const ports = await context.connect();
    const row = await ports.rows.get(cluster);
    if (!row) throw await unknownCluster(ports, cluster);
    if (!isLost(row))
      throw new CommandError(1, [
        `${cluster}: the last check did not find its majority lost; nothing to repair (fiware-ha status ${cluster})`,
      ]);
    const survivors = survivorsOf(row).map(hostOfSlot);
    if (confirm === undefined) {
      if (options.json)
        context.out(
          JSON.stringify({ cluster, changed: false, survivors, slots: row.status?.slots.filter(({ role }) => role === 'mongo') }),
        );
      else for (const line of repairLines(row, ports.clock.nowMs())) context.out(line);
      return;
    }
    const job = { kind: 'repairMajority', cluster, confirm, survivors } as const;
    await request(context, ports, job, options, (now) => now?.status?.converged === true);
  });
}
