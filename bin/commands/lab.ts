/** `fiware-ha lab`: the control plane deployed to an AWS emulator on this machine, with containers as instances. Parses and prints; the lab itself is in lab/. */
import { Command } from 'commander';
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

export function labCommand(): Command {
  const lab = new Command('lab').description('deploy the control plane to an AWS emulator on this machine and kill things');

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
      guarded(async (options: UpOptions) => {
        if (options.install) await installPrerequisites();
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
