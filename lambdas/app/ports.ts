/**
 * Ports: everything the use cases need from outside, as small interfaces. `aws/` implements them with the SDK, `sim/` under a virtual clock.
 * Every call may throw PortError; any other error is a bug.
 */
import type { RenderedFile } from '../core/config/rendered-file';
import type { AddressFact, CloudRead, HelloFact, InstanceFact, Outcome } from '../core/facts';
import type { QueueName } from '../core/jobs';
import type { ClusterRow } from '../core/memory';
import type { Role } from '../core/names';
import type { JobOutput } from '../core/observation';

/**
 * What went wrong outside, as far as a caller must tell cases apart.
 * throttled, unavailable: try again later. noCapacity: try another zone. notFound: it is gone. conflict: a conditional write lost.
 * notReady: the node can't take commands yet. denied: a permission is missing. invalid: our own bug or a broken setting.
 */
export type PortErrorCode = 'throttled' | 'unavailable' | 'noCapacity' | 'notFound' | 'conflict' | 'notReady' | 'denied' | 'invalid';

export class PortError extends Error {
  constructor(
    readonly code: PortErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'PortError';
  }
}

/** What a conditional write answers; undefined when it lost. Any other failure is thrown on. */
export async function unlessConflict<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof PortError && error.code === 'conflict') return undefined;
    throw error;
  }
}

/** Whether a conditional write lost; any other failure is thrown on. */
export async function isConflict(write: Promise<void>): Promise<boolean> {
  return (await unlessConflict(write.then(() => true))) === undefined;
}

export interface LaunchRequest {
  cluster: string;
  role: Role;
  slot: string;
  incarnation: number;
  zone: string;
  instanceType: string;
  /** Size of the root volume, GiB; the launch template's where absent. */
  volumeGib?: number;
  /** Hashed into EC2's ClientToken, so that a repeated call starts nothing new. */
  token: string;
}

/** EC2 instances and their placement groups; sees and touches tagged instances only. */
export interface Compute {
  /** All clusters at once: a constant number of paged calls. Terminated instances may be listed, or missing already. */
  describeFleet(): Promise<CloudRead>;
  /** One cluster, without EC2's status checks: for nudged checks and for executors that re-read what they rely on. */
  describeCluster(cluster: string): Promise<CloudRead>;
  /** Starts one tagged node in the role's spread placement group (made when missing). @throws noCapacity */
  launchNode(request: LaunchRequest): Promise<InstanceFact>;
  /** Gives the node's interface one more private address. Not idempotent: a repeated call gives another one. @throws notFound */
  addPrivateAddress(instanceId: string): Promise<void>;
  /** Idempotent; @throws notFound when the instance is unknown. */
  terminateNode(instanceId: string): Promise<void>;
  /** Removes the cluster's placement groups; missing ones are fine. */
  deletePlacementGroups(cluster: string): Promise<void>;
}

/** Elastic IPs. Only the failover worker moves one. */
export interface Addresses {
  /** Allocates a tagged address; answers the existing one when the cluster already has one of that name. */
  allocate(cluster: string, name: string): Promise<AddressFact>;
  /**
   * Leads the address to a private address of the instance (`privateIp`; its first one where absent). `mayTakeFrom` false: @throws
   * conflict when somebody holds it already, or another one leads there. Idempotent for the same instance.
   */
  associate(allocationId: string, instanceId: string, options: { mayTakeFrom: boolean; privateIp?: string }): Promise<void>;
  /** Frees and returns the address; missing is fine. */
  release(allocationId: string): Promise<void>;
}

/** A step of nodes/mongo/replica-set.js. */
export type ReplicaSetAction = 'initiate' | 'reconfig' | 'step-down' | 'set-write-concern';

/** What runs on a node. Parameters are validated before they are sent and arrive as one base64 JSON payload. */
export type NodeCommand =
  | { name: 'apply-config'; role: Role; version: string; files: RenderedFile[] }
  /** `evenIfItAnswers`: without it a process that answers by then is left alone. */
  | { name: 'restart-role'; role: Role; evenIfItAnswers?: true }
  | { name: 'replica-set'; action: ReplicaSetAction; payload: Record<string, unknown> }
  | { name: 'repair-majority'; replicaSet: string; survivors: string[]; expect: { setVersion: number }; notAfterMs: number };

/** State of a command sent earlier. `output` is the last JSON line the script printed, decoded. */
export type CommandOutcome =
  | { is: 'running' }
  | { is: 'succeeded'; output: Record<string, unknown> }
  | { is: 'failed'; exitCode: number | null; detail: string; output?: Record<string, unknown> };

/** SSM Run Command on one node. */
export interface NodeCommands {
  /** Sends and returns at once. @throws notReady while the node's agent is not registered. */
  send(instanceId: string, cluster: string, command: NodeCommand): Promise<{ commandId: string }>;
  outcome(instanceId: string, commandId: string): Promise<CommandOutcome>;
}

