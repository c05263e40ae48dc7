/** The cluster a bench works on: made as a person would, cleared away at the end; and how acts upon it end. Measures nothing. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SpecInput } from '../../lambdas/core/spec';
import { operatorPorts } from '../../lambdas/runtime';
import { thawAll } from '../frozen';
import type { Lab } from '../lab';
import { LabError } from '../lab-error';
import { LAB_PATH } from '../paths';
import { runCli } from '../project-cli';
import type { BenchContext } from './bench';

export const CLUSTER = 'bench';
const CREATE_S = 240;
const DELETE_S = 120;

async function clearAway(lab: Lab, say: (line: string) => void): Promise<void> {
  await thawAll();
  if (!(await (await operatorPorts()).rows.get(CLUSTER))) return;
  say(`fiware-ha delete ${CLUSTER} --confirm ${CLUSTER} --wait`);
  await runCli(lab.endpoint, ['delete', CLUSTER, '--confirm', CLUSTER, '--wait', '--timeout', String(DELETE_S)], () => undefined);
}

/**
 * Creates the cluster with these options of `create`; `shown`: what is said of it. It is removed at the end.
 * @throws LabError where it exists already
 */
export async function createCluster({ lab, say, atEnd }: BenchContext, options: readonly string[], shown: string): Promise<void> {
  if (await (await operatorPorts()).rows.get(CLUSTER))
    throw new LabError(`${CLUSTER}: exists already; delete it first: fiware-ha delete ${CLUSTER} --confirm ${CLUSTER} --wait`);
  atEnd(() => clearAway(lab, say));
  say(`fiware-ha create ${CLUSTER} ${shown}`);
  await runCli(lab.endpoint, ['create', CLUSTER, ...options, '--wait', '--timeout', String(CREATE_S)], () => undefined);
}

/** Writes a spec for `create --spec`; answers the file. */
export function writeSpec(spec: SpecInput): string {
  mkdirSync(LAB_PATH.tmp, { recursive: true });
  const file = join(LAB_PATH.tmp, 'bench-spec.json');
  writeFileSync(file, JSON.stringify(spec));
  return file;
}

/** One act after the other. One that the cluster does not get over ends them, and why is kept; what was measured until then stays. */
export async function untilStopped<T extends { stoppedBy?: string }>(
  done: T,
  say: (line: string) => void,
  act: (done: T) => Promise<void>,
): Promise<T> {
  try {
    await act(done);
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    say(error.message);
    done.stoppedBy = error.message;
  }
  return done;
}
