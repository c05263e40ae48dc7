/** A command line over ports that hold plain values: runs commands, lets the real request worker run while they wait. */
import { runProgram } from '../../bin/cli/program';
import { runProvision } from '../../lambdas/app/dispatch';
import { decodeMessage } from '../../lambdas/core/jobs';
import type { ClusterRow, StatusSummary } from '../../lambdas/core/memory';
import { EMPTY_MEMORY } from '../../lambdas/core/memory';
import type { SpecInput } from '../../lambdas/core/spec';
import { aSpec, NOW_MS } from '../builders';
import { aMemoryWorld, contextOver, type MemoryWorld } from '../memory-ports';

export interface CommandLine {
  world: MemoryWorld;
  /** Every line printed so far, of all commands. */
  printed: string[];
  /** Bodies on the provision queue, in order. */
  sent(): Record<string, unknown>[];
  run(...argv: string[]): Promise<Ended>;
}

export interface Ended {
  exitCode: number;
  out: string[];
  err: string[];
}

export interface Surroundings {
  world?: MemoryWorld;
  files?: Record<string, string>;
  /** What happens in the world at each pause, after the worker has run; an error ends the command. */
  atPause?: (world: MemoryWorld, pause: number) => void;
}

export function aCommandLine({ world = aMemoryWorld(), files = {}, atPause }: Surroundings = {}): CommandLine {
  const { ports, settings } = contextOver(world);
  const provision = () => world.sent.filter(({ queue }) => queue === 'provision');
  let taken = 0;
  let pauses = 0;
  const printed: string[] = [];
  const work = async () => {
    for (const { body } of provision().slice(taken)) {
      taken++;
      const decoded = decodeMessage('provision', JSON.stringify(body));
      if (decoded.ok) await runProvision({ ports, settings }, decoded.value, `m-${taken}`);
    }
  };
  const run = async (...argv: string[]): Promise<Ended> => {
    const out: string[] = [];
    const err: string[] = [];
    const exitCode = await runProgram(argv, {
      out: (line) => {
        out.push(line);
        printed.push(line);
      },
      err: (line) => void err.push(line),
      connect: async () => ports,
      sleep: async (ms) => {
        world.nowMs += ms;
        await work();
        atPause?.(world, ++pauses);
      },
      readText: (file) => {
        const text = files[file];
        if (text === undefined) throw new Error('no such file');
        return text;
      },
      textAt: (path) => files[path],
      writeText: (path, text) => {
        files[path] = text;
      },
      newJobKey: () => `cli-${provision().length + 1}`,
    });
    return { exitCode, out, err };
  };
  return { world, printed, sent: () => provision().map(({ body }) => body), run };
}

export function aStatus(change: Partial<StatusSummary> = {}): StatusSummary {
  return {
    atMs: NOW_MS,
    converged: true,
    sentence: 'as it should be: nothing to do',
    blocked: [],
    slots: [],
    addresses: [],
    inFlight: [],
    ...change,
  };
}

export function aRow(spec: Partial<SpecInput> = {}, change: Partial<ClusterRow> = {}): ClusterRow {
  return { cluster: 'city', version: 1, phase: 'active', spec: aSpec(spec), memory: { ...EMPTY_MEMORY }, status: aStatus(), ...change };
}

/** A world in which `city` stands: its spec stored, its row as given. */
export function aCityWorld(row: ClusterRow = aRow()): MemoryWorld {
  return aMemoryWorld({
    rows: new Map([['city', row]]),
    specs: new Map([['city', { text: JSON.stringify(row.spec), version: 1 }]]),
  });
}

/** Does to the world what a check does: the row takes the stored spec and says whether it is met. */
export function check(world: MemoryWorld, change: Partial<StatusSummary> = {}): void {
  const row = world.rows.get('city');
  const stored = world.specs.get('city');
  if (!row || !stored) return;
  world.rows.set('city', {
    ...row,
    version: row.version + 1,
    spec: JSON.parse(stored.text),
    status: aStatus({ atMs: world.nowMs, ...change }),
  });
}
