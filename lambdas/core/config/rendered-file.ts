/** A rendered file. A type only. */

/** A file as it will stand on a node; names come from a fixed list, never from input. */
export interface RenderedFile {
  name: string;
  content: string;
}
