/** Draws the picture that it reads from standard input: Vega's modules are loaded by node itself, which jest's own loader can not do. */
import { readFileSync } from 'node:fs';
import { type Picture, renderSvg } from '../../lab/bench/picture';

renderSvg(JSON.parse(readFileSync(0, 'utf8')) as Picture).then(
  (svg) => process.stdout.write(svg),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
