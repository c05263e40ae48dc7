/** A chapter of the lab's story: the cluster takes up active/active, loses a balancer, and gives it up again. Measures; repairs nothing itself. */
import type { StatusSummary } from '../lambdas/core/memory';
import type { OperatorPorts } from '../lambdas/runtime';
import { type ReadStatus, watchUntil } from './cluster-eye';
import { killInstance } from './fault';
import { LabError } from './lab-error';
import { LOCAL_ENTRY, SECOND_LOCAL_ENTRY } from './local-entry';
import { sleep } from './run-command';
import { ask } from './traffic';

const CHANGE_MS = 60_000;
const REPAIR_MS = 120_000;
const ANSWER_WITHIN_MS = 500;
const ASK_EVERY_MS = 50;
/** policy.slotCooldownS while the chapter lasts, so that the address returns soon, seconds. */
const REST_S = 3;

type Mode = 'active-passive' | 'active-active';

/** Sets the cluster's mode in its stored spec, as a person would who edits the parameter. */
export async function setMode({ specs }: Pick<OperatorPorts, 'specs'>, cluster: string, mode: Mode): Promise<void> {
  const stored = await specs.get(cluster);
  if (!stored) throw new LabError(`${cluster} has no spec`);
  const spec = JSON.parse(stored.text) as { entry?: object; policy?: object };
  const next = { ...spec, entry: { ...spec.entry, mode }, policy: { ...spec.policy, slotCooldownS: REST_S } };
  await specs.replace(cluster, JSON.stringify(next), stored.version);
}

/** Waits until the cluster is as it should be with so many addresses; answers its status. */
export async function untilAddresses(read: ReadStatus, count: number): Promise<StatusSummary> {
  const isSo = (status: StatusSummary): boolean => status.converged && status.addresses.filter(({ holder }) => holder).length === count;
  return (await watchUntil(`${count} addresses held`, read, isSo, CHANGE_MS)).status;
}

/** Whether both local ports lead to a broker now. */
export async function bothAnswer(): Promise<boolean> {
  const answers = [LOCAL_ENTRY, SECOND_LOCAL_ENTRY].map(async (entry) => {
    try {
      return (await ask({ ...entry, timeoutMs: ANSWER_WITHIN_MS }, 'GET', '/version')).status === 200;
    } catch {
      return false;
    }
  });
  return (await Promise.all(answers)).every(Boolean);
}

export interface PairLoss {
  /** Until both addresses answered again, s. */
  servedS: number;
  /** Until each balancer held one again, s. */
  wholeS: number;
  /** The status then. */
  status: StatusSummary;
}

/** Kills the balancer that holds entry2 and waits until both addresses answer, and until all is as it was. */
export async function loseBalancer(read: ReadStatus): Promise<PairLoss> {
  const before = await read();
  const victim = before?.addresses.find(({ name }) => name === 'entry2')?.holder;
  if (!victim) throw new LabError('nobody holds entry2');
  const fromMs = Date.now();
  await killInstance(victim);
  // The forwarder lets go of a dead holder as soon as the address moves.
  await sleep(ANSWER_WITHIN_MS);
  while (!(await bothAnswer())) {
    if (Date.now() - fromMs > REPAIR_MS) throw new LabError(`both addresses did not answer within ${REPAIR_MS / 1000} s`);
    await sleep(ASK_EVERY_MS);
  }
  const servedS = (Date.now() - fromMs) / 1000;
  const isWhole = (status: StatusSummary): boolean => status.converged && status.slots.every(({ instanceId }) => instanceId !== victim);
  const { status, atMs } = await watchUntil('the pair is whole again', read, isWhole, REPAIR_MS);
  return { servedS, wholeS: (atMs - fromMs) / 1000, status };
}
