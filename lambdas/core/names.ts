/** Names and tags: the one place that knows how a cluster's things are called. Builds strings, never looks anything up. */

/** What a node does. `lb`: HAProxy + keepalived. `orion`: a context broker. `mongo`: a replica-set member. */
export const ROLES = ['lb', 'orion', 'mongo'] as const;
export type Role = (typeof ROLES)[number];

/** Slot prefixes as in the FIWARE HA slides: lb1, ctx1, mdb1. */
const SLOT_PREFIX: Record<Role, string> = { lb: 'lb', orion: 'ctx', mongo: 'mdb' };

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
  return `${SLOT_PREFIX[role]}${index}`;
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
