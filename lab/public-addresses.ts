/**
 * Makes the lab's Elastic IPs reachable, which the emulator only keeps records of: each is an address of this machine on the lab's bridge
 * (it goes with the bridge), and every port that balancers offer leads on to whoever holds it. Nodes reach each other through them, as the
 * services of a cluster do on AWS.
 */
import { CATALOGUE } from '../lambdas/core/catalogue/catalogue';
import type { SeenAddress } from './address-watch';
import { type Forwarder, startForwarder } from './forwarder';
import { LabError } from './lab-error';
import { LAB_NAME } from './paths';
import { run, tryRun } from './run-command';

/** Where balancers usually offer roles, each port once. */
const OFFERED_PORTS: readonly number[] = [
  ...new Set(CATALOGUE.flatMap(({ ports, frontends }) => frontends.flatMap((name) => ports[name] ?? []))),
];

/** The lab's bridge on this machine. */
async function bridge(): Promise<string> {
  const id = (await run('docker', ['network', 'inspect', LAB_NAME, '--format', '{{.Id}}'])).trim();
  return `br-${id.slice(0, 12)}`;
}

/** New addresses are taken up no more often than this, so that one that can't be led does not keep the bridge busy, ms. */
const TAKE_UP_EVERY_MS = 1_000;

export interface PublicAddresses {
  /** Leads every address to its present holder, takes up new ones, lets go those that are no more. @throws when one can't be led, which is tried again */
  follow: (addresses: readonly SeenAddress[]) => Promise<void>;
  close: () => Promise<void>;
}

export function leadPublicAddresses(say: (line: string) => void): PublicAddresses {
  const led = new Map<string, Forwarder[]>();
  let takesUpFromMs = 0;

  const lead = async ({ publicIp, privateIp }: SeenAddress): Promise<void> => {
    const added = await tryRun('ip', ['address', 'add', `${publicIp}/32`, 'dev', await bridge()]);
    if (added.code !== 0 && !/exists/i.test(added.stderr)) throw new LabError(`${publicIp}: ${added.stderr.trim()}`);
    const opening = OFFERED_PORTS.map((port) => startForwarder({ listenHost: publicIp, listenPort: port, targetPort: port }));
    const forwarders = await Promise.all(opening);
    for (const forwarder of forwarders) forwarder.leadTo(privateIp);
    led.set(publicIp, forwarders);
    say(`${publicIp} leads to its holder at ${OFFERED_PORTS.join(', ')}`);
  };
  const drop = async (publicIp: string): Promise<void> => {
    for (const forwarder of led.get(publicIp) ?? []) await forwarder.close();
    led.delete(publicIp);
    await tryRun('ip', ['address', 'del', `${publicIp}/32`, 'dev', await bridge()]);
  };
  const follow = async (addresses: readonly SeenAddress[]): Promise<void> => {
    // Those that are led already first: a move must not wait for the bridge.
    for (const { publicIp, privateIp } of addresses) for (const forwarder of led.get(publicIp) ?? []) forwarder.leadTo(privateIp);
    for (const publicIp of [...led.keys()]) if (!addresses.some((address) => address.publicIp === publicIp)) await drop(publicIp);
    if (Date.now() < takesUpFromMs) return;
    takesUpFromMs = Date.now() + TAKE_UP_EVERY_MS;
    for (const address of addresses) if (!led.has(address.publicIp)) await lead(address);
  };
  return {
    follow,
    close: async () => {
      for (const publicIp of [...led.keys()]) await drop(publicIp);
    },
  };
}
