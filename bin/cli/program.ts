/** The command line as a whole: which commands there are, and how each ends. Loads the AWS SDK, the simulator or the lab only when a command needs it. */
import { Command, CommanderError } from 'commander';
import { PortError } from '../../lambdas/app/ports';
import { createCommand } from '../commands/create';
import { deleteCommand } from '../commands/delete';
import { eventsCommand } from '../commands/events';
import { recipeCommand } from '../commands/recipe';
import { repairMajorityCommand } from '../commands/repair-majority';
import { scaleCommand } from '../commands/scale';
import { statusCommand } from '../commands/status';
import { CommandError, type ExitCode } from './command-error';
import type { CliContext } from './context';

/** Commands that need no AWS account and bring their own weight: loaded only when named. */
const MOUNTED: Record<string, { summary: string; load: () => Promise<Command> }> = {
  demo: {
    summary: 'the control plane heals a simulated cloud, in seconds and without an account',
    load: async () => (await import('../commands/demo')).demoCommand(),
  },
  lab: {
    summary: 'the control plane deployed to an AWS emulator on this machine, with containers as instances',
    load: async () => (await import('../commands/lab')).labCommand(),
  },
};

const HELP = `
Start here:
  fiware-ha demo                     # no account, no Docker: a simulated cloud
  fiware-ha recipe compose city      # no account either: files for Docker Compose, Swarm or machines you have
  fiware-ha create city --wait       # in the account and region of your AWS credentials
  fiware-ha status city
  fiware-ha scale city orion=+2 --wait
  fiware-ha events city --follow
  fiware-ha delete city --confirm city --wait

Commands only read state and put requests on a queue; the control plane does the work, and
\`aws sqs send-message\` does the same (see --help of create, scale and delete).
AWS credentials and region are taken from where the AWS CLI takes them (AWS_PROFILE, AWS_REGION, …).

Exit codes: 0 done, 1 refused, too late or out of reach, 2 the command line was wrong.
`;

function settle(command: Command, context: CliContext): void {
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => context.out(text.replace(/\n$/, '')),
    writeErr: (text) => context.err(text.replace(/\n$/, '')),
  });
  for (const child of command.commands) settle(child, context);
}

async function buildProgram(argv: readonly string[], context: CliContext): Promise<Command> {
  const named = argv[0] === 'help' ? argv[1] : argv[0];
  const program = new Command('fiware-ha')
    .description('Keeps FIWARE clusters alive on EC2: ask for a cluster, see how it is, change it.')
    .addHelpText('after', HELP);
  for (const make of [createCommand, scaleCommand, statusCommand, eventsCommand, repairMajorityCommand, deleteCommand, recipeCommand])
    program.addCommand(make(context));
  for (const [name, { summary, load }] of Object.entries(MOUNTED)) {
    const command = named === name ? await load() : new Command(name);
    program.addCommand(command.summary(summary));
  }
  settle(program, context);
  return program;
}

function report(context: CliContext, problems: string[], asJson: boolean): void {
  if (asJson) context.err(JSON.stringify({ error: problems }));
  else for (const problem of problems) context.err(`error: ${problem}`);
}

/**
 * Runs one command line (without node and script) and answers its exit code.
 * @throws only what is a bug: everything a person or the cloud can cause is printed
 */
export async function runProgram(argv: readonly string[], context: CliContext): Promise<ExitCode> {
  const program = await buildProgram(argv, context);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    const asJson = argv.includes('--json');
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof CommandError) {
      report(context, error.problems, asJson);
      return error.exitCode;
    }
    if (error instanceof PortError) {
      report(context, [`${error.code}: ${error.message}`], asJson);
      return 1;
    }
    throw error;
  }
}