/** Stored specs, as text: validation is the caller's. */
export interface SpecStore {
  listClusters(): Promise<string[]>;
  get(cluster: string): Promise<{ text: string; version: number } | null>;
  /** @throws conflict when there is one already. */
  create(cluster: string, text: string): Promise<void>;
  /** Writes over `expectedVersion`; @throws conflict when another version is stored. */
  replace(cluster: string, text: string, expectedVersion: number): Promise<void>;
  delete(cluster: string): Promise<void>;
}

/** Cluster rows with optimistic locking. */
export interface RowStore {
  get(cluster: string): Promise<ClusterRow | null>;
  listClusters(): Promise<string[]>;
  /** Writes `row` (whose version is expectedVersion + 1); expectedVersion 0 means: none yet. @throws conflict */
  put(row: ClusterRow, expectedVersion: number): Promise<void>;
  delete(cluster: string): Promise<void>;
}

export type ClaimState =
  | { is: 'running'; leaseUntilMs: number; commandId?: string; instanceId?: string }
  | { is: 'done'; output?: JobOutput; atMs: number }
  | { is: 'stale' | 'refused' | 'failed' | 'waiting'; reason: string; atMs: number; zoneFull?: string };

/** One record a job key: who works on it, how it ended. */
export interface ClaimStore {
  /**
   * Takes the key, or says who has it. `taken` when it was free or the lease of the former worker is over
   * (and no command of it is under way); else the present state.
   */
  claim(jobKey: string, nowMs: number, leaseMs: number): Promise<{ is: 'taken' } | { is: 'held'; state: ClaimState }>;
  /** Notes progress or the end; a finished claim is kept for a day and never becomes running again. */
  record(jobKey: string, state: ClaimState): Promise<void>;
  /** Gives the key back, so that a redelivery may try again at once. */
  release(jobKey: string): Promise<void>;
  readMany(jobKeys: string[]): Promise<Record<string, ClaimState>>;
}

export interface Lease {
  /** When it ends, ms. */
  untilMs: number;
  /** What the worker before left here. */
  note?: string;
}

/** Keeps other workers off a thing while one acts on it; one that died keeps them off no longer than its lease. */
export interface Leases {
  /** The lease, when the thing was free or the lease before is over; null while another worker has it. */
  take(name: string, nowMs: number, forMs: number): Promise<Lease | null>;
  /** Ends the lease that would end at `untilMs`, and leaves a note, or that of before; one that another worker took meanwhile stays. */
  end(name: string, untilMs: number, note?: string): Promise<void>;
}

/** Fleet-wide limit on dangerous acts. */
export interface Budget {
  /** Takes one of `limit` within the window of `windowMs` that holds nowMs; false when it is used up. */
  take(name: string, limit: number, windowMs: number, nowMs: number): Promise<boolean>;
}

export interface JournalEntry {
  atMs: number;
  /** What it is about: a job kind, `plan`, `spec`, `request`. */
  topic: string;
  /** `planned`, `done`, `stale`, `refused`, `failed`, `blocked`, `note`. */
  event: string;
  /** A sentence for people. */
  text: string;
  jobKey?: string;
}

/** What happened and why, kept for weeks; answers `events`. */
export interface Journal {
  append(cluster: string, entries: JournalEntry[]): Promise<void>;
  /** Newest first. */
  read(cluster: string, limit: number): Promise<JournalEntry[]>;
}

export interface Queues {
  /** At least once, in any order. `delayS` 0 to 900. */
  send(queue: QueueName, body: unknown, delayS?: number): Promise<void>;
}

/** Looks at nodes over the network. Never throws for a bad node: that is an outcome. */
export interface Probe {
  /** HTTP GET; `ok` for a status below 400, with the body's first 4 KiB. */
  http(url: string, timeoutMs: number, headers?: Readonly<Record<string, string>>): Promise<{ outcome: Outcome; body: string }>;
  /** MongoDB `hello`, without authentication. */
  hello(host: string, timeoutMs: number): Promise<{ outcome: Outcome; hello?: HelloFact }>;
}

export interface Clock {
  nowMs(): number;
}

/** Structured log lines and counters; nothing secret goes in. */
export interface Telemetry {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  count(metric: string, value?: number): void;
}

/** Everything together; a handler's use case names the part it needs. */
export interface Ports {
  compute: Compute;
  addresses: Addresses;
  commands: NodeCommands;
  specs: SpecStore;
  rows: RowStore;
  claims: ClaimStore;
  leases: Leases;
  budget: Budget;
  journal: Journal;
  queues: Queues;
  probe: Probe;
  clock: Clock;
  telemetry: Telemetry;
}

/** Settings of the deployment, the same for all clusters. */
export interface Settings {
  /** Seconds between two sweeps, 1 to 60. */
  tickEveryS: number;
  /** Zones with subnets for nodes, in a fixed order. */
  zones: string[];
  /** Terminations all clusters together may do in ten minutes. */
  terminationsPer10Min: number;
  probeTimeoutMs: number;
  /** Where balancers send their claims: the failover queue. */
  claimQueueUrl?: string;
}

/** What a use case is called with. */
export interface Context {
  ports: Ports;
  settings: Settings;
}
