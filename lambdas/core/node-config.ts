/** Node configurations: what the files of a node are rendered from, one schema a role. Renders nothing. */
import * as z from 'zod';
import { orionSettings } from './config/orion-sizing';
import { orionOverrides, readPreference, writeConcern } from './spec';
import { cluster, host, ip, replicaSet, slot } from './values';

const claims = z.strictObject({
  cluster,
  queueUrl: z.string().regex(/^https?:\/\/[A-Za-z0-9._:/-]{1,200}$/, 'expected a queue URL'),
});

export const lbConfig = z.strictObject({
  role: z.literal('lb'),
  port: z.int().min(1).max(65535),
  brokers: z.array(z.strictObject({ slot, ip })).max(40),
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
  version: z.string().regex(/^\d{1,2}\.\d{1,3}\.\d{1,3}$/),
  replicaSet,
  /** Voting members, sorted. */
  seeds: z.array(host).min(1).max(50),
  writeConcern,
  readPreference,
  /** A message of an earlier release has none. */
  settings: orionOverrides.required().default(orionSettings('t3.medium')),
});
export const mongoConfig = z.strictObject({ role: z.literal('mongo'), replicaSet });
/** What a node's configuration is rendered from. */
export const nodeConfig = z.discriminatedUnion('role', [lbConfig, orionConfig, mongoConfig]);
export type NodeConfig = z.output<typeof nodeConfig>;
