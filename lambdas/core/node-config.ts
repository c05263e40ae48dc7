/** Node configurations: what the files of a node are rendered from, one schema a role. Renders nothing. */
import * as z from 'zod';
import { roleOptions } from './catalogue/enablers-spec';
import { orionSettings } from './config/orion-sizing';
import { ENABLER_ROLES, type ServiceRole } from './names';
import { orionOverrides, readPreference, writeConcern } from './spec';
import { cluster, host, ip, replicaSet, slot } from './values';

const claims = z.strictObject({
  cluster,
  queueUrl: z.string().regex(/^https?:\/\/[A-Za-z0-9._:/-]{1,200}$/, 'expected a queue URL'),
});

const port = z.int().min(1).max(65535);
const servers = z.array(z.strictObject({ slot, ip })).max(40);
const enablerRole = z.enum(ENABLER_ROLES);
const version = z.string().regex(/^\d{1,2}\.\d{1,3}\.\d{1,3}$/, 'expected a version such as 4.1.0');
/** Voting members, sorted. */
const seeds = z.array(host).min(1).max(50);

export const lbConfig = z.strictObject({
  role: z.literal('lb'),
  port,
  brokers: servers,
  /** What else the balancers offer, in the catalogue's order; `ports`: where. */
  services: z
    .array(z.strictObject({ role: enablerRole, ports: z.strictObject({ north: port, south: port.optional() }), servers }))
    .min(1)
    .max(20)
    .optional(),
  /** This node's and the other balancer's private addresses, for VRRP over unicast; no peer while it is alone. */
  ip,
  peers: z.array(ip).max(1),
  /** Further private addresses of this node, which a second Elastic IP leads to; its operating system must know them. */
  secondaryIps: z.array(ip).min(1).max(8).optional(),
  /** The first of two: one a balancer. */
  virtualRouterId: z.int().min(1).max(254),
  /** Seconds between two VRRP advertisements. */
  advertIntervalS: z.number().min(0.1).max(10).default(0.3),
  protocol: z.enum(['http', 'tcp']).default('http'),
  /** How to claim the address when the peer falls silent; without it the checks alone find that out. */
  claims: claims.optional(),
});
export const orionConfig = z.strictObject({
  role: z.literal('orion'),
  version,
  replicaSet,
  seeds,
  writeConcern,
  readPreference,
  /** A message of an earlier release has none. */
  settings: orionOverrides.required().default(orionSettings('t3.medium')),
});
export const mongoConfig = z.strictObject({ role: z.literal('mongo'), replicaSet });
/** Of a role of the catalogue; what its files are made of stands in its entry. */
export const enablerConfig = z.strictObject({
  role: enablerRole,
  version,
  /** Its place in its role, from 1. */
  index: z.int().min(1).max(99),
  replicaSet,
  seeds,
  writeConcern,
  readPreference,
  /** Where the balancers offer the brokers, and this very role. */
  broker: z.strictObject({ host: ip, port }),
  offered: z.strictObject({ host: ip, port }),
  options: roleOptions,
});
export type EnablerConfig = z.output<typeof enablerConfig>;

/** What a node's configuration is rendered from. */
export const nodeConfig = z.discriminatedUnion('role', [lbConfig, orionConfig, mongoConfig, enablerConfig]);
export type NodeConfig = z.output<typeof nodeConfig>;
export type LbConfig = z.output<typeof lbConfig>;

/** One role as a balancer's configuration has it. */
export interface OfferedRole {
  role: ServiceRole;
  ports: { north: number; south?: number | undefined };
  servers: LbConfig['brokers'];
}

/** All roles that a balancer's configuration offers, the brokers first. */
export function rolesOffered({ port, brokers, services = [] }: LbConfig): OfferedRole[] {
  return [{ role: 'orion', ports: { north: port }, servers: brokers }, ...services];
}

/** Whether a balancer's configuration has a server at an address. */
export function namesServer(config: LbConfig, address: string): boolean {
  return rolesOffered(config).some(({ servers }) => servers.some(({ ip }) => ip === address));
}
