/** The catalogue: every stateless role that balancers offer, the brokers first. Looks entries up; decides nothing. */

import type { ServiceRole } from '../names';
import { ENABLERS, enablerEntry } from './enablers';
import { orion } from './orion';
import type { RoleEntry } from './role-entry';

export const CATALOGUE: readonly RoleEntry[] = [orion, ...ENABLERS];

/** What is to be known of a role, the brokers included. */
export function serviceEntry(role: ServiceRole): RoleEntry {
  return role === 'orion' ? orion : enablerEntry(role);
}
