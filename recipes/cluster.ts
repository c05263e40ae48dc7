/** A spec as the recipes see it: its roles, their settings and what the balancers offer. Computes; renders nothing. */

import { enablersOf } from '../lambdas/core/catalogue/enablers-spec';
import { orion } from '../lambdas/core/catalogue/orion';
import { type Offer, offersOf as offersOfRole } from '../lambdas/core/catalogue/pools';
import type { RoleEntry, RoleOptions, SettingsFile, Surroundings } from '../lambdas/core/catalogue/role-entry';
import { PORT, type ServiceRole, slotNames } from '../lambdas/core/names';
import type { ClusterSpec } from '../lambdas/core/spec';

/** One role of a cluster, with what the spec says of it. */
export interface Part {
  entry: RoleEntry<ServiceRole>;
  count: number;
  version: string;
  /** Where the balancers offer it. */
  ports: { north: number; south?: number };
  options: RoleOptions;
}

/** How the processes of a cluster find each other at the place the recipe is for. */
export interface Site {
  /** Name or address of a slot's machine or container. */
  hostOf(slot: string): string;
  /** Where the members of the cluster reach its balancers. */
  entryHost: string;
  /** The address the balancers listen at; empty: all of theirs. */
  bindAddress: string;
}

/** The stateless roles of a spec, the brokers first. */
export function partsOf(spec: ClusterSpec): Part[] {
  const brokers: Part = { entry: orion, count: spec.orion.count, version: spec.orion.version, ports: { north: PORT.orion }, options: {} };
  return [
    brokers,
    ...enablersOf(spec.enablers).map(({ entry, spec: { count, version, ports, options } }) => ({ entry, count, version, ports, options })),
  ];
}

export function balancersOf({ lb }: ClusterSpec): string[] {
  return slotNames('lb', lb.count);
}

export function membersOf({ mongo }: ClusterSpec): string[] {
  return slotNames('mongo', mongo.count);
}

/** The slots of a part, in order. */
export function slotsOfPart({ entry, count }: Part): string[] {
  return slotNames(entry.name, count);
}

/** Members of the replica set as host:port. */
export function seedsOf(spec: ClusterSpec, { hostOf }: Pick<Site, 'hostOf'>): string[] {
  return membersOf(spec).map((slot) => `${hostOf(slot)}:${PORT.mongo}`);
}

/** Every port that the balancers offer. */
export function offersOf(spec: ClusterSpec, site: Site): Offer[] {
  return partsOf(spec).flatMap((part) =>
    offersOfRole(
      part.entry,
      part.ports,
      slotsOfPart(part).map((slot) => ({ slot, host: site.hostOf(slot) })),
      site.bindAddress,
    ),
  );
}

function surroundingsOf(spec: ClusterSpec, part: Part, index: number, site: Site): Surroundings {
  const { replicaSet, writeConcern, readPreference } = spec.mongo;
  return {
    index,
    seeds: seedsOf(spec, site),
    replicaSet,
    writeConcern,
    readPreference,
    broker: { host: site.entryHost, port: PORT.orion },
    offered: { host: site.entryHost, port: part.ports.north },
    options: part.options,
  };
}

/** What the process in the place `index` (from 1) of a role is told. */
export function settingsOf(
  spec: ClusterSpec,
  part: Part,
  index: number,
  site: Site,
): { environment: Record<string, string>; files: SettingsFile[]; around: Surroundings } {
  const around = surroundingsOf(spec, part, index, site);
  const file = part.entry.file(part.version, around);
  return { environment: part.entry.environment(part.version, around), files: file ? [file] : [], around };
}
