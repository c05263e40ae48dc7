/** Draws pictures in a process of its own and reads them back. Knows nothing of what is drawn. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Picture } from '../../lab/bench/picture';

export function drawSvg(picture: Picture): string {
  const options = { input: JSON.stringify(picture), encoding: 'utf8', env: { ...process.env, NODE_NO_WARNINGS: '1' } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', join(__dirname, 'draw-picture.ts')], options);
  if (status !== 0) throw new Error(`no picture: ${stderr}`);
  return stdout;
}

/** Tags that are not closed in their order, and ampersands that begin nothing; empty for well-formed XML of Vega's kind. */
export function malformed(xml: string): string[] {
  const problems = [...xml.matchAll(/&(?!(?:amp|lt|gt|quot|apos|#\d+);)/g)].map(({ index }) => `a bare & at ${index}`);
  const open: string[] = [];
  for (const [tag, closing, name = '', empty] of xml.matchAll(/<(\/?)([A-Za-z][\w:-]*)(?:\s+[\w:-]+="[^"<]*")*\s*(\/?)>/g)) {
    if (closing) {
      if (open.pop() !== name) problems.push(`${tag} closes nothing`);
    } else if (!empty) open.push(name);
  }
  const leftOver = xml.replace(/<\/?[A-Za-z][\w:-]*(?:\s+[\w:-]+="[^"<]*")*\s*\/?>/g, '');
  if (/[<>]/.test(leftOver)) problems.push(`a bare < or > in ${JSON.stringify(leftOver.match(/.{0,20}[<>].{0,20}/)?.[0])}`);
  return [...problems, ...open.map((name) => `<${name}> is not closed`)];
}

/** All text that a reader sees. */
export function textIn(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)/g)].map(([, text = '']) => text);
}

/** How many symbols (dots) are drawn. */
export function dotsIn(svg: string): number {
  return [...svg.matchAll(/aria-roledescription="circle"/g)].length;
}
