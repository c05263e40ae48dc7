/**
 * What a replica-set member looks like to whoever drives it: the simulator (virtual time) or the lab's stand-in (real time, TCP).
 * Types only; the engine behind it has no clock, no I/O and no randomness of its own.
 *
 * How to drive one:
 *   const member = new Member({ host: '10.0.0.5:27017', replicaSet: 'orion_rs', random, nowMs });
 *   loop: when nowMs >= member.nextWakeMs, deliver what member.tick(nowMs) returns;
 *         deliver what member.receive(envelope, nowMs) returns (a lost, late, repeated or reordered envelope is harmless).
 *   adminCommand(), begin() and write() return at once and send nothing by themselves: when `nextWakeMs <= nowMs` afterwards,
 *   call tick(). What begin() returned is to be looked at after every change of the member.
 *   A member that restarts: new Member({ ...options, durable: member.durable(), nowMs }). A wiped one: without `durable`.
 *   A member that is down: neither tick nor receive it.
 */
import type { ReplicaSetConfig } from './replica-config';

/** Position in the oplog. `index` counts from 1; {0, 0} is before the first entry. */
export interface OpTime {
  term: number;
  index: number;
}

/** A value that survives JSON; the engine never looks inside a document. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One change of one document; `id` is a text that is equal for equal `_id`s. `insert` fails (11000) when the id is taken. */
export type Change =
  | { op: 'insert' | 'put'; ns: string; id: string; doc: Json }
  | { op: 'remove'; ns: string; id: string }
  /** Nothing but an oplog entry. */
  | { op: 'noop' };

export interface OplogEntry extends OpTime {
  /** When the primary wrote it, ms. */
  atMs: number;
  changes: Change[];
}

/** What a member keeps over a restart; survives JSON. Treat as opaque, and as frozen: later writes may change it in place. */
export interface DurableState {
  config: ReplicaSetConfig | null;
  term: number;
  votedFor: { term: number; host: string } | null;
  /** The newest entries; `oplogStart` is the optime before the first of them. */
  oplog: OplogEntry[];
  oplogStart: OpTime;
  /** When the entry at `oplogStart` was written, ms. */
  oplogStartMs: number;
  commit: OpTime;
  /** namespace -> id -> document, with all of `oplog` applied. */
  data: Record<string, Record<string, Json>>;
  /** What `oplog`'s uncommitted entries replaced, by index, newest last; needed to roll back. */
  undo: { index: number; ns: string; id: string; doc: Json | null }[];
  /** An initial sync that was not finished. */
  syncing: boolean;
}

/**
 * The majority-committed documents of a member, and its log up to there. MongoDB copies no old log, but lets members that lag
 * fetch from any other that still has one; here only the primary sends, so every primary must have it.
 */
export type CommittedCopy = Pick<DurableState, 'oplog' | 'oplogStart' | 'oplogStartMs' | 'commit' | 'data'>;

export interface Envelope {
  to: string;
  from: string;
  body: PeerMessage;
}

/** What every message tells: the sender's term and the configuration it runs. */
interface Stamp {
  setName: string;
  term: number;
  configVersion: number;
  configTerm: number;
}

/** How a member stands, as it tells others. */
export interface Standing {
  state: MemberStateName;
  applied: OpTime;
  commit: OpTime;
  /** Where its oplog starts; a member whose last entry is older can't catch up from it. */
  oldest: OpTime;
  /** Host it takes for the primary. */
  primary: string | null;
}

export type PeerMessage = Stamp &
  (
    | ({ kind: 'heartbeat'; config?: ReplicaSetConfig } & Standing)
    | ({ kind: 'heartbeatReply'; config?: ReplicaSetConfig } & Standing)
    | { kind: 'voteRequest'; dryRun: boolean; applied: OpTime }
    | { kind: 'vote'; dryRun: boolean; granted: boolean; reason: string }
    /** Entries after `previous`; empty ones tell the commit point. */
    | { kind: 'entries'; previous: OpTime; entries: OplogEntry[]; commit: OpTime }
    /** Accepted: everything up to `matched` is the same as the primary's. Else: send again from `matched` on. */
    | { kind: 'entriesReply'; accepted: boolean; matched: OpTime }
    | { kind: 'syncRequest' }
    | ({ kind: 'syncData' } & CommittedCopy)
    /** The primary that steps down asks the best secondary to stand at once. */
    | { kind: 'standNow' }
  );

/** MongoDB's member states, as far as they are modelled. */
export type MemberStateName = 'STARTUP' | 'STARTUP2' | 'RECOVERING' | 'SECONDARY' | 'PRIMARY' | 'REMOVED';
export const STATE_NUMBER: Record<MemberStateName | 'DOWN', number> = {
  STARTUP: 0,
  PRIMARY: 1,
  SECONDARY: 2,
  RECOVERING: 3,
  STARTUP2: 5,
  DOWN: 8,
  REMOVED: 10,
};

