/** `fiware-ha recipe`: the same clusters elsewhere, as files. Reads a spec, writes a folder; starts nothing and asks no cloud. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { CATALOGUE } from '../../lambdas/core/catalogue/catalogue';
import { LAST_RPM } from '../../lambdas/core/catalogue/orion';
import type { RoleEntry } from '../../lambdas/core/catalogue/role-entry';
import { unknownVersions, versionConflicts } from '../../lambdas/core/catalogue/version-problems';
import { knownVersions, MONGO_SERIES, MONGO_USUAL, type MongoSeries } from '../../lambdas/core/catalogue/versions';
import { type ClusterSpec, parseAnySpec, warningsOf } from '../../lambdas/core/spec';
import { IPV4_CIDR, parseAddresses } from '../../recipes/addresses';
import { problemsOfChoices, renderBaremetal } from '../../recipes/baremetal';
import { renderCompose } from '../../recipes/compose';
import type { RecipeFile } from '../../recipes/recipe';
import { renderSwarm } from '../../recipes/swarm';
import { CommandError, mistake } from '../cli/command-error';
import type { CliContext, CommonOptions } from '../cli/context';
import { readJsonFile, readSpecFile } from '../cli/json-file';
import { checkedName } from '../cli/request';

interface RecipeOptions extends CommonOptions {
  spec?: string;
  out?: string;
  force?: boolean;
  mongoVersion?: MongoSeries;
}

interface BaremetalOptions extends RecipeOptions {
  addresses: string;
  manager: 'keepalived' | 'pacemaker';
  asInTheSlides?: boolean;
}

/** MongoDB of the slides' time, when Orion came as an RPM. */
const MONGO_OF_THE_SLIDES: MongoSeries = '4.4';

/** The guards of every step on a replica set, the same as on the nodes. */
function replicaSetScript(): string {
  return readFileSync(join(__dirname, '../../nodes/mongo/replica-set.js'), 'utf8');
}

/** The spec of the file, or the one of the slides; what it risks is said. @throws CommandError */
function specFor(context: CliContext, name: string, options: RecipeOptions, usual: Record<string, unknown> = {}): ClusterSpec {
  const given = options.spec === undefined ? {} : readSpecFile(context, options.spec, name);
  const parsed = parseAnySpec({ ...usual, ...given, name });
  if (!parsed.ok) throw mistake(...parsed.problems);
  for (const warning of warningsOf(parsed.value)) context.err(`warning: ${warning}`);
  return parsed.value;
}

function refuseIf(problems: string[]): void {
  if (problems.length > 0) throw mistake(...problems);
}

/** Writes the files, or none of them where one of another content is in the way. @throws CommandError */
function write(context: CliContext, folder: string, files: readonly RecipeFile[], { force, json }: RecipeOptions): void {
  const paths = files.map((file) => ({ ...file, at: join(folder, file.path) }));
  const changed = paths.filter(({ at, content }) => ![undefined, content].includes(context.textAt(at)));
  if (changed.length > 0 && !force)
    throw new CommandError(1, [
      `--out: expected a folder without other files of these names; got ${changed.map(({ at }) => at).join(', ')} with another content; take another folder, or overwrite them with --force`,
    ]);
  for (const { at, content, executable } of paths) context.writeText(at, content, executable ?? false);
  if (json) context.out(JSON.stringify({ folder, files: files.map(({ path }) => path) }));
  else {
    for (const { at } of paths) context.out(at);
    context.out(`${files.length} files; start with ${join(folder, 'README.md')}`);
  }
}

function withCommon(command: Command): Command {
  return command
    .argument('<name>', 'name of the cluster')
    .option('--spec <file>', "the spec as JSON, as for create, with `enablers` as well; '-' reads standard input")
    .option('--out <folder>', 'where the files go (NAME-compose, NAME-swarm or NAME-baremetal unless given)')
    .option('--force', 'overwrite files of the same names and another content')
    .addOption(new Option('--mongo-version <series>', `MongoDB (${MONGO_USUAL} unless given)`).choices([...MONGO_SERIES]))
    .option('--json', 'one JSON document with the list of files');
}

function composeCommand(context: CliContext): Command {
  return withCommon(new Command('compose').summary('a Docker Compose project: everything on one machine, to try out'))
    .option('--network <prefix>', 'first two numbers of its addresses', '172.30')
    .addHelpText(
      'after',
      `
Examples:
  fiware-ha recipe compose city
  fiware-ha recipe compose city --spec city.json --out /srv/city
  # city.json with more roles:
  # { "name": "city", "enablers": { "sth-comet": {}, "iotagent-json": { "count": 3 }, "cygnus": { "options": { "channel": "file" } } } }
`,
    )
    .action((name: string, options: RecipeOptions & { network: string }) => {
      const spec = specFor(context, checkedName(name), options);
      const mongoSeries = options.mongoVersion ?? MONGO_USUAL;
      const { network } = options;
      const isPrivate = /^(10\.(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])|172\.(1[6-9]|2\d|3[01])|192\.168)$/.test(network);
      refuseIf([
        ...(isPrivate ? [] : [`--network: expected two numbers of a private network such as 172.30; got ${JSON.stringify(network)}`]),
        ...unknownVersions(spec),
        ...versionConflicts(spec, mongoSeries),
      ]);
      const files = renderCompose(spec, { mongoSeries, network, replicaSetScript: replicaSetScript() });
      write(context, options.out ?? `${name}-compose`, files, options);
    });
}

