/** The spec's JSON Schema, made from the zod schema that checks it. Makes text; writes no file. */
import { z } from 'zod';
import { CLUSTER_NAME_RULE } from '../../lambdas/core/names';
import { specSchema } from '../../lambdas/core/spec';

/** The counts that specSchema lets through; a test holds the two together. */
const MONGO_COUNTS = [1, 3, 5, 7];

/** What the schema says beyond zod's conversion: refinements are code, and code does not become JSON Schema. */
const ADDED: Record<string, Record<string, unknown>> = {
  'properties/name': { description: CLUSTER_NAME_RULE },
  'properties/mongo/properties/count': {
    enum: MONGO_COUNTS,
    minimum: 1,
    maximum: 7,
    description: 'Voters of the replica set: an odd number, 7 at most.',
  },
  'properties/mongo/properties/writeConcern': {
    description:
      'majority: acknowledged writes survive the loss of a minority, and wait while no majority lives. 1: the primary alone; a failover may roll them back. 0: not acknowledged; any failure may lose them unseen.',
  },
  'properties/mongo/properties/readPreference': {
    description: 'Which members answer reads; all but primary may answer with old data. Needs Orion 4.0.0 or later.',
  },
  'properties/policy/properties/mongoSyncMaxS': {
    description: 'A member that does not catch up within this many seconds is replaced; no voter is touched for it.',
  },
  'properties/enablers': {
    description:
      'Further roles, from the catalogue: fiware-ha recipe roles lists them. A role that is named is there; an empty object is the usual one.',
  },
  'properties/orion/properties/count': { description: 'Brokers; from orion.min to orion.max.' },
  'properties/orion/properties/version': { description: "Orion's version; decides how it is told about MongoDB." },
  'properties/lb/properties/count': { description: 'Load balancers that share one Elastic IP.' },
};

/** JSON text, two spaces deep, with a newline last. `$schema` is allowed in a spec file, for editors; the command line takes it out. */
export function specSchemaText(): string {
  const schema = z.toJSONSchema(specSchema, {
    io: 'input',
    override: ({ jsonSchema, path }) => {
      Object.assign(jsonSchema, ADDED[path.join('/')] ?? {});
    },
  });
  const { $schema, properties, ...rest } = schema;
  const whole = {
    $schema,
    title: 'fiware-ha cluster spec',
    description: 'What a FIWARE cluster should be. Every field but the name has a default.',
    ...rest,
    properties: { $schema: { type: 'string' }, ...properties },
  };
  return `${JSON.stringify(whole, null, 2)}\n`;
}
