/** Runs the benches: `npm run bench [-- NAME…] [--json]`. Prints whether each goal is met; a missed goal is never a failure of the run. */
import { cpus } from 'node:os';
import { bundles } from './bundles';
import { type Bench, type Figure, isMet } from './figure';
import { plans } from './plans';
import { sim } from './sim';
import { stuck } from './stuck';
import { synth } from './synth';

const BENCHES: Bench[] = [plans, sim, bundles, synth, stuck];

function goalText({ goal, unit }: Figure): string {
  if (!goal) return '';
  return 'atLeast' in goal ? `>= ${goal.atLeast} ${unit}` : `<= ${goal.atMost} ${unit}`;
}

function metText(figure: Figure): string {
  const met = isMet(figure);
  return met === undefined ? '' : met ? 'met' : 'not met';
}

function printTable(figures: Figure[]): void {
  const rows = figures.map((figure) => [
    figure.what,
    `${figure.value} ${figure.unit}`,
    goalText(figure),
    metText(figure),
    figure.note ?? '',
  ]);
  const all = [['WHAT', 'MEASURED', 'GOAL', '', 'NOTE'], ...rows];
  for (const row of all)
    console.log(
      row
        .map((cell, i) => cell.padEnd(Math.max(...all.map((other) => other[i]?.length ?? 0))))
        .join('  ')
        .trimEnd(),
    );
}

function chosen(names: string[]): Bench[] | undefined {
  const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown.length === 0) return names.length === 0 ? BENCHES : BENCHES.filter(({ name }) => names.includes(name));
  console.error(`error: NAME: expected one of ${BENCHES.map(({ name }) => name).join(', ')}; got ${unknown.join(', ')}`);
  return undefined;
}

async function main(argv: string[]): Promise<number> {
  const asJson = argv.includes('--json');
  const benches = chosen(argv.filter((word) => word !== '--json'));
  if (!benches) return 2;
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length };
  const results: Record<string, (Figure & { met?: boolean })[]> = {};
  for (const bench of benches) {
    if (!asJson) console.log(`\n${bench.name}: ${bench.about}`);
    const figures = await bench.run();
    results[bench.name] = figures.map((figure) => ({ ...figure, met: isMet(figure) }));
    if (!asJson) printTable(figures);
  }
  if (!asJson) console.log(`\n${machine.cores} cores (${machine.cpu}), node ${machine.node}`);
  console.log(JSON.stringify({ machine, results }));
  return 0;
}

void main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
