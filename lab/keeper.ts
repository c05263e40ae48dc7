/**
 * Keeps the lab's instances as EC2 would: boots new containers, reports deaths, keeps the nodes' credentials fresh, forwards the local ports and the Elastic IPs.
 * Holds no opinion on the cluster; the control plane alone repairs.
 */
import { type Address, DescribeAddressesCommand, DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import { PORT, TAG } from '../lambdas/core/names';
import { bootNode, refreshCredentials } from './boot';
import { type Clients, makeClients } from './clients';
import { announceState, freeAddresses } from './cloud-gaps';
import { addressOf, instanceContainers, occupyAddress } from './docker';
import { type ContainerEvent, watchContainers } from './docker-events';
import { type Forwarder, startForwarder } from './forwarder';
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

/** Private address of the instance that holds the lab's Elastic IP of that name. */
async function findHolder({ ec2 }: Clients, name: string): Promise<string | null> {
  const { Addresses: addresses = [] } = await ec2.send(new DescribeAddressesCommand({}));
  const isNamed = ({ Tags = [] }: Address) => Tags.some(({ Key, Value }) => Key === TAG.address && Value === name);
  const instanceId = addresses.find((address) => address.InstanceId && isNamed(address))?.InstanceId;
  if (!instanceId) return null;
  const found = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
  return found.Reservations?.[0]?.Instances?.[0]?.PrivateIpAddress ?? null;
}

/** Leads a local port to whoever holds an Elastic IP. */
function forward(
  clients: Clients,
  name: string,
  { host, port }: { host: string; port: number },
  say: KeeperOptions['say'],
): Promise<Forwarder> {
  return startForwarder({
    listenHost: host,
    listenPort: port,
    targetPort: PORT.orion,
    findHolder: () => findHolder(clients, name),
    everyMs: LOOK_EVERY_MS,
    onMove: (from, to) => say(`${host}:${port} (${name}) leads to ${to ?? 'nobody'} (before: ${from ?? 'nobody'})`),
  });
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
  const forwarders = await Promise.all(Object.entries(LOCAL_ENTRIES).map(([name, entry]) => forward(clients, name, entry, say)));
  const publicAddresses = leadPublicAddresses(clients, say);
  say(`${LAB_NAME}: keeper is ready`);
  return {
    stop: async () => {
      clearInterval(refreshing);
      watching.stop();
      await Promise.all([...forwarders, publicAddresses].map((open) => open.close()));
    },
  };
}
