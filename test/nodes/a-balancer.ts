/** A real balancer in a sandbox: what it needs, a configuration before brokers on loopback addresses, its installation. Asserts nothing. */
import { join } from 'node:path';
import type { LbConfig } from '../../lambdas/core/node-config';
import type { Sandbox } from './sandbox';
import { NODES } from './tools';

export const BALANCER_PROGRAMS = ['haproxy', 'keepalived', 'curl', 'ip', 'unshare', 'nsenter', 'python3', 'pgrep'];
/** Where clients ask it. */
export const BALANCER_PORT = 8026;

export function aBalancerOf(brokers: { slot: string; ip: string }[]): LbConfig {
  return {
    role: 'lb',
    port: BALANCER_PORT,
    brokers,
    ip: '10.99.0.1',
    peers: ['10.99.0.2'],
    virtualRouterId: 51,
    advertIntervalS: 0.3,
    protocol: 'http',
  };
}

/** Installs a balancer as its first boot would; answers how that ended. */
export function installBalancer(box: Sandbox): { code: number | null; stderr: string } {
  box.prepare();
  return box.sh(`FIWARE_HA_PACKAGES=none bash ${join(NODES, 'install.sh')} lb`);
}
