/** Reads a stored spec's text; says what is wrong with it and never throws. */
import { type ClusterSpec, inPlain, parseSpec } from '../core/spec';

/** A stored spec, decoded and checked; its name must be the cluster's. */
export function readSpec(cluster: string, text: string | undefined): { spec?: ClusterSpec; problems: string[] } {
  if (text === undefined) return { problems: ['spec: the stored spec is missing; the last valid one is used'] };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { problems: [`spec: expected JSON; got ${inPlain(JSON.stringify(text.slice(0, 60)))}`] };
  }
  const parsed = parseSpec(json);
  if (!parsed.ok) return { problems: parsed.problems };
  if (parsed.value.name !== cluster)
    return { problems: [`name: expected ${JSON.stringify(cluster)}; got ${JSON.stringify(parsed.value.name)}`] };
  return { spec: parsed.value, problems: [] };
}
