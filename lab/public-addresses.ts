/**
 * Makes the lab's Elastic IPs reachable, which the emulator only keeps records of: each is an address of this machine on the lab's bridge
 * (it goes with the bridge), and every port that balancers offer leads on to whoever holds it. Nodes reach each other through them, as the
 * services of a cluster do on AWS. Looks only; moves nothing.
 */
import { DescribeAddressesCommand, DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import { CATALOGUE } from '../lambdas/core/catalogue/catalogue';
import { TAG } from '../lambdas/core/names';
import type { Clients } from './clients';
import { type Forwarder, startForwarder } from './forwarder';
import { messageOf } from './lab-error';
import { LAB_NAME } from './paths';
import { run, tryRun } from './run-command';

const LOOK_EVERY_MS = 1_000;
const FOLLOW_EVERY_MS = 100;

/** Where balancers usually offer roles, each port once. */
export const OFFERED_PORTS: readonly number[] = [
  ...new Set(CATALOGUE.flatMap(({ ports, frontends }) => frontends.flatMap((name) => ports[name] ?? []))),
];

/** The lab's bridge on this machine. */
async function bridge(): Promise<string> {
  const id = (await run('docker', ['network', 'inspect', LAB_NAME, '--format', '{{.Id}}'])).trim();
  return `br-${id.slice(0, 12)}`;
}

/** Private address of the holder by public address; null while nobody holds it. */
async function lookUp({ ec2 }: Clients): Promise<Map<string, string | null>> {
  const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({ Filters: [{ Name: 'tag-key', Values: [TAG.address] }] }));
  const ids = Addresses.flatMap(({ InstanceId }) => InstanceId || []);
  const { Reservations = [] } = ids.length > 0 ? await ec2.send(new DescribeInstancesCommand({ InstanceIds: ids })) : { Reservations: [] };
  const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
  const privateIpOf = (id: string | undefined) => instances.find(({ InstanceId }) => InstanceId === id)?.PrivateIpAddress ?? null;
  return new Map(Addresses.flatMap(({ PublicIp, InstanceId }) => (PublicIp ? [[PublicIp, privateIpOf(InstanceId)] as const] : [])));
}

export interface PublicAddresses {
  close: () => Promise<void>;
}

/** Starts leading. An address that cannot be led is said once, and tried again with the next look. */
export function leadPublicAddresses(clients: Clients, say: (line: string) => void): PublicAddresses {
  let holders = new Map<string, string | null>();
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const led = new Map<string, Forwarder[]>();
  let lastSaid = '';

  const lead = async (publicIp: string): Promise<void> => {
    const added = await tryRun('ip', ['address', 'add', `${publicIp}/32`, 'dev', await bridge()]);
    if (added.code !== 0 && !/exists/i.test(added.stderr)) throw new Error(added.stderr.trim());
    const findHolder = async () => holders.get(publicIp) ?? null;
    const forwarders = OFFERED_PORTS.map((port) =>
      startForwarder({ listenHost: publicIp, listenPort: port, targetPort: port, findHolder, everyMs: FOLLOW_EVERY_MS }),
    );
    led.set(publicIp, await Promise.all(forwarders));
    say(`${publicIp} leads to its holder at ${OFFERED_PORTS.join(', ')}`);
  };
  const drop = async (publicIp: string): Promise<void> => {
    for (const forwarder of led.get(publicIp) ?? []) await forwarder.close();
    led.delete(publicIp);
    await tryRun('ip', ['address', 'del', `${publicIp}/32`, 'dev', await bridge()]);
  };
  const look = async (): Promise<void> => {
    try {
      holders = await lookUp(clients);
      for (const publicIp of holders.keys()) if (!led.has(publicIp) && !closed) await lead(publicIp);
      for (const publicIp of [...led.keys()]) if (!holders.has(publicIp)) await drop(publicIp);
    } catch (error) {
      // What was seen last stays: not being able to look says nothing about it.
      const words = messageOf(error);
      if (words !== lastSaid) say(`public addresses: ${words}`);
      lastSaid = words;
    }
    if (!closed) timer = setTimeout(look, LOOK_EVERY_MS);
  };
  void look();
  return {
    close: async () => {
      closed = true;
      clearTimeout(timer);
      for (const publicIp of [...led.keys()]) await drop(publicIp);
    },
  };
}