/** A command's reply; plain JSON with dates as `Date`. */
export interface Reply {
  ok: 0 | 1;
  code?: number;
  codeName?: string;
  errmsg?: string;
  [field: string]: unknown;
}
export interface Failure extends Reply {
  ok: 0;
  code: number;
  codeName: string;
  errmsg: string;
}

/**
 * Answer of a host to the quorum check before an initiate or reconfig; without a `reach` function the check is left out.
 * `fresh`: answers and has neither configuration nor data. `hasData`: answers, has no configuration, but data. An object: answers as a
 * member of `setName`.
 */
export type Reach = 'fresh' | 'hasData' | 'unreachable' | { setName: string };

/** What is known of a host's answer to the quorum check; undefined while it has not answered yet. */
export type ReachFunction = (host: string) => Reach | undefined;

/** A command under way: what MongoDB does while the client waits. */
export interface PendingCommand {
  /** Its answer, once there is one. */
  readonly reply: Reply | undefined;
  /** Hosts whose answer to the quorum check it waits for. */
  readonly asks: readonly string[];
  /** When it gives up, ms; Infinity where the client set no limit. */
  readonly untilMs: number;
  /** Looks again whether it can go on, and answers what `reply` answers from then on. */
  look(nowMs: number): Reply | undefined;
}

export interface MemberOptions {
  /** `address:port` under which others know it. */
  host: string;
  /** The set name it was started with (`--replSet`); initiate with another one fails. */
  replicaSet: string;
  /** Whether a host of a configuration is this member; by default equality with `host`. */
  isSelf?: (host: string) => boolean;
  /** Random number in [0, 1); decides the spread of election timers, ids of sets and the version of a forced configuration. */
  random: () => number;
  nowMs: number;
  /** Used where the initiated configuration names none; MongoDB's defaults 10 000 and 2 000. */
  electionTimeoutMs?: number;
  heartbeatEveryMs?: number;
  /** How long the copy of an initial sync takes, ms; 0 by default, and always 0 while there is no document to copy. */
  syncMs?: number;
  /** How much later than written it applies what others wrote, ms; seen whenever entries come, so to a heartbeat. 0 by default. */
  lagMs?: number;
  /** Newest wire protocol it speaks, as `hello` tells; 21 by default, which is MongoDB 7.0's. */
  maxWireVersion?: number;
  /** Committed entries kept for members that lag; one that lags more stays RECOVERING, as in MongoDB. 10 000 by default. */
  oplogEntriesMax?: number;
  durable?: DurableState;
}

/** The engine as its drivers see it; implemented by `Member` in member.ts. */
export interface ReplicaSetMember {
  readonly host: string;
  readonly state: MemberStateName;
  readonly term: number;
  readonly config: ReplicaSetConfig | null;
  /** Host of the primary it knows, itself included. */
  readonly primary: string | null;
  readonly applied: OpTime;
  readonly commit: OpTime;
  /** When tick() wants to be called next; Infinity while there is nothing to wait for. */
  readonly nextWakeMs: number;
  /** Raised whenever something durable changed; a driver with a disk saves before it sends what came with it. */
  readonly durableVersion: number;
  /** As in MemberOptions; may be changed while it runs. */
  lagMs: number;
  tick(nowMs: number): Envelope[];
  receive(envelope: Envelope, nowMs: number): Envelope[];
  /**
   * hello, isMaster, ping, buildInfo, replSetInitiate, replSetGetConfig, replSetReconfig, replSetGetStatus, replSetStepDown,
   * setDefaultRWConcern, getDefaultRWConcern. Never throws; errors are {ok: 0, code, codeName, errmsg} as MongoDB's.
   * It does not wait: where MongoDB would wait before it acts, it answers the error MongoDB ends with; a reconfig is answered
   * before the new configuration is on a majority.
   */
  adminCommand(command: Record<string, unknown>, nowMs: number, reach?: ReachFunction): Reply;
  /** The same with the waits: of a reconfig until the configurations are on a majority, of a step-down for the secondaries. */
  begin(command: Record<string, unknown>, nowMs: number, reach?: ReachFunction): PendingCommand;
  /** What it answers when another member's initiate or reconfig asks for it. */
  quorumAnswer(): Reach;
  /** Primary only. All changes are one oplog entry. */
  write(changes: Change[], nowMs: number): { ok: 1; optime: OpTime } | Failure;
  /** Documents of a namespace by id; what is local, committed or not. */
  read(ns: string): Readonly<Record<string, Json>>;
  /** Namespaces that hold a document. */
  namespaces(): string[];
  /** A write's fate: `lost` once another entry took its place or it was rolled back. */
  fateOf(optime: OpTime): 'committed' | 'pending' | 'lost';
  /** The configuration it runs is on a majority of its voters. Meaningful on a primary. */
  isConfigCommitted(): boolean;
  durable(): DurableState;
}