function swarmCommand(context: CliContext): Command {
  return withCommon(new Command('swarm').summary('a stack for Docker Swarm: several machines, processes go where there is room'))
    .option('--virtual <address>', "an address that the balancers' machines share, with its prefix: 192.168.0.99/24")
    .addHelpText(
      'after',
      `
Examples:
  fiware-ha recipe swarm city --virtual 192.168.0.99/24
  fiware-ha recipe swarm city --spec city.json --out /srv/city
`,
    )
    .action((name: string, options: RecipeOptions & { virtual?: string }) => {
      const spec = specFor(context, checkedName(name), options);
      const mongoSeries = options.mongoVersion ?? MONGO_USUAL;
      const { virtual } = options;
      const isAddress = virtual === undefined || IPV4_CIDR.test(virtual);
      refuseIf([
        ...(isAddress ? [] : [`--virtual: expected an address with its prefix such as 192.168.0.99/24; got ${JSON.stringify(virtual)}`]),
        ...unknownVersions(spec),
        ...versionConflicts(spec, mongoSeries),
      ]);
      write(
        context,
        options.out ?? `${name}-swarm`,
        renderSwarm(spec, { mongoSeries, virtual, replicaSetScript: replicaSetScript() }),
        options,
      );
    });
}

function baremetalCommand(context: CliContext): Command {
  return withCommon(new Command('baremetal').summary('files for machines you have: one folder a machine, and the steps'))
    .requiredOption('--addresses <file>', 'who is at which address, as JSON')
    .addOption(
      new Option('--manager <program>', 'what moves the virtual address').choices(['keepalived', 'pacemaker']).default('keepalived'),
    )
    .option('--as-in-the-slides', "the slides' own files: TCP, VRRP by multicast, a preferred holder, Orion's RPM")
    .addHelpText(
      'after',
      `
Examples:
  fiware-ha recipe baremetal city --addresses addresses.json
  fiware-ha recipe baremetal city --addresses addresses.json --as-in-the-slides
  fiware-ha recipe baremetal city --addresses addresses.json --manager pacemaker
  # addresses.json, that of the slides; prefix (24) and interface (eth0) of the balancers may be given as well:
  # { "virtual": "192.168.0.99", "nodes": { "lb1": "192.168.0.100", "lb2": "192.168.0.101",
  #   "ctx1": "192.168.0.102", "ctx2": "192.168.0.103",
  #   "mdb1": "192.168.0.104", "mdb2": "192.168.0.105", "mdb3": "192.168.0.106" } }
`,
    )
    .action((name: string, options: BaremetalOptions) => {
      const asInTheSlides = options.asInTheSlides ?? false;
      const usual = asInTheSlides ? { orion: { version: LAST_RPM } } : {};
      const spec = specFor(context, checkedName(name), options, usual);
      const mongoSeries = options.mongoVersion ?? (asInTheSlides ? MONGO_OF_THE_SLIDES : MONGO_USUAL);
      const choices = { mongoSeries, manager: options.manager, asInTheSlides, replicaSetScript: replicaSetScript() };
      refuseIf([...unknownVersions(spec), ...versionConflicts(spec, mongoSeries), ...problemsOfChoices(spec, choices)]);
      const addresses = parseAddresses(readJsonFile(context, '--addresses', options.addresses), spec);
      if (!addresses.ok) throw mistake(...addresses.problems.map((problem) => `--addresses: ${problem}`));
      write(context, options.out ?? `${name}-baremetal`, renderBaremetal(spec, addresses.value, choices), options);
    });
}

function roleLine({ name, ports, count, backend, needs, usualVersion, versions }: RoleEntry): string {
  const offered = Object.values(ports).join(', ');
  const needed = [...(needs.replicaSet ? ['replica set'] : []), ...(needs.brokers ? ['brokers'] : [])].join(', ');
  return `${name.padEnd(14)} ports ${offered.padEnd(11)} ${count.min} to ${count.max} (${count.usual})  ${backend.padEnd(14)} needs ${needed.padEnd(21)}  ${usualVersion} (${knownVersions({ versions })})`;
}

function rolesCommand(context: CliContext): Command {
  return new Command('roles')
    .summary('the roles there are: ports, counts, versions, needs')
    .option('--json', 'one JSON document a role')
    .action(({ json }: CommonOptions) => {
      for (const entry of CATALOGUE) context.out(json ? JSON.stringify(entry) : roleLine(entry));
    });
}

export function recipeCommand(context: CliContext): Command {
  const command = new Command('recipe')
    .summary('the same clusters elsewhere: files for Compose, Swarm or machines you have')
    .description('Renders a spec as files: for Docker Compose, Docker Swarm or given machines. Starts nothing and needs no account.')
    .addHelpText(
      'after',
      `
Without --spec it is the cluster of the FIWARE HA slides: two balancers, two brokers, a replica set of three.
A spec may name more roles (\`enablers\`); fiware-ha recipe roles lists them. Each recipe is a folder with a README of steps.
`,
    );
  for (const make of [composeCommand, swarmCommand, baremetalCommand, rolesCommand]) command.addCommand(make(context));
  return command;
}
