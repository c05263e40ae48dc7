/** What of a spec reaches the files of a role: the part that can be rolled back. Nothing in it names a node, because those of before are gone. */
import { configTemplates } from './config/version';
import { shortHash } from './hash';
import type { Role } from './names';
import { type ClusterSpec, parseSpec } from './spec';

/** Parts of a spec, by their place in it. */
export interface Settings {
  entry?: ClusterSpec['entry'];
  orion?: Omit<ClusterSpec['orion'], 'count' | 'min' | 'max'>;
  mongo?: Pick<ClusterSpec['mongo'], 'writeConcern' | 'readPreference'>;
}

/** The settings of a role. A replica set's name is none of them: it can't change once the set was initiated. */
export function settingsOf({ entry, orion, mongo }: ClusterSpec, role: Role): Settings {
  if (role === 'lb') return { entry };
  if (role === 'mongo') return {};
  const { count: _count, min: _min, max: _max, ...own } = orion;
  return { orion: own, mongo: { writeConcern: mongo.writeConcern, readPreference: mongo.readPreference } };
}

/** Tells settings apart, whatever templates they are rendered with. */
export function hashOf(settings: Settings): string {
  return shortHash(JSON.stringify(settings));
}

/** Version of settings and the templates of this release together, 14 hex digits. */
export function rolloutVersion(role: Role, settings: Settings): string {
  return shortHash(JSON.stringify(settings), configTemplates(role));
}

/** The spec with other settings, for rendering alone; undefined where this release would not take them any more. */
export function withSettings(spec: ClusterSpec, settings: Settings): ClusterSpec | undefined {
  const parsed = parseSpec({
    ...spec,
    entry: { ...spec.entry, ...settings.entry },
    orion: { ...spec.orion, ...settings.orion },
    mongo: { ...spec.mongo, ...settings.mongo },
  });
  return parsed.ok ? parsed.value : undefined;
}

/** Which settings differ, for people: `orion.version 4.1.0 → 4.2.0`. */
export function differences(before: Settings, after: Settings): string[] {
  return (['entry', 'orion', 'mongo'] as const).flatMap((part) => {
    const [old, now] = [before[part] ?? {}, after[part] ?? {}] as Record<string, unknown>[];
    const words = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'));
    return [...new Set([...Object.keys(old ?? {}), ...Object.keys(now ?? {})])]
      .filter((key) => JSON.stringify(old?.[key]) !== JSON.stringify(now?.[key]))
      .map((key) => `${part}.${key} ${words(old?.[key])} → ${words(now?.[key])}`);
  });
}
