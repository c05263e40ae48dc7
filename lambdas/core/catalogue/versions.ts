/** Which versions go together: what is known not to work is refused with the way out. Compares and says; changes nothing. */
import type { RoleEntry, VersionSeries } from './role-entry';

/** MongoDB series that a cluster may run. */
export const MONGO_SERIES = ['4.4', '5.0', '6.0', '7.0', '8.0'] as const;
export type MongoSeries = (typeof MONGO_SERIES)[number];

/** What the nodes of the control plane run (nodes/bin/common.sh). */
export const MONGO_USUAL: MongoSeries = '7.0';

/** Negative, 0 or positive as `a` is older than, equal to or newer than `b`; missing parts count as 0. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function isIn(version: string, { from, below }: Pick<VersionSeries, 'from' | 'below'>): boolean {
  return compareVersions(version, from) >= 0 && compareVersions(version, below) < 0;
}

/** Whether the settings of a version of the role are known. */
export function isKnown(entry: Pick<RoleEntry, 'versions'>, version: string): boolean {
  return entry.versions.some((series) => isIn(version, series));
}

/** `2.9.0 to below 2.12.0, 3.0.0 to below 4.0.0`. */
export function knownVersions(entry: Pick<RoleEntry, 'versions'>): string {
  return entry.versions.map(({ from, below }) => `${from} to below ${below}`).join(', ');
}

/** Versions of a role that are known not to work with some MongoDB series. */
interface Conflict {
  role: string;
  from: string;
  below: string;
  mongoFrom: MongoSeries;
  why: string;
  fix: string;
  source: string;
}

/**
 * MongoDB 5.1 took away the wire operations that the legacy C++ driver 1.1.2 speaks (MongoDB's manual, legacy opcodes); of the series
 * offered here 6.0 is the first without them.
 */
const CONFLICTS: readonly Conflict[] = [
  {
    role: 'orion',
    from: '0.0.0',
    below: '3.0.0',
    mongoFrom: '6.0',
    why: 'it speaks by the legacy C++ driver 1.1.2, whose operations MongoDB no longer has',
    fix: 'take Orion 3.0.0 or later, or MongoDB 4.4 or 5.0',
    source: 'fiware-orion, Changelog, 3.0.0',
  },
  {
    role: 'orion-ld',
    from: '0.0.0',
    below: '99.0.0',
    mongoFrom: '6.0',
    why: 'it still opens the legacy C++ driver 1.1.2 beside the new one, whose operations MongoDB no longer has',
    fix: 'take MongoDB 4.4 or 5.0',
    source: 'context.Orion-LD, src/app/orionld/orionld.cpp (mongoInit) and docker/docker-compose.yml',
  },
  {
    role: 'sth-comet',
    from: '0.0.0',
    below: '2.11.0',
    mongoFrom: '5.0',
    why: 'it asks for the list of collections in a way that MongoDB 5.0 refuses',
    fix: 'take STH-Comet 2.11.0 or later, or MongoDB 4.4',
    source: 'fiware-sth-comet, Changelog, 2.11.0',
  },
];

/** The series that a version was built and tested against; others may work as well. */
interface Reference {
  role: string;
  from: string;
  below: string;
  mongo: string;
  source: string;
}

const REFERENCES: readonly Reference[] = [
  { role: 'orion', from: '2.1.0', below: '3.0.0', mongo: '3.6', source: 'fiware-orion, Changelog, 2.1.0' },
  { role: 'orion', from: '3.0.0', below: '3.11.0', mongo: '4.4', source: 'fiware-orion, Changelog, 3.0.0' },
  { role: 'orion', from: '3.11.0', below: '4.2.0', mongo: '6.0', source: 'fiware-orion, Changelog, 3.11.0' },
  { role: 'orion', from: '4.2.0', below: '5.0.0', mongo: '8.0', source: 'fiware-orion, Changelog, 4.2.0' },
  { role: 'orion-ld', from: '1.0.0', below: '2.0.0', mongo: '4.4', source: 'context.Orion-LD, docker/docker-compose.yml' },
  { role: 'sth-comet', from: '2.9.0', below: '3.0.0', mongo: '4.4', source: 'fiware-sth-comet, docker-compose.yml' },
  { role: 'iotagent-json', from: '2.0.0', below: '4.0.0', mongo: '4.2', source: 'iotagent-json, docker/README.md' },
  { role: 'iotagent-ul', from: '2.0.0', below: '4.0.0', mongo: '4.2', source: 'iotagent-ul, docker/README.md' },
  { role: 'cygnus', from: '2.0.0', below: '4.0.0', mongo: '4.2', source: 'fiware-cygnus, ngsi_mongo_sink.md' },
];

/** Why a role's version can't live on that MongoDB; undefined where nothing is known against it. */
export function conflictWithMongo(role: string, version: string, mongo: MongoSeries): string | undefined {
  const conflict = CONFLICTS.find((each) => each.role === role && isIn(version, each) && compareVersions(mongo, each.mongoFrom) >= 0);
  if (!conflict) return undefined;
  return `version ${version} does not work with MongoDB ${mongo}: ${conflict.why} (${conflict.source}); ${conflict.fix}`;
}

/** The MongoDB series a role's version was made for; undefined where nobody said. */
export function referenceOf(role: string, version: string): Reference | undefined {
  return REFERENCES.find((each) => each.role === role && isIn(version, each));
}
