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

/** After an address could not be led, until it is tried again, ms. */
const TRY_AGAIN_MS = 1_000;

export interface PublicAddresses {
  /** Leads every address to its present holder, takes up new ones, lets go those that are no more. @throws when one can't be led; the others are */
  follow: (addresses: readonly SeenAddress[]) => Promise<void>;
  close: () => Promise<void>;
}

export function leadPublicAddresses(say: (line: string) => void): PublicAddresses {
  const led = new Map<string, Forwarder[]>();
  let triesFromMs = 0;

  const lead = async (publicIp: string): Promise<void> => {
    const added = await tryRun('ip', ['address', 'add', `${publicIp}/32`, 'dev', await bridge()]);
    if (added.code !== 0 && !/exists/i.test(added.stderr)) throw new LabError(`${publicIp}: ${added.stderr.trim()}`);
    const forwarders = OFFERED_PORTS.map((port) => startForwarder({ listenHost: publicIp, listenPort: port, targetPort: port }));
    led.set(publicIp, await Promise.all(forwarders));
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
    if (Date.now() < triesFromMs) return;
    triesFromMs = Date.now() + TRY_AGAIN_MS;
    for (const { publicIp, privateIp } of addresses)
      if (!led.has(publicIp)) {
        await lead(publicIp);
        for (const forwarder of led.get(publicIp) ?? []) forwarder.leadTo(privateIp);
      }
  };
  return {
    follow,
    close: async () => {
      for (const publicIp of [...led.keys()]) await drop(publicIp);
    },
  };
}
