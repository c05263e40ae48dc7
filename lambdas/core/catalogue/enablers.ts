/** The roles a cluster may have beside balancers, brokers and the replica set. A list; to add a role, add its entry here. */
import { cygnus } from './cygnus';
import { iotagentJson } from './iotagent-json';
import { iotagentUl } from './iotagent-ul';
import { orionLd } from './orion-ld';
import type { RoleEntry } from './role-entry';
import { sthComet } from './sth-comet';

export const ENABLERS = [orionLd, sthComet, iotagentJson, iotagentUl, cygnus] as const satisfies readonly RoleEntry[];

/** The entry of a role. @throws where the catalogue has none of that name, which its schema keeps out */
export function enablerEntry(name: string): RoleEntry {
  const entry = ENABLERS.find((each) => each.name === name);
  if (!entry) throw new Error(`${name}: the catalogue has no such role`);
  return entry;
}
