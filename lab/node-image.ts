/** Builds the nodes' images, one a role: Debian, what the role needs, the project's install script run once. Starts none of them. */
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { enablerEntry } from '../lambdas/core/catalogue/enablers';
import { type EnablerRole, isEnabler, ROLES, type Role } from '../lambdas/core/names';
import { DEBIAN_IMAGE, hasImage } from './base-image';
import { type BundledPrograms, bundlePrograms } from './bundle';
import { LAB_NAME, LAB_PATH, PROJECT, SHARED_NAME } from './paths';
import { findEnabler, findMongod, findOrion } from './real-parts';
import { run, tryRun } from './run-command';
import type { StandIns } from './state';

const SOURCES = join(__dirname, 'node-image');
/** What of nodes/ goes onto a node. */
const NODE_SCRIPTS = ['install.sh', 'bin', 'mongo'];

const IMAGE_LABEL = `${SHARED_NAME}=1`;

/** Builds an image of the lab's label. `--network host`: the build fetches packages as this machine does. */
export async function build(context: string, dockerfile: string, tag: string, args: Record<string, string>): Promise<void> {
  const buildArgs = Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
  await run(
    'docker',
    ['build', '--quiet', '--network', 'host', '--file', dockerfile, '--tag', tag, '--label', IMAGE_LABEL, ...buildArgs, context],
    {
      env: { ...process.env, DOCKER_BUILDKIT: '0' },
    },
  );
}

/** A fresh folder below the build contexts. */
function emptyContext(name: string): string {
  const folder = join(LAB_PATH.imageContext, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The heavy layers on top of `from`, made once for each set of versions; answers the image's name. */
async function ensureBase(from: string): Promise<string> {
  const dockerfile = join(SOURCES, 'base.Dockerfile');
  const fromId = await run('docker', ['image', 'inspect', from, '--format', '{{.Id}}']);
  const lock = readFileSync(join(LAB_PATH.mongosh, 'package-lock.json'));
  const key = createHash('sha256').update(readFileSync(dockerfile)).update(lock).update(process.version).update(fromId).digest('hex');
  const tag = `${SHARED_NAME}-base:${key.slice(0, 16)}`;
  if (await hasImage(tag)) return tag;
  const context = emptyContext('base');
  copyFileSync(process.execPath, join(context, 'node'));
  cpSync(LAB_PATH.mongosh, join(context, 'mongosh'), { recursive: true, verbatimSymlinks: true });
  await build(context, dockerfile, tag, { BASE: from });
  rmSync(context, { recursive: true, force: true });
  return tag;
}

function roleContext(role: Role, override: string | undefined): string {
  const context = emptyContext(role);
  for (const file of ['metadata.py', 'entrypoint.sh']) copyFileSync(join(SOURCES, file), join(context, file));
  for (const name of NODE_SCRIPTS) cpSync(join(PROJECT, 'nodes', name), join(context, 'nodes', name), { recursive: true });
  mkdirSync(join(context, 'override'));
  if (override) copyFileSync(override, join(context, 'override', role));
  return context;
}

export interface NodeImages {
  images: Record<Role, string>;
  standIns: StandIns;
}

/** What an image starts, as a script that runs it where it expects to stand; for a node, whose own entry point is another. */
export async function startScriptOf(image: string): Promise<string> {
  const { Entrypoint, Cmd, WorkingDir } = JSON.parse(await run('docker', ['image', 'inspect', image, '--format', '{{json .Config}}']));
  const words = [...(Entrypoint ?? []), ...(Cmd ?? [])].map((word: string) => `'${word.replaceAll("'", `'\\''`)}'`);
  return `#!/bin/sh\ncd '${WorkingDir || '/'}' && exec ${words.join(' ')}\n`;
}

/** What a role's image is built from, and what runs instead of what is not there; `words` for people. */
interface Part {
  base: string;
  override?: string;
  words: string;
}

async function enablerPart(role: EnablerRole, debian: string, programs: BundledPrograms, pulls: boolean): Promise<Part> {
  const { image, words } = await findEnabler(role, pulls);
  if (!image) {
    const override = role === 'cygnus' ? programs.cygnus : role === 'iotagent-json' ? programs.iotAgent : undefined;
    return { base: debian, ...(override ? { override } : {}), words };
  }
  const override = join(emptyContext(`${role}-start`), role);
  writeFileSync(override, await startScriptOf(image), { mode: 0o755 });
  return { base: await ensureBase(image), override, words };
}

/** Builds all images; says what stands for what. Whether a registry answers is seen by the broker's image, once. */
export async function buildNodeImages(): Promise<NodeImages> {
  const [orion, mongod] = [await findOrion(), await findMongod()];
  const programs = await bundlePrograms(emptyContext('stand-ins'));
  const debian = await ensureBase(DEBIAN_IMAGE);
  const images: Partial<Record<Role, string>> = {};
  const enablers: Record<string, string> = {};
  for (const role of ROLES) {
    let part: Part = { base: debian, words: '' };
    if (role === 'orion')
      part = orion.image ? { base: await ensureBase(orion.image), words: '' } : { ...part, override: programs.contextBroker };
    if (role === 'mongo') part.override = mongod.isReal ? join(LAB_PATH.mongod, 'mongod') : programs.mongod;
    if (isEnabler(role)) {
      part = await enablerPart(role, debian, programs, orion.isReal);
      enablers[enablerEntry(role).title] = part.words;
    }
    images[role] = `${LAB_NAME}-${role}`;
    await build(roleContext(role, part.override), join(SOURCES, 'role.Dockerfile'), images[role], { BASE: part.base, ROLE: role });
  }
  // Images that the builds above took the name from.
  await tryRun('docker', ['image', 'prune', '--force', '--filter', `label=${IMAGE_LABEL}`]);
  return { images: images as Record<Role, string>, standIns: { broker: orion.words, mongo: mongod.words, enablers } };
}

/** Removes the images built here; Debian's own stays, as others may use it. */
export async function removeNodeImages(): Promise<void> {
  const format = '{{.Repository}}:{{.Tag}}';
  const filters = [`reference=${LAB_NAME}-*`, `reference=${SHARED_NAME}-base`].flatMap((filter) => ['--filter', filter]);
  const listed = (await tryRun('docker', ['images', ...filters, '--format', format])).stdout;
  for (const image of listed.split('\n').filter(Boolean)) await tryRun('docker', ['rmi', '-f', image]);
}
