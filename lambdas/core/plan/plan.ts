/** The plan: from a situation to jobs, each with its reason, and one sentence. Decides in a fixed order; acts on nothing. */
import { isDisruptive, type PlannedJob, REASON_MAX_CHARS } from '../jobs';
import type { Memory, Phase } from '../memory';
import type { Observation } from '../observation';
import type { ClusterSpec } from '../spec';
import { planConfiguration } from './configuration';
import { planDeletion } from './deletion';
import { planEntry } from './entry';
import { closedGate } from './gates';
import { planLaunches } from './launches';
import { planRemovals } from './removals';
import { planRepairs } from './repairs';
import { planReplicaSet } from './replica-set';
import { emptyStep, lookAt, type Planner, type Situation, type Step } from './situation';

export interface Plan {
  jobs: PlannedJob[];
  /** What was done, or why nothing was: one sentence for the journal. */
  sentence: string;
  /** What should be done and may not, each with its reason. */
  blocked: string[];
  /** What it waits for. */
  notes: string[];
}

/** First come, first served: an earlier planner's disruptive job keeps later ones from theirs. */
const PLANNERS: readonly Planner[] = [planEntry, planReplicaSet, planRepairs, planLaunches, planRemovals, planConfiguration];

/** A job with a reason that its worker takes, however long what was observed is: no repair may be lost for its words. */
function withFitReason(job: PlannedJob): PlannedJob {
  return job.reason.length > REASON_MAX_CHARS ? { ...job, reason: `${job.reason.slice(0, REASON_MAX_CHARS - 3)}...` } : job;
}

/** Keeps all harmless jobs and at most one disruptive one, none while another is under way. */
function collect(s: Situation, steps: Step[]): Step {
  const all = emptyStep();
  let disruption: string | undefined = s.disruption;
  for (const step of steps) {
    all.notes.push(...step.notes);
    all.blocked.push(...step.blocked);
    for (const job of step.jobs.map(withFitReason)) {
      if (!isDisruptive(job)) all.jobs.push(job);
      else if (disruption === undefined) {
        all.jobs.push(job);
        disruption = job.kind;
      } else all.notes.push(`${job.kind} waits for ${disruption}: one disruption at a time`);
    }
  }
  return all;
}

function say(s: Situation, step: Step): string {
  const parts = step.jobs.map((job) => `${job.kind}: ${job.reason}`);
  if (parts.length > 0) return parts.join('; ');
  if (step.blocked.length > 0) return `blocked: ${step.blocked.join('; ')}`;
  if (step.notes.length > 0) return step.notes.join('; ');
  const [job] = s.inFlight;
  return job ? `waiting for ${s.inFlight.map((j) => j.kind).join(', ')}` : 'as it should be: nothing to do';
}

/** Plans for a situation already looked at; `plan` for one that is not. */
export function planSituation(s: Situation): Plan {
  const gate = closedGate(s);
  if (gate) return { jobs: [], sentence: `blocked: ${gate}`, blocked: [gate], notes: [] };
  // A deletion is meant to take everything: the limit of one disruption holds for clusters that shall go on serving.
  const step =
    s.phase === 'deleting'
      ? planDeletion(s)
      : collect(
          s,
          PLANNERS.map((planner) => planner(s)),
        );
  return { ...step, sentence: say(s, step) };
}

/**
 * What to do next for one cluster, from values alone.
 * Same values, same plan; a plan for a cluster that is as it should be has no jobs.
 */
export function plan(spec: ClusterSpec, phase: Phase, observation: Observation, memory: Memory, nowMs: number): Plan {
  return planSituation(lookAt(spec, phase, observation, memory, nowMs));
}
