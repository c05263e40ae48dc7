/** The lab as a whole: brings it up in order, takes it down in the reverse one. Every step is idempotent; a failed start leaves nothing behind. */
import { rmSync } from 'node:fs';
import { ensureDebianImage } from './base-image';
import { bootstrap, deployControlPlane } from './deploy';
import { ensureDaemon, ensureNetwork, removeAll } from './docker';
import { ensureVenv, isHealthy, rootEnvironment, startEmulator } from './emulator';
import { startGuard } from './guard';
import { startKeeperProcess } from './keeper-process';
import { buildNodeImages, removeNodeImages } from './node-image';
import { LAB_DIR, LAB_PATH } from './paths';
import { checkPrerequisites } from './prerequisites';
import { isAlive, stopBackground } from './run-command';
import { forgetState, type LabState, noteState, readState, type StandIns } from './state';
import { ensureMongosh } from './tools';

/** A lab that runs. */
export interface Lab {
  endpoint: string;
  outputs: Record<string, string>;
  standIns: StandIns;
  removedFromTemplate: string[];
}

type Say = (line: string) => void;

/** Runs a step and says how long it took. */
async function step<T>(say: Say, what: string, work: () => Promise<T>): Promise<T> {
  const fromMs = Date.now();
  const result = await work();
  say(`${what}: ${((Date.now() - fromMs) / 1000).toFixed(1)} s`);
  return result;
}

function labOf({ endpoint, outputs, standIns, removedFromTemplate }: LabState): Lab | null {
  if (!endpoint || !outputs || !standIns) return null;
  return { endpoint, outputs, standIns, removedFromTemplate: removedFromTemplate ?? [] };
}

/** The lab that runs already; null where none does, or only parts of one. */
export async function runningLab(): Promise<Lab | null> {
  const state = readState();
  const lab = labOf(state);
  const { emulator, guard, keeper } = state;
  if (!lab || ![emulator, guard, keeper].every((background) => background && isAlive(background))) return null;
  return (await isHealthy(lab.endpoint)) ? lab : null;
}

async function start(say: Say): Promise<Lab> {
  const dockerd = await step(say, 'docker daemon', ensureDaemon);
  if (dockerd) noteState({ dockerd });
  await removeAll();
  await step(say, 'Python venv with the emulator', ensureVenv);
  await step(say, 'mongosh', ensureMongosh);
  await step(say, `Debian image`, () => ensureDebianImage(say));
  const { images, standIns } = await step(say, 'node images', buildNodeImages);
  say(`broker: ${standIns.broker}`);
  say(`database: ${standIns.mongo}`);
  for (const [title, words] of Object.entries(standIns.enablers)) say(`${title}: ${words}`);
  const gateway = await ensureNetwork();
  const { process: emulator, endpoint, ownEndpoint } = await step(say, 'emulator, IAM enforced', () => startEmulator(gateway));
  noteState({ emulator, endpoint, images, standIns });
  noteState({ guard: await step(say, "guard before it: AWS' own policies, tags included", () => startGuard(endpoint, ownEndpoint)) });
  await step(say, 'cdk bootstrap', () => bootstrap(endpoint));
  const { outputs, removedFromTemplate } = await step(say, 'cdk deploy', () => deployControlPlane(endpoint, images));
  noteState({ outputs, removedFromTemplate });
  const keeper = await step(say, 'keeper', startKeeperProcess);
  noteState({ keeper });
  return { endpoint, outputs, standIns, removedFromTemplate };
}

/** Runs some work; a signal meanwhile cleans up before the process ends, so that an impatient Ctrl-C leaves nothing behind. */
export async function onSignal<T>(say: Say, cleanUp: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const stop = (): void => {
    say('stopped: cleaning up');
    void cleanUp().finally(() => process.exit(130));
  };
  for (const signal of signals) process.once(signal, stop);
  try {
    return await work();
  } finally {
    for (const signal of signals) process.removeListener(signal, stop);
  }
}

/** Runs some work; a signal meanwhile takes the lab down. */
export function downOnSignal<T>(say: Say, work: () => Promise<T>): Promise<T> {
  return onSignal(say, () => bringDown(say, { caches: false }), work);
}

/** Brings the lab up, or answers the one that runs. This process' AWS settings point to it afterwards. */
export async function bringUp(say: Say): Promise<Lab> {
  let lab = await runningLab();
  if (lab) say('the lab runs already');
  else {
    await bringDown(() => undefined, { caches: false });
    await checkPrerequisites();
    try {
      lab = await downOnSignal(say, () => start(say));
    } catch (error) {
      await bringDown(say, { caches: false });
      throw error;
    }
  }
  Object.assign(process.env, rootEnvironment(lab.endpoint));
  return lab;
}

/** Removes what the lab made: processes, containers, network. Keeps the caches below `.lab/` and the images unless told otherwise. */
export async function bringDown(say: Say, { caches }: { caches: boolean }): Promise<void> {
  const { keeper, guard, emulator, dockerd } = readState();
  for (const background of [keeper, guard, emulator]) if (background) await stopBackground(background);
  await removeAll();
  if (caches) await removeNodeImages();
  if (dockerd) await stopBackground(dockerd);
  forgetState();
  for (const path of [LAB_PATH.tmp, LAB_PATH.cdkOut, LAB_PATH.outputs]) rmSync(path, { recursive: true, force: true });
  if (caches) rmSync(LAB_DIR, { recursive: true, force: true });
  say(caches ? 'the lab and its caches are gone' : 'the lab is down; caches are kept in .lab/');
}
