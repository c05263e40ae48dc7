/** What the benches of the entry share: a cluster, the slides' pair in front of the same brokers, a client of each. Commits no fault. */
import type { SlotSummary, StatusSummary } from '../../lambdas/core/memory';
import type { SpecInput } from '../../lambdas/core/spec';
import { type OperatorPorts, operatorPorts } from '../../lambdas/runtime';
import { type ReadStatus, watchUntil } from '../cluster-eye';
import { thawAll } from '../frozen';
import type { Lab } from '../lab';
import { LabError } from '../lab-error';
import { createEntities } from '../load/broker-requests';
import { type Load, type OwnDelay, startLoad } from '../load/load-process';
import { LOCAL_ENTRY } from '../local-entry';
import type { Broker } from '../recipe-pair/recipe-files';
import { type RecipePair, removeRecipePair, startRecipePair } from '../recipe-pair/recipe-pair';
import { sleep } from '../run-command';
import { readState } from '../state';
import type { BenchContext } from './bench';
import { CLUSTER, createCluster, writeSpec } from './bench-cluster';

export const RATE_PER_S = 200;
/** As a device or gateway would: longer than any good answer takes, short enough to notice. */
export const TIMEOUT_MS = 2_000;

const WHOLE_MS = 180_000;
/** The pair's own state follows a moment after the configuration: VRRP has to hear the new peer. */
const REST_MS = 2_000;
/** Both clients run a while before the first fault. */
const WARM_UP_MS = 3_000;

export interface EntryBench {
  lab: Lab;
  ports: OperatorPorts;
  read: ReadStatus;
  recipe: RecipePair;
  /** The client of our address and the one of the recipe's. */
  ours: Load;
  theirs: Load;
  /** Instances that a fault took away. */
  taken: Set<string>;
  say: (line: string) => void;
}

/** Running brokers by slot, as the recipe is told them. */
function brokersOf(status: StatusSummary): Broker[] {
  return status.slots.flatMap(({ role, slot, privateIp }) => (role === 'orion' && privateIp ? [{ slot, ip: privateIp }] : []));
}

/** The balancer that holds the address. @throws LabError while none does */
export function holderOf(status: StatusSummary): SlotSummary & { instanceId: string } {
  const holder = status.slots.find((slot) => slot.holdsAddress);
  if (!holder?.instanceId) throw new LabError(`${CLUSTER}: no balancer holds the address: ${status.sentence}`);
  return { ...holder, instanceId: holder.instanceId };
}

/**
 * Waits until both pairs are whole: the cluster by itself and without the instances that a fault took (a status of before it counts
 * for nothing), the recipe by our hand. Answers the recipe's holder too.
 */
export async function makeBothWhole(bench: EntryBench): Promise<{ status: StatusSummary; recipeHolder: string }> {
  const isWhole = ({ converged, slots }: StatusSummary): boolean =>
    converged && slots.every(({ instanceId = '' }) => !bench.taken.has(instanceId)) && slots.some((slot) => slot.holdsAddress);
  const { status } = await watchUntil(`${CLUSTER}: whole again`, bench.read, isWhole, WHOLE_MS);
  const recipeHolder = await bench.recipe.makeWhole(brokersOf(status));
  await sleep(REST_MS);
  return { status, recipeHolder };
}

/** Creates the cluster as a person would, starts the recipe's pair beside it and a client of each. */
async function open(context: BenchContext, spec: Omit<SpecInput, 'name'>): Promise<EntryBench> {
  const { lab, say } = context;
  const ports = await operatorPorts();
  context.atEnd(async () => {
    await thawAll();
    await removeRecipePair();
  });
  await createCluster(context, ['--spec', writeSpec({ name: CLUSTER, ...spec })], `--spec … --wait (${JSON.stringify(spec)})`);
  const read = async (): Promise<StatusSummary | null> => (await ports.rows.get(CLUSTER))?.status ?? null;
  const { status } = await watchUntil(`${CLUSTER}: whole`, read, (now) => now.converged, WHOLE_MS);
  const lbImage = readState().images?.lb;
  if (!lbImage) throw new LabError('the lab does not say which image its balancers have; take it down and up again: npm run lab -- down');
  const recipe = await startRecipePair(lbImage, brokersOf(status));
  await recipe.makeWhole(brokersOf(status));
  say(`the recipe's pair (${recipe.versions}) serves at ${recipe.address}`);
  await createEntities(LOCAL_ENTRY);
  const client = { ratePerS: RATE_PER_S, timeoutMs: TIMEOUT_MS };
  const ours = await startLoad({ ...LOCAL_ENTRY, ...client });
  try {
    const theirs = await startLoad({ host: recipe.address, port: LOCAL_ENTRY.port, ...client });
    return { lab, ports, read, recipe, ours, theirs, taken: new Set(), say };
  } catch (error) {
    ours.kill();
    throw error;
  }
}

/** Runs some work with all of it there and the clients warm; ends the clients whatever happens. */
export async function withEntryBench<T>(
  context: BenchContext,
  spec: Omit<SpecInput, 'name'>,
  work: (bench: EntryBench) => Promise<T>,
): Promise<{ result: T; delays: OwnDelay[]; recipeVersions: string }> {
  const bench = await open(context, spec);
  const { ours, theirs, recipe } = bench;
  try {
    context.say(`two clients send ${RATE_PER_S} requests a second each`);
    await sleep(WARM_UP_MS);
    const result = await work(bench);
    return { result, delays: await Promise.all([ours.stop(), theirs.stop()]), recipeVersions: recipe.versions };
  } finally {
    ours.kill();
    theirs.kill();
  }
}
