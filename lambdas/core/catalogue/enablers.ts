/** The roles a cluster may have beside balancers, brokers and the replica set. A list; to add a role, add its entry here. */
import { cygnus } from './cygnus';
import { iotagentJson } from './iotagent-json';
import { iotagentUl } from './iotagent-ul';
import { orionLd } from './orion-ld';
import type { RoleEntry } from './role-entry';
import { sthComet } from './sth-comet';

export const ENABLERS = [orionLd, sthComet, iotagentJson, iotagentUl, cygnus] as const satisfies readonly RoleEntry[];
