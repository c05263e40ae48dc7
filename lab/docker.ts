/** Docker as the lab uses it: the daemon, the network, containers by label. Touches nothing that does not carry the lab's label. */
import { existsSync } from 'node:fs';
import { LabError } from './lab-error';
import { LAB_NAME, logFile } from './paths';
import { type Background, run, sleep, startBackground, tryRun, waitFor } from './run-command';

/** Label of what the lab makes in Docker itself; the emulator's containers are known by the network. */
export const LAB_LABEL = `${LAB_NAME}=1`;

const DAEMON_START_MS = 60_000;

async function daemonAnswers(): Promise<boolean> {
  return (await tryRun('docker', ['version', '--format', '{{.Server.Version}}'], { timeoutMs: 10_000 })).code === 0;
}

/** Uses the running Docker daemon, or starts one; answers it when it was started here. */
export async function ensureDaemon(): Promise<Background | undefined> {
  if (await daemonAnswers()) return undefined;
  const daemon = existsSync('/usr/sbin/dockerd') ? '/usr/sbin/dockerd' : 'dockerd';
  const started = startBackground('dockerd', daemon, [], process.env);
  await waitFor(`dockerd (see ${logFile('dockerd')})`, DAEMON_START_MS, 500, async () => (await daemonAnswers()) || null);
  return started;
}

const SUBNET_AND_GATEWAY = '{{(index .IPAM.Config 0).Subnet}} {{(index .IPAM.Config 0).Gateway}}';

/**
 * The lab's own bridge network; answers the gateway's address, which is this machine as the containers see it.
 * Docker picks a free subnet, and the network is made again with it: only a subnet named by the user takes fixed addresses.
 */
export async function ensureNetwork(): Promise<string> {
  const inspect = async () => (await tryRun('docker', ['network', 'inspect', LAB_NAME, '--format', SUBNET_AND_GATEWAY])).stdout;
  let found = await inspect();
  if (found.trim() === '') {
    await run('docker', ['network', 'create', '--label', LAB_LABEL, LAB_NAME]);
    const [subnet = '', first = ''] = (await inspect()).trim().split(' ');
    await run('docker', ['network', 'rm', LAB_NAME]);
    await run('docker', ['network', 'create', '--label', LAB_LABEL, '--subnet', subnet, '--gateway', first, LAB_NAME]);
    found = await inspect();
  }
  const gateway = found.trim().split(' ')[1] ?? '';
  if (!/^\d+(\.\d+){3}$/.test(gateway)) throw new LabError(`network ${LAB_NAME}: expected an IPv4 gateway; got "${gateway}"`);
  return gateway;
}

/** Private address of a running container on the lab's network; null when it has none. */
export async function addressOf(containerId: string): Promise<string | null> {
  const format = `{{(index .NetworkSettings.Networks "${LAB_NAME}").IPAddress}}`;
  const address = (await tryRun('docker', ['inspect', containerId, '--format', format])).stdout.trim();
  return /^\d+(\.\d+){3}$/.test(address) ? address : null;
}

const OCCUPY_TRIES = 30;

/**
 * Occupies the address of a dead container, so that Docker gives it to no other one: EC2 does not hand a dead node's address to the next,
 * and a replica set would take an empty member at an old address for the one that was there.
 * Docker frees the address a moment after it reports the death, hence the tries. False: somebody else has it by now.
 */
export async function occupyAddress(address: string, image: string): Promise<boolean> {
  const args = ['create', '--label', LAB_LABEL, '--network', LAB_NAME, '--ip', address, '--memory', '16m', '--entrypoint', 'sleep'];
  const container = (await run('docker', [...args, image, 'infinity'])).trim();
  for (let attempt = 0; attempt < OCCUPY_TRIES; attempt++) {
    if ((await tryRun('docker', ['start', container])).code === 0) return true;
    await sleep(50);
  }
  await tryRun('docker', ['rm', '-f', container]);
  return false;
}

export interface Container {
  id: string;
  /** EC2 instance it stands for. */
  instanceId: string;
  running: boolean;
}

/** The containers that are instances, newest first. */
export async function instanceContainers(): Promise<Container[]> {
  const format = '{{.ID}} {{.Label "instance_id"}} {{.State}}';
  const listed = await run('docker', ['ps', '-a', '--no-trunc', '--filter', `network=${LAB_NAME}`, '--format', format]);
  return listed
    .split('\n')
    .map((line) => line.split(' '))
    .filter((fields) => fields[1])
    .map(([id = '', instanceId = '', state]) => ({ id, instanceId, running: state === 'running' }));
}

/** Id of the container behind an instance. @throws LabError when none runs */
export async function containerOf(instanceId: string): Promise<string> {
  const container = (await instanceContainers()).find((found) => found.instanceId === instanceId && found.running);
  if (!container) throw new LabError(`no running container stands for ${instanceId}`);
  return container.id;
}

/** Removes the lab's containers and its network. */
export async function removeAll(): Promise<void> {
  for (const filter of [`network=${LAB_NAME}`, `label=${LAB_LABEL}`]) {
    const ids = (await tryRun('docker', ['ps', '-aq', '--filter', filter])).stdout.split('\n').filter(Boolean);
    if (ids.length > 0) await tryRun('docker', ['rm', '-f', '-v', ...ids]);
  }
  await tryRun('docker', ['network', 'rm', LAB_NAME]);
}
