/** Memory: what a cluster's row carries from one tick to the next. Types and its empty value; nothing here decides. */
import type { InstanceFact } from './facts';
import type { JobKind, PlannedJob } from './jobs';
import type { Role } from './names';
import type { Settings } from './rollout-settings';
import type { ClusterSpec } from './spec';

/** healthy: answers. suspect: some bad probes. dead: bad for long, or EC2 says it is gone. unknown: could not look, or never yet seen healthy. */
export type Health = 'healthy' | 'suspect' | 'dead' | 'unknown';
/** Why a node is not well. `database` is never the broker's fault; `boot` means it never came up within its grace. */
export type Sickness = 'process' | 'database' | 'overload' | 'boot' | 'gone';

export interface NodeHealth {
  health: Health;
  sickness?: Sickness;
  /** Since when `health` has this value, ms. */
  sinceMs: number;
  /** Probes of the same kind in a row. */
  good: number;
  bad: number;
  /** First bad probe of the current row of them, ms. */
  badSinceMs?: number;
  everHealthy: boolean;
  /** Since when it answers and says that it has no database, ms. */
  lacksDatabaseSinceMs?: number;
  /** Last probe's words when it was bad. */
  detail?: string;
}

export interface InFlight {
  job: PlannedJob;
  plannedAtMs: number;
}

/** How often one thing was tried; its count is part of the next job key, so that a finished key is never used again. */
export interface Attempts {
  count: number;
  /** Failures in a row; 0 after a success. */
  failures: number;
  /** The last try found the node not ready yet: tried again after a fixed rest, and not worth a journal entry each time. */
  waiting?: true;
  lastAtMs: number;
}

/** A running node that was given another configuration and has not been well for a while since. */
export interface Settling {
  /** When that was planned, ms. */
  atMs: number;
  /** Good looks at it in a row since it took the configuration. */
  good: number;
  /** Version of the rollout it is part of; absent where it only follows other nodes, or goes back. */
  of?: string;
}

/** How a role's settings, or a release's templates, come to its nodes. */
export interface Rollout {
  /** Of the settings in the spec and the templates of this release. */
  version: string;
  /** rolling: not all nodes have it and are well. good: all do. bad: it made one unhealthy, or one refused it; until the spec changes. */
  state: 'rolling' | 'good' | 'bad';
  /** When this version was first asked for, ms. */
  sinceMs: number;
  /** The last that was good: what `bad` goes back to. */
  good?: { version: string; hash: string; settings: Settings };
  settling: Record<string, Settling>;
  /** Nodes that took it and were well for a while, by instance id. */
  took: string[];
  /** Who did not take it, or was sick after it was given it; `refused`: the node itself said no. */
  failure?: { slot: string; instanceId: string; why: string; atMs: number; refused?: true };
  /** All nodes are back at the last good one, and well. */
  rolledBack?: true;
}

/** A broker, or a node of another service, on its way out of service: no balancer shall send to it. */
export interface Draining {
  instanceId: string;
  sinceMs: number;
  /** Since when every balancer runs a configuration without it, ms; absent while one still has it. */
  letGoAtMs?: number;
}

