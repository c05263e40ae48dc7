/** Renders a node's configuration files from its values. Text in, text out; sending and checking them is done elsewhere. */
import type { NodeConfig } from '../jobs';

/** A file as it will stand below the role's folder on a node; names come from a fixed list, never from input. */
export interface RenderedFile {
  name: string;
  content: string;
}

/** The files of a configuration; `version` is written into them so that a probe can read it back. */
export function renderConfig(_config: NodeConfig, _version: string): RenderedFile[] {
  throw new Error('not yet');
}
