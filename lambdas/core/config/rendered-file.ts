/** A rendered file, and the form of those that hold an environment. Writes nothing. */

/** A file as it will stand on a node; names come from a fixed list, never from input. */
export interface RenderedFile {
  name: string;
  content: string;
}

/** An environment as text: one KEY=VALUE a line. */
export function environmentFile(environment: Record<string, string>): string {
  return `${Object.entries(environment)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')}\n`;
}
