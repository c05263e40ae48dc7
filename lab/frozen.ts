/** Freezes and thaws containers of the lab's instances (`docker pause`), so that a host hangs without dying. Touches no other container. */
import { containerOf } from './docker';
import { LAB_NAME } from './paths';
import { run, tryRun } from './run-command';

/** Stops all processes of an instance where they are; its connections stay open. Answers the container's id. */
export async function freezeInstance(instanceId: string): Promise<string> {
  const container = await containerOf(instanceId);
  await run('docker', ['pause', container]);
  return container;
}

export type FrozenState = 'frozen' | 'running' | 'gone';

export async function stateOf(containerId: string): Promise<FrozenState> {
  const state = (await tryRun('docker', ['inspect', containerId, '--format', '{{.State.Status}}'])).stdout.trim();
  return state === 'paused' ? 'frozen' : state === 'running' ? 'running' : 'gone';
}

/** Lets a frozen container go on; false where it is gone or was not frozen. */
export async function thaw(containerId: string): Promise<boolean> {
  return (await tryRun('docker', ['unpause', containerId])).code === 0;
}

/** Thaws whatever of this lab is frozen, whoever froze it. */
export async function thawAll(): Promise<void> {
  const filters = ['--filter', `network=${LAB_NAME}`, '--filter', 'status=paused'];
  const listed = (await tryRun('docker', ['ps', '-aq', ...filters])).stdout;
  for (const id of listed.split('\n').filter(Boolean)) await thaw(id);
}
