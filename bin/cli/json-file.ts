/** Reads JSON objects from files named on the command line. Says what is wrong with a file; judges no content. */
import { mistake } from './command-error';
import type { CliContext } from './context';

/** A file's JSON object, without the `$schema` that is for editors alone. @throws CommandError */
export function readJsonFile(context: Pick<CliContext, 'readText'>, option: string, file: string): Record<string, unknown> {
  let text: string;
  try {
    text = context.readText(file);
  } catch (error) {
    throw mistake(`${option}: ${JSON.stringify(file)} can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw mistake(`${option}: expected JSON in ${JSON.stringify(file)}; ${error instanceof Error ? error.message : String(error)}`);
  }
  if (json === null || typeof json !== 'object' || Array.isArray(json))
    throw mistake(`${option}: expected a JSON object in ${JSON.stringify(file)}; got ${JSON.stringify(json).slice(0, 60)}`);
  const { $schema: _, ...content } = json as Record<string, unknown>;
  return content;
}

/** A spec file of the cluster of that name. @throws CommandError */
export function readSpecFile(context: CliContext, file: string, name: string): Record<string, unknown> {
  const spec = readJsonFile(context, '--spec', file);
  if (spec.name !== undefined && spec.name !== name)
    throw mistake(`name: expected ${JSON.stringify(name)} as on the command line; got ${JSON.stringify(spec.name)} in ${file}`);
  return spec;
}
