/** `fiware-ha events`: what happened to a cluster and why, oldest first. Only reads the journal. */
import { Command } from 'commander';
import type { JournalEntry } from '../../lambdas/app/ports';
import type { CliContext, CommonOptions, OperatorPorts } from '../cli/context';
import { entryKey, entryText } from '../cli/follow';
import { checkedName, wholeNumber } from '../cli/request';
import { unknownCluster } from '../cli/unknown-cluster';

const LOOK_EVERY_MS = 2_000;
const LIMIT_MAX = 1_000;

interface EventsOptions extends CommonOptions {
  limit: string;
  follow?: boolean;
}

function line(entry: JournalEntry, options: EventsOptions): string {
  if (options.json) return JSON.stringify(entry);
  return `${new Date(entry.atMs).toISOString()}  ${entryText(entry)}`;
}

async function isKnown(ports: OperatorPorts, cluster: string): Promise<boolean> {
  return (await ports.rows.get(cluster)) !== null || (await ports.specs.get(cluster)) !== null;
}

async function showEvents(context: CliContext, name: string, options: EventsOptions): Promise<void> {
  const cluster = checkedName(name);
  const limit = wholeNumber('--limit', options.limit, 1, LIMIT_MAX);
  const ports = await context.connect();
  const printed = new Set<string>();
  const print = async (): Promise<number> => {
    const news = (await ports.journal.read(cluster, limit)).filter((entry) => !printed.has(entryKey(entry)));
    for (const entry of news.reverse()) {
      printed.add(entryKey(entry));
      context.out(line(entry, options));
    }
    return news.length;
  };
  const first = await print();
  // A request that named no cluster we know leaves its refusal in the journal all the same.
  if (first === 0 && !(await isKnown(ports, cluster))) throw await unknownCluster(ports, cluster);
  if (first === 0 && !options.json && !options.follow) context.out(`${cluster}: nothing has happened yet`);
  while (options.follow) {
    await context.sleep(LOOK_EVERY_MS);
    await print();
  }
}

const EXAMPLES = `
Examples:
  fiware-ha events city
  fiware-ha events city --limit 200
  fiware-ha events city --follow
  fiware-ha events city --json | jq 'select(.event == "refused")'
`;

export function eventsCommand(context: CliContext): Command {
  return new Command('events')
    .summary('what happened to a cluster and why')
    .description('Shows what happened to a cluster and why, oldest first: requests, plans, jobs, refusals.')
    .argument('<name>', 'name of the cluster')
    .option('--limit <n>', `how many of the newest entries, 1 to ${LIMIT_MAX}`, '50')
    .option('--follow', 'go on printing what happens')
    .option('--json', 'one JSON document a line')
    .addHelpText('after', EXAMPLES)
    .action((name: string, options: EventsOptions) => showEvents(context, name, options));
}
