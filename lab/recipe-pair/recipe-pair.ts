/**
 * A second pair of balancers in front of the same brokers, set up exactly by the FIWARE HA slides and left to itself: what we are compared with.
 * Nobody repairs it but `makeWhole`, between two measurements. Never reaches beyond its own two containers.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PORT } from '../../lambdas/core/names';
import { LAB_LABEL } from '../docker';
import { LabError } from '../lab-error';
import { build } from '../node-image';
import { LAB_NAME, LAB_PATH } from '../paths';
import { run, sleep, tryRun } from '../run-command';
import { type Broker, recipeHaproxy, recipeKeepalived } from './recipe-files';

const WHOLE_MS = 30_000;
const LOOK_EVERY_MS = 200;
const MEMORY = '384m';

export interface RecipePair {
  /** The virtual address, reached from this machine over the lab's bridge. */
  address: string;
  /** Versions of HAProxy and keepalived, in words. */
  versions: string;
  /** Names of the containers. */
  balancers: readonly string[];
  /** Those that have the virtual address now. */
  holders: () => Promise<string[]>;
  /** Starts, thaws and configures what is not as the slides want it; answers the one holder when requests are served. */
  makeWhole: (brokers: readonly Broker[]) => Promise<string>;
}

const NAMES = ['recipe1', 'recipe2'].map((name) => `${LAB_NAME}-${name}`);

function folderOf(name: string): string {
  return join(LAB_PATH.recipePair, name);
}

/** The `n`-th address from the end of a network; Docker hands addresses out from its beginning. @throws LabError for a network that is too small */
export function addressFromEnd(subnet: string, n: number): string {
  const [, a, b, c, d, bits] = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(subnet)?.map(Number) ?? [];
  if (a === undefined || b === undefined || c === undefined || d === undefined || bits === undefined || bits > 24)
    throw new LabError(`network ${LAB_NAME}: expected an IPv4 subnet of at least 256 addresses; got "${subnet}"`);
  const size = 2 ** (32 - bits);
  const base = ((a * 256 + b) * 256 + c) * 256 + d;
  const at = base - (base % size) + size - 1 - n;
  return [at / 2 ** 24, at / 2 ** 16, at / 2 ** 8, at].map((part) => Math.floor(part) % 256).join('.');
}

function writeFiles(address: string, brokers: readonly Broker[]): void {
  NAMES.forEach((name, index) => {
    mkdirSync(folderOf(name), { recursive: true });
    writeFileSync(join(folderOf(name), 'haproxy.cfg'), recipeHaproxy(address, brokers));
    writeFileSync(join(folderOf(name), 'keepalived.conf'), recipeKeepalived(address, index === 0));
  });
}

async function stateOf(name: string): Promise<string> {
  return (await tryRun('docker', ['inspect', name, '--format', '{{.State.Status}}'])).stdout.trim();
}

async function startAll(image: string, subnet: string): Promise<void> {
  for (const [index, name] of NAMES.entries()) {
    await tryRun('docker', ['rm', '-f', '-v', name]);
    const network = ['--network', LAB_NAME, '--ip', addressFromEnd(subnet, 11 + index), '--sysctl', 'net.ipv4.ip_nonlocal_bind=1'];
    const rights = ['--cap-add', 'NET_ADMIN', '--cap-add', 'NET_RAW', '--memory', MEMORY, '--label', LAB_LABEL];
    await run('docker', ['run', '-d', '--name', name, ...network, ...rights, '-v', `${folderOf(name)}:/recipe:ro`, image]);
  }
}

async function holdersOf(address: string): Promise<string[]> {
  const has = await Promise.all(
    NAMES.map(async (name) => {
      const { stdout } = await tryRun('docker', ['exec', name, 'ip', '-o', '-4', 'address', 'show', 'dev', 'eth0'], { timeoutMs: 5_000 });
      return stdout.includes(` ${address}/`);
    }),
  );
  return NAMES.filter((_, index) => has[index]);
}

async function serves(address: string): Promise<boolean> {
  try {
    return (
      await fetch(`http://${address}:${PORT.orion}/version`, { signal: AbortSignal.timeout(1_000), headers: { connection: 'close' } })
    ).ok;
  } catch {
    return false;
  }
}

/**
 * Waits until the first holds the address alone and serves: back from a fault it takes it back by its priority, and before that the pair
 * is not at rest. @throws LabError that says what was seen last
 */
async function untilAtRest(address: string): Promise<string> {
  const deadline = Date.now() + WHOLE_MS;
  let seen = 'nothing';
  while (Date.now() < deadline) {
    const states = await Promise.all(NAMES.map(stateOf));
    const holders = await holdersOf(address);
    const isServing = (await serves(address)) && (await serves(address));
    const [holder] = holders;
    if (holder !== undefined && holder === NAMES[0] && holders.length === 1 && isServing && states.every((state) => state === 'running'))
      return holder;
    seen = `${states.join(' and ')}, held by ${holders.join(' and ') || 'nobody'}, ${isServing ? 'served' : 'not served'}`;
    await sleep(LOOK_EVERY_MS);
  }
  throw new LabError(
    `the recipe's pair at ${address}: expected ${NAMES[0]} to hold it alone and to serve within ${WHOLE_MS / 1000} s; ${seen}`,
  );
}

/** Builds the image on top of our balancers' (so that the versions are the same) and starts the pair. */
export async function startRecipePair(lbImage: string, brokers: readonly Broker[]): Promise<RecipePair> {
  const image = `${LAB_NAME}-recipe`;
  await build(__dirname, join(__dirname, 'Dockerfile'), image, { BASE: lbImage });
  const subnet = (await run('docker', ['network', 'inspect', LAB_NAME, '--format', '{{(index .IPAM.Config 0).Subnet}}'])).trim();
  const address = addressFromEnd(subnet, 10);
  writeFiles(address, brokers);
  await startAll(image, subnet);
  const said = await run('docker', ['exec', NAMES[0] ?? '', 'sh', '-c', 'haproxy -v; keepalived --version 2>&1']);
  const versions = `HAProxy ${/HAProxy version (\S+)/.exec(said)?.[1] ?? 'unknown'}, keepalived ${/Keepalived v(\S+)/.exec(said)?.[1] ?? 'unknown'}`;

  let told = JSON.stringify(brokers);
  const makeWhole = async (wanted: readonly Broker[]): Promise<string> => {
    const isNew = JSON.stringify(wanted) !== told;
    if (isNew) writeFiles(address, wanted);
    for (const name of NAMES) {
      const state = await stateOf(name);
      if (state === 'paused') await run('docker', ['unpause', name]);
      if (state === 'exited') await run('docker', ['start', name]);
      if (isNew && state !== 'exited') await run('docker', ['exec', name, '/opt/recipe/start.sh', 'reload']);
    }
    told = JSON.stringify(wanted);
    return untilAtRest(address);
  };
  return { address, versions, balancers: NAMES, holders: () => holdersOf(address), makeWhole };
}

/** Removes both containers, whatever state they are in; none being there is fine. */
export async function removeRecipePair(): Promise<void> {
  for (const name of NAMES) await tryRun('docker', ['rm', '-f', '-v', name]);
}
