/** The situation a planner looks at: spec, observation and memory, sorted once. Also makes job keys; holds no rule of its own. */
import { type Breaker, judgeBreaker } from '../breaker';
import { isDisruptive, type JobKind, type PlannedJob } from '../jobs';
import type { Memory, Phase } from '../memory';
import { addressNames } from '../names';
import type { Observation } from '../observation';
import { type Slots, sortIntoSlots } from '../slots';
import type { ClusterSpec } from '../spec';
import { chooseDrain, type Drain, followDrain, poolsOf } from './drain';
import { type MongoView, viewReplicaSet } from './mongo-view';
import { isDue } from './rollout-barrier';
import { isInStep, specsToRender, type WantedConfigs, withBalancers, workOutConfigs } from './wanted-config';

export interface Situation {
  spec: ClusterSpec;
  phase: Phase;
  observation: Observation;
  memory: Memory;
  nowMs: number;
  slots: Slots;
  mongo: MongoView;
  configs: WantedConfigs;
  /** The service node that is out of the balancers, or on its way out, so that it may stop. */
  drain?: Drain;
  breaker: Breaker;
  inFlight: PlannedJob[];
  /** Bases (`launch/ctx2`) of the jobs in flight. */
  busy: ReadonlySet<string>;
  /** Kind of the disruptive job under way, if any. */
  disruption?: JobKind;
}

/** What one planner says: jobs to do, what it waits for, and what it would do but may not. */
export interface Step {
  jobs: PlannedJob[];
  notes: string[];
  blocked: string[];
}

/** A planner looks at one concern; it may return nothing. */
export type Planner = (situation: Situation) => Step;

export function emptyStep(): Step {
  return { jobs: [], notes: [], blocked: [] };
}

const BACKOFF_BASE_MS = 4_000;
const BACKOFF_MAX_MS = 300_000;

/** Rest after the n-th failure in a row: 4 s, 8 s, … 300 s at most. */
export function backoffMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(BACKOFF_BASE_MS * 2 ** (failures - 1), BACKOFF_MAX_MS);
}

/** The part of a job key that names the thing: `city@k3x/launch/ctx2#0` has the base `launch/ctx2`. */
export function baseOf(jobKey: string): string {
  return jobKey.slice(jobKey.indexOf('/') + 1, jobKey.lastIndexOf('#'));
}

/** The public address by which the cluster's own services reach its balancers: the first of them, whoever holds it. */
function addressOf({ addresses }: Observation): string | undefined {
  const [first] = addressNames(1);
  return addresses.find(({ name }) => name === first)?.publicIp;
}

/** Sorts everything once, for all planners. */
export function lookAt(spec: ClusterSpec, phase: Phase, observation: Observation, memory: Memory, nowMs: number): Situation {
  const slots = sortIntoSlots(spec, observation);
  const mongo = viewReplicaSet(spec, observation.nodes, memory);
  const inFlight = Object.values(memory.inFlight).map((entry) => entry.job);
  const disruption = inFlight.find(isDisruptive)?.kind;
  const busy = new Set(inFlight.map((job) => baseOf(job.jobKey)));
  const specs = specsToRender(spec, memory);
  const members = workOutConfigs(specs, mongo, memory, addressOf(observation));
  const draining = chooseDrain({
    spec,
    slots,
    memory,
    isDue: (node) => isDue({ spec, slots, memory, configs: members, busy }, node),
    isBusy: (base) => busy.has(base),
    mayTry: (base) => mayTry({ busy, memory, nowMs }, base),
    nowMs,
  });
  const configs = withBalancers(members, specs, slots, poolsOf(slots, draining), observation.claimQueueUrl);
  const drained = observation.nodes.find(({ fact }) => fact.instanceId === draining?.instanceId);
  const drain = followDrain(draining, slots, drained, inFlight, (balancer) => isInStep(configs, balancer), nowMs);
  return {
    spec,
    phase,
    observation,
    memory,
    nowMs,
    slots,
    mongo,
    configs,
    ...(drain ? { drain } : {}),
    breaker: judgeBreaker(observation.nodes, spec.policy),
    inFlight,
    busy,
    ...(disruption ? { disruption } : {}),
  };
}

/** Key of the next try of a thing; unique over the life of the cluster. */
export function jobKeyFor(s: Situation, base: string): string {
  const count = s.memory.attempts[base]?.count ?? 0;
  return `${s.spec.name}@${s.memory.bornAtMs.toString(36)}/${base}#${count}`;
}

/** Whether a thing may be tried now: not under way already, and its rest after failures is over. */
export function mayTry(s: Pick<Situation, 'busy' | 'memory' | 'nowMs'>, base: string): boolean {
  if (s.busy.has(base)) return false;
  const attempts = s.memory.attempts[base];
  return !attempts || s.nowMs >= attempts.lastAtMs + backoffMs(attempts.failures);
}

/** The fields every planned job has, for `{ kind, ...common(s, base, reason), … }`. */
export function common(s: Situation, base: string, reason: string): { cluster: string; jobKey: string; reason: string } {
  return { cluster: s.spec.name, jobKey: jobKeyFor(s, base), reason };
}
