/** The Debian image the nodes are built from: pulled where a registry answers, made by debootstrap otherwise. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LAB_PATH } from './paths';
import { run, tryRun } from './run-command';

export const DEBIAN_IMAGE = 'debian:bookworm';

const PULL_MS = 120_000;

export async function hasImage(image: string): Promise<boolean> {
  return (await tryRun('docker', ['image', 'inspect', image, '--format', '{{.Id}}'])).code === 0;
}

/** Whether an image is here, or could be pulled. */
export async function pullImage(image: string): Promise<boolean> {
  if (await hasImage(image)) return true;
  return (await tryRun('docker', ['pull', '--quiet', image], { timeoutMs: PULL_MS })).code === 0;
}

/** Makes sure that `debian:bookworm` is here; `say` hears which way it came. */
export async function ensureDebianImage(say: (line: string) => void): Promise<void> {
  if (await pullImage(DEBIAN_IMAGE)) return;
  say(`no image registry answers: making ${DEBIAN_IMAGE} with debootstrap (some minutes, once)`);
  const root = join(LAB_PATH.rootfs, 'root');
  const archive = join(LAB_PATH.rootfs, 'root.tar');
  rmSync(LAB_PATH.rootfs, { recursive: true, force: true });
  mkdirSync(LAB_PATH.rootfs, { recursive: true });
  await run('debootstrap', ['--variant=minbase', 'bookworm', root]);
  await run('tar', ['-C', root, '-c', '-f', archive, '.']);
  await run('docker', ['import', archive, DEBIAN_IMAGE]);
  rmSync(LAB_PATH.rootfs, { recursive: true, force: true });
}