export interface Memory {
  /** When this life of the cluster began, ms; part of every job key, so that a name used again starts anew. */
  bornAtMs: number;
  /** Job key of the request that created it; absent where the spec was declared by other means. */
  createdBy?: string;
  health: Record<string, NodeHealth>;
  /** Jobs planned and not yet settled, by job key; also the outbox. */
  inFlight: Record<string, InFlight>;
  /** How often something was tried, by what (`launch/ctx2`, `restart/i-0abc`). */
  attempts: Record<string, Attempts>;
  /** Nodes whose launch is done; EC2's reads may not show them for a while. */
  launched: Record<string, { fact: InstanceFact; atMs: number }>;
  /** Nodes whose termination is done; EC2's reads may still show them. */
  terminated: Record<string, number>;
  /** Configuration version each node reported after applying it. */
  applied: Record<string, string>;
  /** When that was known, ms: what a node told before is old news. */
  appliedAtMs: Record<string, number>;
  /** Highest incarnation ever used, by slot; never reused. */
  incarnations: Record<string, number>;
  /** No replacement of the slot before this time, ms. */
  cooldownUntilMs: Record<string, number>;
  /** Zones that had no capacity, until when they are avoided, ms. */
  zoneFullUntilMs: Record<string, number>;
  /** Set when a replica set was initiated once; it is never initiated again. */
  replicaSetInitiated: boolean;
  /** The node that was told last to initiate the set, and when, ms, while nobody has seen whether it did. */
  initiating?: { instanceId: string; atMs: number };
  /** Since when the set has had a primary, ms; absent while it has none in sight. */
  primarySinceMs?: number;
  /** Since when a joining member has been SECONDARY with small lag, ms, by host. */
  caughtUpSinceMs: Record<string, number>;
  /** Since when a member that answers has been neither primary nor a caught-up secondary, ms, by host. */
  behindSinceMs: Record<string, number>;
  /** `_id`s given to hosts of nodes that are there; a repeated addition asks for the same one. */
  memberIds: Record<string, number>;
  /** The next `_id` never given so far; 0 while the ids of the set are not known. Raised in the very write that plans an addition. */
  nextMemberId: number;
  /** Default write concern the replica set was last told. */
  writeConcernSet?: 'majority' | 1;
  /** Seeds the brokers are told; kept while most of them still vote, because a driver finds the others by itself. */
  brokerSeeds: string[];
  /** By address: slot of the balancer that held it when each held one of its own; where it returns to. */
  addressHomes: Record<string, string>;
  /** By role. */
  rollouts: Partial<Record<Role, Rollout>>;
  /** The node that is drained: one at a time. */
  draining?: Draining;
  /** The next nudge this cluster already asked for, ms; stops chains of checks from multiplying. */
  lookAgainAtMs: number;
}

export const EMPTY_MEMORY: Memory = {
  bornAtMs: 0,
  health: {},
  inFlight: {},
  attempts: {},
  launched: {},
  terminated: {},
  applied: {},
  appliedAtMs: {},
  incarnations: {},
  cooldownUntilMs: {},
  zoneFullUntilMs: {},
  replicaSetInitiated: false,
  caughtUpSinceMs: {},
  behindSinceMs: {},
  memberIds: {},
  nextMemberId: 0,
  brokerSeeds: [],
  addressHomes: {},
  rollouts: {},
  lookAgainAtMs: 0,
};

export type Phase = 'active' | 'deleting';

/** One slot as `status` shows it. */
export interface SlotSummary {
  slot: string;
  role: string;
  instanceId?: string;
  incarnation?: number;
  zone?: string;
  privateIp?: string;
  health: Health | 'missing';
  sickness?: Sickness;
  detail?: string;
  configVersion?: string;
  /** What it should run, where that is another. */
  wantedVersion?: string;
  /** The file that somebody edited since its configuration was applied. */
  drifted?: string;
  /** For mongo: primary, secondary, voting or not, and how far a joining one is. */
  member?: string;
  /** Time of the newest write of a member that answers, seconds since the epoch; only while the majority is lost, when nothing is written. */
  newestWriteS?: number;
  /** Since when a joining member has been where `member` says, ms. */
  memberSinceMs?: number;
  holdsAddress?: boolean;
}

/** How far the settings of a role have come, as `status` shows it. */
export interface RolloutSummary {
  role: Role;
  version: string;
  state: Rollout['state'];
  /** Nodes that run what they should, of those wanted. */
  inStep: number;
  wanted: number;
  text: string;
}

/** What a person sees of a cluster; written by each check, read by `status`. */
export interface StatusSummary {
  atMs: number;
  /** Spec met, everything healthy, nothing left to do. */
  converged: boolean;
  /** What the last plan did, or why it did nothing. */
  sentence: string;
  blocked: string[];
  slots: SlotSummary[];
  /** The replica set's next or present step and why, in words; absent where it needs none. */
  replicaSetStep?: string;
  /** Absent in a row of an earlier release. */
  rollouts?: RolloutSummary[];
  addresses: { name: string; publicIp: string; holder?: string }[];
  inFlight: { kind: JobKind; jobKey: string; reason: string; plannedAtMs: number }[];
}

/** A cluster's row: one conditional write a tick. */
export interface ClusterRow {
  cluster: string;
  /** Raised by one on each write; a write names the version it read. */
  version: number;
  phase: Phase;
  /** Last valid spec seen; goes on being used while the stored one is broken or missing. */
  spec: ClusterSpec;
  memory: Memory;
  status: StatusSummary | null;
}
