/**
 * Who holds the Elastic IPs of the lab's clusters, looked up in one place for everything that leads to a holder: each look costs the
 * emulator's single process a few ms which a repair would have used. Looks only; moves nothing.
 */
import { DescribeAddressesCommand, DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import { TAG } from '../lambdas/core/names';
import type { Clients } from './clients';
import { messageOf } from './lab-error';
import { sleep } from './run-command';

export interface SeenAddress {
  /** Its name within a cluster: `entry1`, `entry2`. */
  name: string;
  publicIp: string;
  /** Private address of the holder; null while nobody holds it. */
  privateIp: string | null;
}

export interface AddressWatchOptions {
  /** From the end of a look to the next, ms. */
  everyMs: number;
  /** Told of all addresses after each look; a look that failed tells nothing, because it says nothing of them. */
  onSeen: (addresses: readonly SeenAddress[]) => Promise<void>;
  /** Told what keeps a look from its end, once for as long as it stays the same. */
  say: (line: string) => void;
}

export interface AddressWatch {
  /** Looks no more; answers once the look under way has ended. */
  stop: () => Promise<void>;
}

/** Private addresses by instance; one that was seen is not asked for again, because an instance keeps it for life. */
function privateAddresses({ ec2 }: Pick<Clients, 'ec2'>): (instanceId: string) => Promise<string | null> {
  const seen = new Map<string, string>();
  return async (instanceId) => {
    const known = seen.get(instanceId);
    if (known) return known;
    const { Reservations: reservations = [] } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
    const found = reservations.flatMap(({ Instances: instances = [] }) => instances)[0]?.PrivateIpAddress;
    if (found) seen.set(instanceId, found);
    return found ?? null;
  };
}

/** Starts looking. */
export function watchAddresses(clients: Pick<Clients, 'ec2'>, { everyMs, onSeen, say }: AddressWatchOptions): AddressWatch {
  const privateIpOf = privateAddresses(clients);
  const filter = { Name: 'tag-key', Values: [TAG.address] };
  const lookUp = async (): Promise<SeenAddress[]> => {
    const { Addresses: addresses = [] } = await clients.ec2.send(new DescribeAddressesCommand({ Filters: [filter] }));
    const seen: SeenAddress[] = [];
    for (const { PublicIp: publicIp, InstanceId: instanceId, Tags: tags = [] } of addresses) {
      const name = tags.find(({ Key }) => Key === TAG.address)?.Value;
      if (publicIp && name) seen.push({ name, publicIp, privateIp: instanceId ? await privateIpOf(instanceId) : null });
    }
    return seen;
  };
  let stopped = false;
  let lastSaid = '';
  const look = async (): Promise<void> => {
    try {
      const seen = await lookUp();
      if (!stopped) await onSeen(seen);
      lastSaid = '';
    } catch (error) {
      const words = messageOf(error);
      if (words !== lastSaid) say(`addresses: ${words}`);
      lastSaid = words;
    }
  };
  const watching = (async () => {
    for (; !stopped; await sleep(everyMs)) await look();
  })();
  return {
    stop: () => {
      stopped = true;
      return watching;
    },
  };
}
