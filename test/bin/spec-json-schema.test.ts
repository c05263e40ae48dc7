import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { specSchemaText } from '../../bin/cli/spec-json-schema';
import { parseSpec } from '../../lambdas/core/spec';

const schema = JSON.parse(specSchemaText());

describe('docs/cluster-spec.schema.json', () => {
  it('is what `npm run schema` writes', () => {
    expect(readFileSync(join(__dirname, '../../docs/cluster-spec.schema.json'), 'utf8')).toBe(specSchemaText());
  });

  it('asks for no field that has a default', () => {
    expect(schema.required).toEqual(['name']);
  });

  it('lets through the same Mongo counts as the spec', () => {
    const accepted = [...Array(12).keys()].filter((count) => parseSpec({ name: 'city', mongo: { count } }).ok);
    expect(schema.properties.mongo.properties.count.enum).toEqual(accepted);
  });

  it('lets editors name the schema in the file', () => {
    expect(schema.properties.$schema).toEqual({ type: 'string' });
  });
});
