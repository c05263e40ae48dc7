/** Facts: what was observed, with its time, before anybody judged it. Types only. */
import type { ConfigReport } from './config-report';
import type { Role, ServiceRole } from './names';

export type InstanceState = 'pending' | 'running' | 'stopping' | 'stopped' | 'shutting-down' | 'terminated';

/** One EC2 instance that carries the cluster's tags. */
export interface InstanceFact {
  instanceId: string;
  cluster: string;
  role: Role;
  slot: string;
  incarnation: number;
  zone: string;
  state: InstanceState;
  privateIp?: string;
  /** Further private addresses of its interface, sorted; absent where the cloud tells none (emulators, facts of an earlier release). */
  secondaryIps?: string[];
  launchedAtMs: number;
  /** EC2's own status checks, which the sweep of all clusters asks for; `unknown` where nothing was said or asked. */
  status: 'ok' | 'impaired' | 'initializing' | 'unknown';
}

/** One Elastic IP that carries the cluster's tags. */
export interface AddressFact {
  allocationId: string;
  cluster: string;
  /** `entry1`, … */
  name: string;
  publicIp: string;
  /** Instance it is associated with; absent while it is free. */
  holder?: string;
  /** Private address of the holder that it leads to, where the cloud tells. */
  privateIp?: string;
}

/** What EC2 answers to one read. */
export interface CloudRead {
  instances: InstanceFact[];
  addresses: AddressFact[];
}

/** What EC2 said of one cluster, all read within one sweep or one check. */
export interface CloudFacts extends CloudRead {
  atMs: number;
}

/**
 * One answer, or the lack of it. `unknown`: we could not look (our own fault); `failed`: we looked and it was bad.
 * `status`: the HTTP status, where there was one. `accepts`: connections are taken, but no answer comes of them.
 */
export type Outcome =
  | { is: 'ok'; latencyMs: number }
  | { is: 'failed'; detail: string; status?: number; accepts?: true }
  | { is: 'unknown'; detail: string };

/** MongoDB's `hello`, as far as we use it; needs no authentication. Hosts are `ip:27017`. */
export interface HelloFact {
  /** Absent while the replica set has not been initiated on this node. */
  setName?: string;
  /** Version of the replica-set configuration this member runs. */
  setVersion?: number;
  isWritablePrimary: boolean;
  secondary: boolean;
  me?: string;
  primary?: string;
  /** Members with a priority above 0: for us, the voters. */
  hosts: string[];
  /** Members with priority 0: for us, the members that do not vote yet. */
  passives: string[];
  /** Time of the last write applied, seconds since the epoch. */
  lastWriteS?: number;
  /** Term of that write and its place within its second: with them the writes of two members compare exactly. */
  lastWriteTerm?: number;
  lastWriteIncrement?: number;
  /** Which election made it primary (`electionId`, 24 hex digits): the higher one is the later. Only a primary has one. */
  electionId?: string;
  /** Highest version of the wire protocol it speaks; the same for the same MongoDB series (17 is 6.0, 21 is 7.0, 25 is 8.0). */
  maxWireVersion?: number;
}

export type NodeProbe = ConfigReport &
  (
    | /** `secondary`: the same question at the second private address; absent where it has none. */
    { role: 'lb'; atMs: number; process: Outcome; secondary?: Outcome }
    /**
     * `database`: whether it has its database; absent for a role that has no way to tell. `connections`: those others have to its ports,
     * counted on the node; absent when nobody asked, or nobody could say.
     */
    | { role: ServiceRole; atMs: number; process: Outcome; database?: Outcome; connections?: number }
    | { role: 'mongo'; atMs: number; process: Outcome; hello?: HelloFact }
  );

/** Probes by instance id; a node that was not probed has no entry. */
export type Probes = Record<string, NodeProbe>;
