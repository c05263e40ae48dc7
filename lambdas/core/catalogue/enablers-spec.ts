/** The part of a spec for the roles of the catalogue: its schema, and what speaks against a valid one. Checks and says; fills in defaults. */
import * as z from 'zod';
import { type EnablerRole, PORT } from '../names';
import { ENABLERS } from './enablers';
import type { RoleEntry, RoleOptions } from './role-entry';
import { isKnown, knownVersions } from './versions';

const port = z.int().min(1024).max(65535);
const hostName = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/, 'expected a host name or an address');

const channel = z.enum(['memory', 'file']);
const OPTIONS = {
  mqtt: z
    .strictObject({
      host: hostName,
      port: z.int().min(1).max(65535).default(1883),
      /** Whether that broker knows shared subscriptions (MQTT 5); without them only the first agent listens. */
      shared: z.boolean().default(true),
    })
    .optional(),
  channel: channel.default('memory'),
};

/** The options of any role, as they stand in a spec that was checked. */
export const roleOptions = z.strictObject({ ...OPTIONS, channel: channel.optional() });

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
  Object.fromEntries(ENABLERS.map((entry) => [entry.name, enablerSpec(entry)])) as Record<EnablerRole, ReturnType<typeof enablerSpec>>,
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `expected roles of the catalogue (${KNOWN.join(', ')}); ${issue.keys.map((key) => JSON.stringify(key)).join(', ')} is none`
        : undefined,
  },
);

export type EnablersSpec = z.output<typeof enablersSpec>;
/** What a spec says of one role of the catalogue. */
export type EnablerSpec = NonNullable<EnablersSpec[EnablerRole]>;

/** The part of a spec that the roles depend on. */
interface Around {
  enablers: EnablersSpec;
  mongo: { count: number };
}

interface Problem {
  path: string[];
  message: string;
  input: unknown;
}

/** The roles a spec names, with what it says of them, in the catalogue's order. */
export function enablersOf(enablers: EnablersSpec): { entry: RoleEntry<EnablerRole>; spec: EnablerSpec }[] {
  const all: readonly RoleEntry<EnablerRole>[] = ENABLERS;
  return all.flatMap((entry) => {
    const spec = enablers[entry.name];
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
export function problemsOfEnablers({ enablers, mongo }: Around): Problem[] {
  const needs = enablersOf(enablers).flatMap(({ entry }) =>
    entry.needs.replicaSet && mongo.count < 3
      ? [
          {
            path: ['enablers', entry.name],
            message: `expected a replica set for it: mongo.count is ${mongo.count}, and ${entry.title} would be as mortal as that one member; set mongo.count to 3, or leave ${entry.name} out`,
            input: enablers[entry.name],
          },
        ]
      : [],
  );
  return [...needs, ...portProblems(enablers)];
}
