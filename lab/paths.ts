/** Where the lab keeps its things: everything below `.lab/`, which git ignores. Names only; nothing is made here. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';

export const PROJECT = join(__dirname, '..');
export const LAB_DIR = join(PROJECT, '.lab');

export const LAB_PATH = {
  state: join(LAB_DIR, 'state.json'),
  venv: join(LAB_DIR, 'venv'),
  mongosh: join(LAB_DIR, 'mongosh'),
  rootfs: join(LAB_DIR, 'rootfs'),
  imageContext: join(LAB_DIR, 'image'),
  mongod: join(LAB_DIR, 'mongod'),
  recipePair: join(LAB_DIR, 'recipe-pair'),
  cdkOut: join(LAB_DIR, 'cdk.out'),
  outputs: join(LAB_DIR, 'outputs.json'),
  tmp: join(LAB_DIR, 'tmp'),
  logs: join(LAB_DIR, 'logs'),
} as const;

/** Name of what labs of all checkouts may share: the heavy layers of the node images. */
export const SHARED_NAME = 'fiware-ha-lab';

/** Name of everything else this checkout's lab makes in Docker, so that another checkout's lab is never taken for it. */
export const LAB_NAME = `${SHARED_NAME}-${createHash('sha256').update(PROJECT).digest('hex').slice(0, 6)}`;

export function logFile(name: string): string {
  return join(LAB_PATH.logs, `${name}.log`);
}
