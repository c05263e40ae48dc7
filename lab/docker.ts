/** Docker as the lab uses it: the daemon, the network, containers by label. Touches nothing that does not carry the lab's label. */
import { existsSync } from 'node:fs';
import { LabError } from './lab-error';
import { LAB_NAME, logFile } from './paths';
import { type Background, run, startBackground, tryRun, waitFor } from './run-command';

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

/** The lab's own bridge network; answers the gateway's address, which is this machine as the containers see it. */
export async function ensureNetwork(): Promise<string> {
  const inspect = () => tryRun('docker', ['network', 'inspect', LAB_NAME, '--format', '{{(index .IPAM.Config 0).Gateway}}']);
  let found = await inspect();
  if (found.code !== 0) {
    await run('docker', ['network', 'create', '--label', LAB_LABEL, LAB_NAME]);
    found = await inspect();
  }
  const gateway = found.stdout.trim();
  if (!/^\d+(\.\d+){3}$/.test(gateway)) throw new LabError(`network ${LAB_NAME}: expected an IPv4 gateway; got "${gateway}"`);
  return gateway;
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

/** Removes the lab's containers and its network. */
export async function removeAll(): Promise<void> {
  for (const filter of [`network=${LAB_NAME}`, `label=${LAB_LABEL}`]) {
    const ids = (await tryRun('docker', ['ps', '-aq', '--filter', filter])).stdout.split('\n').filter(Boolean);
    if (ids.length > 0) await tryRun('docker', ['rm', '-f', '-v', ...ids]);
  }
  await tryRun('docker', ['network', 'rm', LAB_NAME]);
}
