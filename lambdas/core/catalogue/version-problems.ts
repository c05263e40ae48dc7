/** What speaks against the versions of a spec: unknown settings, pairs known not to work. Says it with the way out; changes nothing. */
import { type EnablersSpec, enablersOf } from './enablers-spec';
import { orion } from './orion';
import { conflictWithMongo, isKnown, knownVersions, type MongoSeries } from './versions';

/** The part of a spec that has versions. */
interface Versions {
  orion: { version: string };
  enablers: EnablersSpec;
}

/** Versions whose settings nobody knows, a sentence each. The schema of the other roles says so itself. */
export function unknownVersions({ orion: { version } }: Versions): string[] {
  if (isKnown(orion, version)) return [];
  return [
    `orion.version: expected a version whose settings are known: ${knownVersions(orion)}; got ${JSON.stringify(version)}; take one of those`,
  ];
}

/** Versions that are known not to work with what the members run, a sentence each. */
export function versionConflicts(spec: Versions, mongoSeries: MongoSeries): string[] {
  const of = (field: string, role: string, version: string) => {
    const conflict = conflictWithMongo(role, version, mongoSeries);
    return conflict ? [`${field}: ${conflict}`] : [];
  };
  return [
    ...of('orion.version', 'orion', spec.orion.version),
    ...enablersOf(spec.enablers).flatMap(({ entry, spec: { version } }) => of(`enablers.${entry.name}.version`, entry.name, version)),
  ];
}
