/** Entry point of the stand-in: command line, log, signals. Everything else is in server.ts. */
import { createWriteStream } from 'node:fs';
import { VERSION } from './commands';
import { HELP, NOT_MODELLED, OptionError, parseOptions } from './options';
import { startStandIn } from './server';

function logTo(file: string): void {
  const stream = createWriteStream(file, { flags: 'a' });
  const write = (line: unknown) => stream.write(`${new Date().toISOString()} ${line}\n`);
  console.log = write;
  console.error = write;
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(HELP);
  else if (options === 'version') process.stdout.write(`db version v${VERSION} (a stand-in, not MongoDB)\n`);
  else {
    if (options.logPath) logTo(options.logPath);
    console.log(`replica-set STAND-IN, not MongoDB; not modelled: ${NOT_MODELLED}`);
    console.log(`${options.replicaSet} on ${options.bindIp}:${options.port}, state in ${options.dataDir}; see --help`);
    const running = await startStandIn(options);
    const end = () => void running.stop().then(() => process.exit(0));
    process.once('SIGTERM', end);
    process.once('SIGINT', end);
  }
}

main().catch((error: unknown) => {
  const isMistake = error instanceof OptionError || (error instanceof Error && 'code' in error);
  process.stderr.write(`replica-set stand-in: ${isMistake ? (error as Error).message : error instanceof Error ? error.stack : error}\n`);
  process.exit(isMistake ? 2 : 1);
});
