/** Births and deaths of the instances' containers, as Docker tells them. Listens only. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { LAB_NAME } from './paths';

export interface ContainerEvent {
  action: 'start' | 'die';
  containerId: string;
  instanceId: string;
}

interface DockerEvent {
  Action?: string;
  id?: string;
  Actor?: { Attributes?: Record<string, string> };
}

/** The event as the lab sees it; null for other containers than instances of this lab's emulator. */
export function decodeEvent(line: string): ContainerEvent | null {
  const event = JSON.parse(line) as DockerEvent;
  const labels = event.Actor?.Attributes ?? {};
  const instanceId = labels.instance_id;
  if (!event.id || !instanceId || !labels['ministack.instance']?.startsWith(`${LAB_NAME}:`)) return null;
  if (event.Action !== 'start' && event.Action !== 'die') return null;
  return { action: event.Action, containerId: event.id, instanceId };
}

/** Calls `onEvent` for each; a stream that ends is opened again until stopped. */
export function watchContainers(onEvent: (event: ContainerEvent) => void): { stop: () => void } {
  let stopped = false;
  let child: ReturnType<typeof spawn> | undefined;
  const open = (): void => {
    const args = ['events', '--filter', 'type=container', '--filter', 'event=start', '--filter', 'event=die', '--format', '{{json .}}'];
    const stream = spawn('docker', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    child = stream;
    createInterface({ input: stream.stdout }).on('line', (line) => {
      const event = decodeEvent(line);
      if (event) onEvent(event);
    });
    stream.on('error', () => undefined);
    stream.on('close', () => {
      if (!stopped) setTimeout(open, 500);
    });
  };
  open();
  return {
    stop: () => {
      stopped = true;
      child?.kill();
    },
  };
}
