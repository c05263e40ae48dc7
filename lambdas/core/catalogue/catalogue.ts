/** The catalogue: every stateless role that balancers offer, the brokers first. Looks entries up; decides nothing. */
import { ENABLERS } from './enablers';
import { orion } from './orion';
import type { RoleEntry } from './role-entry';

export const CATALOGUE: readonly RoleEntry[] = [orion, ...ENABLERS];
