/** What the lab needs of this machine: names everything missing in one message, or installs it when asked to. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from './lab-error';
import { isFree, LOCAL_ENTRIES } from './local-entry';
import { run, tryRun } from './run-command';

/** Debian's packages the lab and its tests need: a line is the package, then a command that succeeds where it is installed. */
const PACKAGES = readFileSync(join(__dirname, 'apt-packages.txt'), 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => ({ name: line.slice(0, line.indexOf(' ')), check: line.slice(line.indexOf(' ') + 1) }));

const NODE_MIN_MAJOR = 20;

async function missingPackages(): Promise<string[]> {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const checked = await Promise.all(PACKAGES.map(async ({ name, check }) => ({ name, ran: await tryRun('sh', ['-c', check], { env }) })));
  return checked.filter(({ ran }) => ran.code !== 0).map(({ name }) => name);
}

/** @throws LabError that lists all that is missing, with the commands that help. */
export async function checkPrerequisites(): Promise<void> {
  const problems: string[] = [];
  if (process.platform !== 'linux') problems.push(`an operating system: the lab needs Linux (Debian 12); this is ${process.platform}`);
  if (process.getuid?.() !== 0) problems.push('root: containers, their network and dockerd need it; run it as root (sudo -E npm run lab)');
  const major = Number(process.versions.node.split('.')[0]);
  if (major < NODE_MIN_MAJOR) problems.push(`Node.js ${NODE_MIN_MAJOR} or later: this is ${process.versions.node}`);
  const packages = await missingPackages();
  if (packages.length > 0) problems.push(`Debian packages: apt-get install -y --no-install-recommends ${packages.join(' ')}`);
  for (const { host, port } of Object.values(LOCAL_ENTRIES))
    if (!(await isFree(host, port)))
      problems.push(`${host}:${port}: somebody listens there; the lab's clients connect to it (another lab? npm run lab -- down)`);
  if (problems.length === 0) return;
  const help = packages.length > 0 ? '\nOr let the lab install the packages: npm run lab -- up --install' : '';
  throw new LabError(`The lab can't start; this is missing:\n${problems.map((line) => `  - ${line}`).join('\n')}${help}`);
}

/** Installs the missing Debian packages. @throws LabError when apt-get fails. */
export async function installPrerequisites(): Promise<void> {
  const packages = await missingPackages();
  if (packages.length === 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update'], { env });
  await run('apt-get', ['install', '-y', '--no-install-recommends', ...packages], { env });
}
