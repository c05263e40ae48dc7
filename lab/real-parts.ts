/** Looks for the real broker, database and other roles; says in words what was found, or which stand-in takes the place and why. */
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { enablerEntry } from '../lambdas/core/catalogue/enablers';
import type { EnablerRole } from '../lambdas/core/names';
import { hasImage, pullImage } from './base-image';
import { LabError } from './lab-error';
import { LAB_NAME, LAB_PATH } from './paths';
import { run, tryRun } from './run-command';
import { installNpmTool } from './tools';

const ORION_IMAGE_DEFAULT = 'telefonicaiot/fiware-orion:4.1.0';
const MONGOD_VERSION = '7.0.24';
const MONGOD_FETCHER = 'mongodb-memory-server-core@11.3.0';
const FETCH_MS = 180_000;

export interface Found {
  /** For people: what it is and where it came from. */
  words: string;
  isReal: boolean;
}

/** The real Orion's image, where one is given or can be pulled. @throws LabError when ORION_IMAGE is given and is nowhere to be had. */
export async function findOrion(): Promise<Found & { image?: string }> {
  const given = process.env.ORION_IMAGE;
  const image = given || ORION_IMAGE_DEFAULT;
  if (await pullImage(image)) return { words: `Orion, image ${image}`, isReal: true, image };
  if (given) throw new LabError(`ORION_IMAGE: ${given} is not here and could not be pulled; name an image you have, or unset it`);
  return {
    words: `a STAND-IN for Orion (lab/broker-stand-in): image ${image} can't be pulled here; set ORION_IMAGE to use a real one`,
    isReal: false,
  };
}

/** What a role of the catalogue runs in the lab where its image can't be had; undefined for roles that nothing here stands for. */
const INSTEAD: Partial<Record<EnablerRole, string>> = {
  'iotagent-json': 'a small REAL IoT agent on iotagent-node-lib (lab/iot-agent), its registry in memory',
  cygnus: "a STAND-IN of Cygnus' shape (lab/cygnus-stand-in)",
};

/** The name of the variable that gives a role's image: `IOTAGENT_JSON_IMAGE`. */
export function imageVariable(role: EnablerRole): string {
  return `${role.toUpperCase().replaceAll('-', '_')}_IMAGE`;
}

/**
 * The real image of a role: a given one, or the usual one where it is here or the registry answers.
 * `pulls`: whether a pull may be tried; without a registry each try takes a while. @throws LabError when a given one is nowhere to be had
 */
export async function findEnabler(role: EnablerRole, pulls: boolean): Promise<Found & { image?: string }> {
  const variable = imageVariable(role);
  const given = process.env[variable];
  const { image: imageOf, usualVersion } = enablerEntry(role);
  const image = given || imageOf(usualVersion);
  if (given || pulls ? await pullImage(image) : await hasImage(image)) return { words: `image ${image}`, isReal: true, image };
  if (given) throw new LabError(`${variable}: ${given} is not here and could not be pulled; name an image you have, or unset it`);
  const instead = INSTEAD[role] ?? 'nothing: its process will not start';
  return { words: `${instead}: image ${image} can't be pulled here; set ${variable} to use a real one`, isReal: false };
}

function place(path: string): void {
  mkdirSync(LAB_PATH.mongod, { recursive: true });
  cpSync(path, join(LAB_PATH.mongod, 'mongod'), { dereference: true });
  chmodSync(join(LAB_PATH.mongod, 'mongod'), 0o755);
}

async function copyFromImage(image: string): Promise<void> {
  if (!(await pullImage(image)))
    throw new LabError(`MONGO_IMAGE: ${image} is not here and could not be pulled; name an image you have, or unset it`);
  const container = `${LAB_NAME}-mongod`;
  await tryRun('docker', ['rm', '-f', container]);
  await run('docker', ['create', '--name', container, image]);
  mkdirSync(LAB_PATH.mongod, { recursive: true });
  await run('docker', ['cp', '-L', `${container}:/usr/bin/mongod`, join(LAB_PATH.mongod, 'mongod')]);
  await run('docker', ['rm', '-f', container]);
}

const FETCH_SCRIPT = `
const { MongoBinary } = require('mongodb-memory-server-core');
MongoBinary.getPath({ version: process.argv[1], downloadDir: process.argv[2] })
  .then((path) => console.log(path), (error) => { console.error(error.message); process.exit(1); });
`;

/** Fetches mongod once; a failure is remembered beside it, so that the next run does not wait for it again. */
async function fetchMongod(): Promise<boolean> {
  const downloads = join(LAB_PATH.mongod, 'download');
  if (existsSync(join(downloads, 'failed'))) return false;
  const fetcher = join(LAB_PATH.mongod, 'fetcher');
  if (!existsSync(join(fetcher, 'node_modules'))) await installNpmTool(fetcher, MONGOD_FETCHER);
  mkdirSync(downloads, { recursive: true });
  const args = ['-e', FETCH_SCRIPT, MONGOD_VERSION, downloads];
  const ran = await tryRun(process.execPath, args, { cwd: fetcher, timeoutMs: FETCH_MS });
  const path = ran.stdout.trim();
  if (ran.code !== 0 || !existsSync(path)) {
    await run('touch', [join(downloads, 'failed')]);
    return false;
  }
  place(path);
  return true;
}

/** A real mongod in `.lab/mongod/mongod`, where one is given or can be fetched. @throws LabError when a given one does not exist. */
export async function findMongod(): Promise<Found> {
  const { MONGOD: path, MONGO_IMAGE: image } = process.env;
  rmSync(join(LAB_PATH.mongod, 'mongod'), { force: true });
  if (path) {
    if (!existsSync(path) || !statSync(path).isFile()) throw new LabError(`MONGOD: expected the path of a mongod binary; got "${path}"`);
    place(path);
    return { words: `MongoDB, ${path}`, isReal: true };
  }
  if (image) {
    await copyFromImage(image);
    return { words: `MongoDB, image ${image}`, isReal: true };
  }
  if (await fetchMongod()) return { words: `MongoDB ${MONGOD_VERSION}, fetched`, isReal: true };
  const words =
    'a STAND-IN for MongoDB (lab/replica-set-stand-in): no mongod could be fetched (remove .lab/mongod to try again); set MONGOD or MONGO_IMAGE to use a real one';
  return { words, isReal: false };
}
