/** Names and tags: the one place that knows how a cluster's things are called. Builds strings, never looks anything up. */

import { ENABLERS } from './catalogue/enablers';

/** A role of the catalogue beside the brokers: STH-Comet, the IoT agents, … */
export type EnablerRole = (typeof ENABLERS)[number]['name'];
/** What a node does. `lb`: HAProxy + keepalived. `orion`: a context broker. `mongo`: a replica-set member. The others: the catalogue. */
export type Role = 'lb' | 'orion' | 'mongo' | EnablerRole;
/** A role whose processes hold no data of their own and are offered by the balancers. */
export type ServiceRole = Exclude<Role, 'lb' | 'mongo'>;

export const ENABLER_ROLES: readonly EnablerRole[] = ENABLERS.map(({ name }) => name);
export const SERVICE_ROLES: readonly ServiceRole[] = ['orion', ...ENABLER_ROLES];
export const ROLES: readonly Role[] = ['lb', 'orion', 'mongo', ...ENABLER_ROLES];

/** One value a role. */
export function byRole<T>(make: (role: Role) => T): Record<Role, T> {
  return Object.fromEntries(ROLES.map((role) => [role, make(role)])) as Record<Role, T>;
}

export function isService(role: Role): role is ServiceRole {
  return role !== 'lb' && role !== 'mongo';
}

export function isEnabler(role: Role): role is EnablerRole {
  return isService(role) && role !== 'orion';
}

/** Slot prefixes as in the FIWARE HA slides: lb1, ctx1, mdb1; those of other roles stand in their entries. */
const SLOT_PREFIX = new Map<Role, string>([
  ['lb', 'lb'],
  ['orion', 'ctx'],
  ['mongo', 'mdb'],
  ...ENABLERS.map(({ name, slotPrefix }): [Role, string] => [name, slotPrefix]),
]);

/** Cluster names reach tags, parameter paths and log lines: lower case letters, digits, inner hyphens, 32 at most. */
export const CLUSTER_NAME = /^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
export const CLUSTER_NAME_RULE =
  '1 to 32 characters: a lower-case letter first, then lower-case letters, digits and hyphens, no hyphen last';

export const TAG = {
  cluster: 'fiware-ha:cluster',
  role: 'fiware-ha:role',
  slot: 'fiware-ha:slot',
  incarnation: 'fiware-ha:incarnation',
  /** On Elastic IPs: which of the cluster's addresses it is (`entry1`). */
  address: 'fiware-ha:address',
} as const;

/** `admin`: where each node tells the version it runs, on every role the same. */
export const PORT = { orion: 1026, mongo: 27017, admin: 8404 } as const;

/** Any slot's name: prefix and number. */
export const SLOT_NAME = /^[a-z]{2,12}\d{1,2}$/;

/** `slotName('orion', 2)` is `ctx2`. `index` counts from 1. */
export function slotName(role: Role, index: number): string {
  return `${SLOT_PREFIX.get(role)}${index}`;
}

/** The slots of a role that a count asks for: `slotNames('mongo', 3)` is mdb1, mdb2, mdb3. */
export function slotNames(role: Role, count: number): string[] {
  const names: string[] = [];
  for (let index = 1; index <= count; index++) names.push(slotName(role, index));
  return names;
}

/** The cluster's address names: `addressNames(2)` is entry1, entry2. */
export function addressNames(count: number): string[] {
  const names: string[] = [];
  for (let index = 1; index <= count; index++) names.push(`entry${index}`);
  return names;
}

export const SPEC_PATH_ROOT = '/fiware-ha/clusters/';

/** Parameter Store name of a cluster's spec. */
export function specParameterName(cluster: string): string {
  return `${SPEC_PATH_ROOT}${cluster}/spec`;
}

/** Name of the spread placement group of one role of a cluster. */
export function placementGroupName(cluster: string, role: Role): string {
  return `fiware-ha-${cluster}-${role}`;
}
