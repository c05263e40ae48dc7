/** Watches who holds the cluster's Elastic IPs, and writes each change down. Moves nothing. */
import { DescribeAddressesCommand } from '@aws-sdk/client-ec2';
import { TAG } from '../../lambdas/core/names';
import type { Clients } from '../clients';
import { sleep } from '../run-command';
import type { Move } from './accounting';

const LOOK_EVERY_MS = 200;

export interface HolderWatch {
  moves: readonly Move[];
  stop: () => Promise<void>;
}

async function holdersNow({ ec2 }: Clients, cluster: string): Promise<Map<string, string | null>> {
  const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({ Filters: [{ Name: `tag:${TAG.cluster}`, Values: [cluster] }] }));
  const nameOf = ({ Tags = [] }: (typeof Addresses)[number]) => Tags.find(({ Key }) => Key === TAG.address)?.Value ?? '';
  return new Map(Addresses.map((address) => [nameOf(address), address.InstanceId || null]));
}

/** Watches until stopped. A look that fails says nothing of the holder. */
export async function watchHolders(clients: Clients, cluster: string): Promise<HolderWatch> {
  const moves: Move[] = [];
  let last = await holdersNow(clients, cluster);
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      await sleep(LOOK_EVERY_MS);
      const now = await holdersNow(clients, cluster).catch(() => last);
      for (const [name, to] of now) {
        const from = last.get(name) ?? null;
        if (from !== to) moves.push({ atMs: Date.now(), name, from, to });
      }
      last = now;
    }
  })();
  return {
    moves,
    stop: () => {
      stopped = true;
      return watching;
    },
  };
}
