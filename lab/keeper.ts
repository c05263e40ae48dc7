/**
 * Keeps the lab's instances as EC2 would: boots new containers, reports deaths, keeps the nodes' credentials fresh, forwards the local ports and the Elastic IPs.
 * Holds no opinion on the cluster; the control plane alone repairs.
 */
import { PORT } from '../lambdas/core/names';
import { type SeenAddress, watchAddresses } from './address-watch';
import { bootNode, refreshCredentials } from './boot';
import { makeClients } from './clients';
import { announceState, freeAddresses } from './cloud-gaps';
import { addressOf, instanceContainers, occupyAddress } from './docker';
import { type ContainerEvent, watchContainers } from './docker-events';
import { startForwarder } from './forwarder';
import { messageOf } from './lab-error';
import { LOCAL_ENTRIES } from './local-entry';
import { LAB_NAME } from './paths';
import { leadPublicAddresses } from './public-addresses';

const LOOK_EVERY_MS = 100;
/** Role sessions last an hour at most; half of it leaves room. */
const REFRESH_EVERY_MS = 25 * 60_000;

export interface KeeperOptions {
  endpoint: string;
  outputs: Record<string, string>;
  /** Image that holds the addresses of dead nodes. */
  image: string;
  say: (line: string) => void;
}

export interface Keeper {
  stop: () => Promise<void>;
}

/** Leads a local port to whoever holds the Elastic IP of each name. */
async function leadLocalPorts(say: KeeperOptions['say']) {
  const opened = Object.entries(LOCAL_ENTRIES).map(async ([name, { host, port }]) => {
    const forwarder = await startForwarder({ listenHost: host, listenPort: port, targetPort: PORT.orion });
    return { name, where: `${host}:${port}`, forwarder };
  });
  const ports = await Promise.all(opened);
  return {
    follow: (addresses: readonly SeenAddress[]): void => {
      for (const { name, where, forwarder } of ports) {
        // The lab has one cluster at a time; while one goes and the next comes, the one that is held counts.
        const holder = addresses.find((address) => address.name === name && address.privateIp !== null)?.privateIp ?? null;
        if (holder !== forwarder.holder())
          say(`${where} (${name}) leads to ${holder ?? 'nobody'} (before: ${forwarder.holder() ?? 'nobody'})`);
        forwarder.leadTo(holder);
      }
    },
    close: async (): Promise<void> => {
      await Promise.all(ports.map(({ forwarder }) => forwarder.close()));
    },
  };
}

/** Starts keeping. Instances that run already are booted again, which changes nothing on a node that has been. */
export async function startKeeper(options: KeeperOptions): Promise<Keeper> {
  const { say } = options;
  const clients = makeClients(options.endpoint);
  const addresses = new Map<string, string>();

  const onStart = async ({ containerId, instanceId }: Pick<ContainerEvent, 'containerId' | 'instanceId'>): Promise<void> => {
    const address = await addressOf(containerId);
    if (address) addresses.set(containerId, address);
    const booted = await bootNode(clients, options, containerId, instanceId);
    if (booted) say(`${booted} (${instanceId}, ${address}) has booted`);
    await announceState(clients, instanceId, 'running');
  };
  const onDeath = async ({ containerId, instanceId }: ContainerEvent): Promise<void> => {
    const address = addresses.get(containerId);
    addresses.delete(containerId);
    say(`${instanceId} (${address ?? 'no address'}) is gone`);
    if (address && !(await occupyAddress(address, options.image))) say(`${address} could not be held: another node has it`);
    await freeAddresses(clients, instanceId);
    await announceState(clients, instanceId, 'terminated');
  };
  const handle = (event: ContainerEvent): void => {
    const handling = event.action === 'start' ? onStart(event) : onDeath(event);
    handling.catch((error) => say(`${event.instanceId}, ${event.action}: ${messageOf(error)}`));
  };

  const watching = watchContainers(handle);
  for (const container of await instanceContainers())
    if (container.running) handle({ ...container, action: 'start', containerId: container.id });
  const refreshing = setInterval(() => {
    refreshCredentials(clients, options).catch((error) => say(`credentials were not refreshed: ${messageOf(error)}`));
  }, REFRESH_EVERY_MS);
  const localPorts = await leadLocalPorts(say);
  const publicAddresses = leadPublicAddresses(say);
  const onSeen = async (seen: readonly SeenAddress[]): Promise<void> => {
    localPorts.follow(seen);
    await publicAddresses.follow(seen);
  };
  const addressWatch = watchAddresses(clients, { everyMs: LOOK_EVERY_MS, onSeen, say });
  say(`${LAB_NAME}: keeper is ready`);
  return {
    stop: async () => {
      clearInterval(refreshing);
      watching.stop();
      await addressWatch.stop();
      await Promise.all([localPorts.close(), publicAddresses.close()]);
    },
  };
}
