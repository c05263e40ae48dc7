/** One fault and its repair, measured: kills the container of a node and watches the control plane put another in its place. */
import type { SlotSummary, StatusSummary } from '../lambdas/core/memory';
import { nodeIn, type ReadStatus, watchUntil } from './cluster-eye';
import { containerOf } from './docker';
import { LabError } from './lab-error';
import type { Recovery } from './report';
import { run, sleep } from './run-command';
import type { Traffic } from './traffic';

const REPAIR_MS = 180_000;
/** Traffic goes on for a while after a repair, so that a late failure is seen. */
const SETTLE_MS = 2_000;

export interface Fault {
  /** For people: `a broker is killed`. */
  name: string;
  /** Chooses the victim in the status before the fault. */
  choose: (status: StatusSummary) => SlotSummary | undefined;
}

export const FAULTS: readonly Fault[] = [
  { name: 'a broker is killed', choose: (status) => status.slots.find((slot) => slot.role === 'orion') },
  { name: 'the balancer that holds the address is killed', choose: (status) => status.slots.find((slot) => slot.holdsAddress) },
  { name: 'the Mongo primary is killed', choose: (status) => status.slots.find((slot) => slot.member === 'primary') },
];

export interface FaultContext {
  read: ReadStatus;
  traffic: Traffic;
  /** Reason the control plane gave for launching the successor of a slot, since a time. */
  reasonFor: (slot: string, sinceMs: number) => Promise<string>;
}

/** Kills the container behind an instance at once, as a host that loses power. */
export async function killInstance(instanceId: string): Promise<void> {
  await run('docker', ['kill', await containerOf(instanceId)]);
}

/** Commits a fault and measures until the cluster is whole again. @throws LabError when it does not become whole in time. */
export async function commitFault(fault: Fault, context: FaultContext): Promise<Recovery> {
  const before = await context.read();
  const victim = before && fault.choose(before);
  if (!before?.converged || !victim?.instanceId) throw new LabError(`${fault.name}: the cluster is not whole before the fault`);
  const { slot, instanceId } = victim;
  const fromMs = Date.now();
  await killInstance(instanceId);
  const isSeen = (status: StatusSummary): boolean => {
    const now = nodeIn(status, slot);
    return now?.instanceId !== instanceId || now.health !== 'healthy';
  };
  const detected = await watchUntil(`${fault.name}: detection`, context.read, isSeen, REPAIR_MS);
  const isWhole = (status: StatusSummary): boolean =>
    status.converged && status.slots.every((summary) => summary.instanceId !== instanceId);
  const recovered = await watchUntil(`${fault.name}: repair`, context.read, isWhole, REPAIR_MS);
  await sleep(SETTLE_MS);
  return {
    fault: `${fault.name} (${slot})`,
    detectedS: (detected.atMs - fromMs) / 1000,
    recoveredS: (recovered.atMs - fromMs) / 1000,
    outage: context.traffic.outageBetween(fromMs, Date.now()),
    reason: await context.reasonFor(slot, fromMs),
  };
}
