/** Builds the nodes' images, one a role: Debian, what the role needs, the project's install script run once. Starts none of them. */
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROLES, type Role } from '../lambdas/core/names';
import { DEBIAN_IMAGE, hasImage } from './base-image';
import { LAB_NAME, LAB_PATH, PROJECT, SHARED_NAME } from './paths';
import { findMongod, findOrion } from './real-parts';
import { bundleStandIns } from './replica-set-stand-in/bundle';
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

/** Builds all images; says what stands for the broker and the database. */
export async function buildNodeImages(): Promise<NodeImages> {
  const [orion, mongod] = [await findOrion(), await findMongod()];
  const standIns = await bundleStandIns(emptyContext('stand-ins'));
  const debian = await ensureBase(DEBIAN_IMAGE);
  const base: Record<Role, string> = { lb: debian, orion: orion.image ? await ensureBase(orion.image) : debian, mongo: debian };
  const override: Partial<Record<Role, string>> = {
    ...(orion.image ? {} : { orion: standIns.contextBroker }),
    mongo: mongod.isReal ? join(LAB_PATH.mongod, 'mongod') : standIns.mongod,
  };
  const images = { lb: '', orion: '', mongo: '' };
  for (const role of ROLES) {
    images[role] = `${LAB_NAME}-${role}`;
    await build(roleContext(role, override[role]), join(SOURCES, 'role.Dockerfile'), images[role], { BASE: base[role], ROLE: role });
  }
  // Images that the builds above took the name from.
  await tryRun('docker', ['image', 'prune', '--force', '--filter', `label=${IMAGE_LABEL}`]);
  return { images, standIns: { broker: orion.words, mongo: mongod.words } };
}

/** Removes the images built here; Debian's own stays, as others may use it. */
export async function removeNodeImages(): Promise<void> {
  const format = '{{.Repository}}:{{.Tag}}';
  const filters = [`reference=${LAB_NAME}-*`, `reference=${SHARED_NAME}-base`].flatMap((filter) => ['--filter', filter]);
  const listed = (await tryRun('docker', ['images', ...filters, '--format', format])).stdout;
  for (const image of listed.split('\n').filter(Boolean)) await tryRun('docker', ['rmi', '-f', image]);
}
