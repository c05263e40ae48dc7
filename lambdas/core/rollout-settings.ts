/** What of a spec reaches the files of a role: the part that can be rolled back. Nothing in it names a node, because those of before are gone. */
import { type EnablerSpec, enablersOf } from './catalogue/enablers-spec';
import { configTemplates } from './config/version';
import { shortHash } from './hash';
import { type EnablerRole, isEnabler, type Role } from './names';
import { isSame } from './same';
import { type ClusterSpec, enablerOf, parseSpec } from './spec';

type EnablerSettings = Pick<EnablerSpec, 'ports'> & Partial<Pick<EnablerSpec, 'version' | 'options'>>;

/** Parts of a spec, by their place in it. */
export interface Settings {
  entry?: ClusterSpec['entry'];
  orion?: Omit<ClusterSpec['orion'], 'count' | 'min' | 'max'>;
  mongo?: Pick<ClusterSpec['mongo'], 'writeConcern' | 'readPreference'>;
  /** By role: balancers are told the ports of all, a role of the catalogue is told its own part. */
  enablers?: Partial<Record<EnablerRole, EnablerSettings>>;
}

function offeredPorts({ enablers }: ClusterSpec): Settings {
  const all = enablersOf(enablers);
  if (all.length === 0) return {};
  return { enablers: Object.fromEntries(all.map(({ entry, spec: { ports } }) => [entry.name, { ports }])) };
}

/** The settings of a role. A replica set's name is none of them: it can't change once the set was initiated. */
export function settingsOf(spec: ClusterSpec, role: Role): Settings {
  const { entry, orion, mongo } = spec;
  if (role === 'lb') return { entry, ...offeredPorts(spec) };
  if (role === 'mongo') return {};
  const database = { writeConcern: mongo.writeConcern, readPreference: mongo.readPreference };
  if (isEnabler(role)) {
    const own = enablerOf(spec, role);
    return own ? { enablers: { [role]: { ports: own.ports, version: own.version, options: own.options } }, mongo: database } : {};
  }
  const { count: _count, min: _min, max: _max, ...own } = orion;
  return { orion: own, mongo: database };
}

/** Tells settings apart, whatever templates they are rendered with. */
export function hashOf(settings: Settings): string {
  return shortHash(JSON.stringify(settings));
}

/** Version of settings and the templates of this release together, 14 hex digits. */
export function rolloutVersion(role: Role, settings: Settings): string {
  return shortHash(JSON.stringify(settings), configTemplates(role));
}

/**
 * Roles that the spec has, with their settings of before; a role that it gave up since stays given up. The balancers' settings of before
 * (they alone have an `entry`) name all roles that were offered then: a new one may be what they do not take.
 */
function withEnablers({ enablers }: ClusterSpec, { entry, enablers: before = {} }: Settings): ClusterSpec['enablers'] {
  const kept = enablersOf(enablers).filter(({ entry: { name } }) => entry === undefined || before[name] !== undefined);
  return Object.fromEntries(kept.map(({ entry: { name }, spec }) => [name, { ...spec, ...before[name] }]));
}

/** The spec with other settings, for rendering alone; undefined where this release would not take them any more. */
export function withSettings(spec: ClusterSpec, settings: Settings): ClusterSpec | undefined {
  const parsed = parseSpec({
    ...spec,
    entry: { ...spec.entry, ...settings.entry },
    orion: { ...spec.orion, ...settings.orion },
    mongo: { ...spec.mongo, ...settings.mongo },
    enablers: withEnablers(spec, settings),
  });
  return parsed.ok ? parsed.value : undefined;
}

/** Parts of settings by their path in the spec. */
function partsOf({ enablers = {}, ...parts }: Settings): Record<string, Record<string, unknown>> {
  const roles = Object.entries(enablers).map(([role, own]) => [`enablers.${role}`, own] as const);
  return Object.fromEntries([...Object.entries(parts), ...roles]);
}

/** Which settings differ, for people: `orion.version 4.1.0 → 4.2.0`. */
export function differences(before: Settings, after: Settings): string[] {
  const [old, now] = [partsOf(before), partsOf(after)];
  const words = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'));
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((part) => {
    const [was = {}, is = {}] = [old[part], now[part]];
    return [...new Set([...Object.keys(was), ...Object.keys(is)])]
      .filter((key) => !isSame(was[key], is[key]))
      .map((key) => `${part}.${key} ${words(was[key])} → ${words(is[key])}`);
  });
}
