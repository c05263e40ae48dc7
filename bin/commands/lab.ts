/** `fiware-ha lab`: the control plane deployed to an AWS emulator on this machine, with containers as instances. Parses and prints; the lab itself is in lab/. */
import { Command } from 'commander';
import { BENCHES, benchNamed, parseRuns } from '../../lab/bench/benches';
import { runBench } from '../../lab/bench/run-bench';
import { CHAOS_HELP, chaosOf } from '../../lab/chaos/chaos';
import { listScenarios, scenariosNamed } from '../../lab/chaos/scenarios';
import { bringDown, bringUp } from '../../lab/lab';
import { LabError } from '../../lab/lab-error';
import { labStatus } from '../../lab/lab-status';
import { installPrerequisites } from '../../lab/prerequisites';
import { runStory } from '../../lab/story';

interface UpOptions {
  install?: boolean;
}

/** Runs an action; what a person can mend is printed as a sentence, anything else keeps its stack. */
function guarded<A extends unknown[]>(action: (...args: A) => Promise<void>): (...args: A) => Promise<void> {
  return async (...args) => {
    try {
      await action(...args);
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      console.error(`error: ${error.message}`);
      process.exitCode = 1;
    }
  };
}

const say = (line: string): void => console.error(line);

interface BenchOptions extends UpOptions {
  runs?: string;
  json?: boolean;
  figures?: string;
}

/** `lab` has --json and --install too, and commander gives such an option to it even where it stands behind the subcommand. */
export function allOptions<T extends object>(command: Command): T {
  return command.optsWithGlobals<T>();
}

const BENCH_HELP = `
Benches:
${BENCHES.map(({ name, about, runsDefault, help }) => `  ${name}: ${about} (${runsDefault} runs unless told)\n\n${help.replace(/^/gm, '    ')}`).join('\n\n')}

Progress goes to standard error, the report to standard output. A lab that runs already is used and left running; otherwise
one is brought up and taken down again. Exit code 1 when something happened that must never happen, such as a lost write; a
figure above its goal is printed as such and fails nothing.

Examples:
  npm run lab -- bench mongo
  npm run lab -- bench failover --runs 20 --json --figures docs/figures
  npm run -s lab -- bench mongo --runs 5 --json | tail -1
`;

function benchCommand(): Command {
  return new Command('bench')
    .summary('measure one thing many times')
    .description('Measures in the lab: commits the same faults again and again and prints how the figures are spread.')
    .argument('<name>', `what to measure: ${BENCHES.map(({ name }) => name).join(', ')}`)
    .option('--runs <n>', 'how often each measured fault is committed')
    .option('--json', 'print the figures as one JSON line at the end')
    .option('--figures <folder>', 'write the figures as pictures (SVG) there, such as docs/figures')
    .option('--install', 'install missing Debian packages first')
    .addHelpText('after', BENCH_HELP)
    .action(
      guarded(async (name: string, _own: BenchOptions, command: Command) => {
        const options = allOptions<BenchOptions>(command);
        const bench = benchNamed(name);
        const runs = options.runs === undefined ? bench.runsDefault : parseRuns(options.runs);
        if (options.install) await installPrerequisites();
        const { json = false, figures } = options;
        process.exitCode = (await runBench(bench, { runs, json, figures, say, print: console.log })) ? 0 : 1;
      }),
    );
}

interface ChaosOptions extends UpOptions {
  only?: string[];
  list?: boolean;
  json?: boolean;
}

function chaosCommand(): Command {
  return new Command('chaos')
    .summary('do one bad thing after the other to a cluster under clients')
    .description('Harms a cluster under clients in one way after the other, and sees to it that each is repaired and nothing is lost.')
    .option('--only <name>', 'play this scenario; may be given again', (name: string, names: string[] = []) => [...names, name])
    .option('--list', 'print the scenarios and what each may cost, and play none')
    .option('--json', 'print a JSON line a scenario and one at the end')
    .option('--install', 'install missing Debian packages first')
    .addHelpText('after', CHAOS_HELP)
    .action(
      guarded(async (_own: ChaosOptions, command: Command) => {
        const { only = [], list = false, json = false, install = false } = allOptions<ChaosOptions>(command);
        const scenarios = scenariosNamed(only);
        if (list) return console.log(listScenarios());
        if (install) await installPrerequisites();
        process.exitCode = (await runBench(chaosOf(scenarios, json), { runs: 1, json, say, print: console.log })) ? 0 : 1;
      }),
    );
}

export function labCommand(): Command {
  const lab = new Command('lab').description('deploy the control plane to an AWS emulator on this machine and kill things');
  lab.addCommand(benchCommand());
  lab.addCommand(chaosCommand());

  lab
    .option('--json', 'print the figures as one JSON line at the end')
    .option('--install', 'install missing Debian packages first')
    .action(
      guarded(async (options: UpOptions & { json?: boolean }) => {
        if (options.install) await installPrerequisites();
        process.exitCode = (await runStory({ say, print: console.log, json: options.json === true })) ? 0 : 1;
      }),
    );
  lab
    .command('up')
    .description('start the lab and leave it running')
    .option('--install', 'install missing Debian packages first')
    .action(
      guarded(async (_own: UpOptions, command: Command) => {
        if (allOptions<UpOptions>(command).install) await installPrerequisites();
        await bringUp(say);
        console.log(await labStatus());
      }),
    );
  lab
    .command('status')
    .description('what runs, and what stands for what')
    .action(guarded(async () => console.log(await labStatus())));
  lab
    .command('down')
    .description('remove everything the lab made, but for its caches')
    .option('--caches', 'remove the caches as well: image, venv, tools')
    .action(guarded(async (options: { caches?: boolean }) => bringDown(say, { caches: options.caches === true })));
  return lab;
}
