/** The part of a spec for the roles of the catalogue: its schema, and what speaks against a valid one. Checks and says; fills in defaults. */
import * as z from 'zod';
import { PORT } from '../names';
import { ENABLERS } from './enablers';
import type { RoleEntry, RoleOptions } from './role-entry';
import { conflictWithMongo, isKnown, knownVersions, type MongoSeries } from './versions';

const port = z.int().min(1024).max(65535);
const hostName = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/, 'expected a host name or an address');

const OPTIONS = {
  mqtt: z
    .strictObject({
      host: hostName,
      port: z.int().min(1).max(65535).default(1883),
      /** Whether that broker knows shared subscriptions (MQTT 5); without them only the first agent listens. */
      shared: z.boolean().default(true),
    })
    .optional(),
  channel: z.enum(['memory', 'file']).default('memory'),
};

interface OptionsInput {
  mqtt?: { host: string; port?: number; shared?: boolean };
  channel?: 'memory' | 'file';
}

/** The schema of those options that a role has; whoever has none is told so. */
function optionsOf({ options }: RoleEntry): z.ZodType<RoleOptions, OptionsInput> {
  return z.strictObject(Object.fromEntries(options.map((name) => [name, OPTIONS[name]])));
}

function portsOf({ ports }: RoleEntry): z.ZodType<{ north: number; south?: number }, { north?: number; south?: number }> {
  const { north, south } = ports;
  const offered = { north: port.default(north) };
  return south === undefined ? z.strictObject(offered) : z.strictObject({ ...offered, south: port.default(south) });
}

function enablerSpec(entry: RoleEntry) {
  const { count, sizing, usualVersion } = entry;
  const expected = `expected ${count.min} to ${count.max}: ${count.why}`;
  return z
    .strictObject({
      count: z.int().min(count.min, expected).max(count.max, expected).default(count.usual),
      version: z
        .string()
        .refine((version) => isKnown(entry, version), `expected a version whose settings are known: ${knownVersions(entry)}`)
        .default(usualVersion),
      instanceType: z
        .string()
        .regex(/^[a-z][a-z0-9-]{0,15}\.[a-z0-9-]{1,16}$/, 'expected an EC2 instance type such as t3.small')
        .default(sizing.instanceType),
      /** Where the balancers offer it; the processes themselves keep their own ports. */
      ports: portsOf(entry).prefault({}),
      options: optionsOf(entry).prefault({}),
    })
    .optional();
}

const KNOWN = ENABLERS.map(({ name }) => name);

/** `enablers` of a spec: a role that is named is there, an empty object is the usual one of it. */
export const enablersSpec = z.strictObject(
  Object.fromEntries(ENABLERS.map((entry) => [entry.name, enablerSpec(entry)])) as Record<
    (typeof ENABLERS)[number]['name'],
    ReturnType<typeof enablerSpec>
  >,
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `expected roles of the catalogue (${KNOWN.join(', ')}); ${issue.keys.map((key) => JSON.stringify(key)).join(', ')} is none`
        : undefined,
  },
);

type EnablersSpec = z.output<typeof enablersSpec>;
type EnablerSpec = NonNullable<EnablersSpec[keyof EnablersSpec]>;

/** The part of a spec that the roles depend on. */
interface Around {
  enablers: EnablersSpec;
  mongo: { count: number };
  orion: { version: string };
}

interface Problem {
  path: string[];
  message: string;
  input: unknown;
}

/** The roles a spec names, with what it says of them, in the catalogue's order. */
export function enablersOf(enablers: EnablersSpec): { entry: RoleEntry; spec: EnablerSpec }[] {
  const all: readonly RoleEntry[] = ENABLERS;
  return all.flatMap((entry) => {
    const spec = enablers[entry.name as keyof EnablersSpec];
    return spec ? [{ entry, spec }] : [];
  });
}

function portProblems(enablers: EnablersSpec): Problem[] {
  const taken = new Map<number, string>([
    [PORT.orion, 'orion (north)'],
    [PORT.admin, 'the balancers themselves (admin)'],
  ]);
  return enablersOf(enablers).flatMap(({ entry, spec }) =>
    entry.frontends.flatMap((name) => {
      const wanted = spec.ports[name];
      if (wanted === undefined) return [];
      const holder = taken.get(wanted);
      taken.set(wanted, holder ?? `${entry.name} (${name})`);
      if (holder === undefined) return [];
      const path = ['enablers', entry.name, 'ports', name];
      return [
        {
          path,
          message: `expected a port of its own: ${holder} is offered at ${wanted} already; set ${path.join('.')} to a free one`,
          input: wanted,
        },
      ];
    }),
  );
}

/** What speaks against valid enablers in this spec: needs that are missing, ports that collide. */
export function problemsOfEnablers({ enablers, mongo }: Pick<Around, 'enablers' | 'mongo'>): Problem[] {
  const needs = enablersOf(enablers).flatMap(({ entry }) =>
    entry.needs.replicaSet && mongo.count < 3
      ? [
          {
            path: ['enablers', entry.name],
            message: `expected a replica set for it: mongo.count is ${mongo.count}, and ${entry.title} would be as mortal as that one member; set mongo.count to 3, or leave ${entry.name} out`,
            input: enablers[entry.name as keyof EnablersSpec],
          },
        ]
      : [],
  );
  return [...needs, ...portProblems(enablers)];
}

/** Versions of a spec that are known not to work with what the members run. */
export function problemsOfVersions({ enablers, orion }: Pick<Around, 'enablers' | 'orion'>, mongoSeries: MongoSeries): string[] {
  const of = (field: string, role: string, version: string) => {
    const conflict = conflictWithMongo(role, version, mongoSeries);
    return conflict ? [`${field}: ${conflict}`] : [];
  };
  return [
    ...of('orion.version', 'orion', orion.version),
    ...enablersOf(enablers).flatMap(({ entry, spec }) => of(`enablers.${entry.name}.version`, entry.name, spec.version)),
  ];
}

/** Why the control plane can't run a valid spec: it has no planner for these roles yet. */
export function problemsOfRunning({ enablers }: Pick<Around, 'enablers'>): string[] {
  return enablersOf(enablers).map(
    ({ entry }) =>
      `enablers.${entry.name}: expected nothing here for now: the control plane runs balancers, brokers and MongoDB only; leave it out, or render the cluster with it: fiware-ha recipe compose|swarm|baremetal NAME --spec FILE`,
  );
}
