/** The observation a plan is made from: facts joined with health and memory. Types only. */
import type { AddressFact, InstanceFact, NodeProbe } from './facts';
import type { PlannedJob } from './jobs';
import type { NodeHealth } from './memory';

/** How a job in flight ended, or that it is still under way. */
export type JobOutcome =
  | { is: 'unclaimed' }
  | { is: 'running' }
  | { is: 'done'; output?: JobOutput }
  /** `waiting`: the node is not ready yet; no failure. */
  | { is: 'stale' | 'refused' | 'failed' | 'waiting'; reason: string; zoneFull?: string };

/** What finished jobs report back. */
export interface JobOutput {
  instanceId?: string;
  allocationId?: string;
  configVersion?: string;
  /** One above the highest `_id` of the replica set. */
  nextMemberId?: number;
}

export interface JobFact {
  job: PlannedJob;
  outcome: JobOutcome;
  atMs: number;
}

/** An instance that is there (pending or running), with everything known of it. */
export interface Node {
  fact: InstanceFact;
  health: NodeHealth;
  probe?: NodeProbe;
  /** Configuration version it reported last. */
  configVersion?: string;
  /** The file that somebody edited since that was applied. */
  drifted?: string;
}

export interface Observation {
  cluster: string;
  /** When EC2 was read, ms; the plan refuses to act on old facts. */
  atMs: number;
  /** EC2 could be read. While false `nodes` is what is remembered and nothing may be done. */
  cloudKnown: boolean;
  /** Zones in which nodes may be launched, in a fixed order. */
  zones: string[];
  /** Where balancers send their claims; absent where the deployment takes none. */
  claimQueueUrl?: string;
  /** Living nodes (pending, running, stopping, stopped), terminated ones left out. */
  nodes: Node[];
  addresses: AddressFact[];
}
