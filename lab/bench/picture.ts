/** Pictures of figures: draws Vega-Lite specifications as SVG and writes them. Draws what it is given; measures and leaves out nothing. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';

export interface Picture {
  /** Name of the file, without `.svg`. */
  name: string;
  /** Vega-Lite, its data inside. */
  spec: TopLevelSpec;
}

/** The picture as a document of its own. @throws what Vega says of a specification that is wrong */
export async function renderSvg({ spec }: Picture): Promise<string> {
  // Both are ES modules, which a CommonJS module loads at run time alone.
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), { renderer: 'none' });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}

/** Writes each as `FOLDER/NAME.svg`; answers the files. */
export async function writePictures(folder: string, pictures: readonly Picture[]): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const files: string[] = [];
  for (const picture of pictures) {
    const file = join(folder, `${picture.name}.svg`);
    writeFileSync(file, await renderSvg(picture));
    files.push(file);
  }
  return files;
}
