/** Writes docs/cluster-spec.schema.json, the spec's JSON Schema for editors. Generated from the zod schema, never edited by hand. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { specSchemaText } from './cli/spec-json-schema';

const file = join(__dirname, '..', 'docs', 'cluster-spec.schema.json');
writeFileSync(file, specSchemaText());
console.log(`wrote ${file}`);
