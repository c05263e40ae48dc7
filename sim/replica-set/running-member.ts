/** The whole state of a running member, and the few moves every part of the engine needs. Decides no election and copies no data. */
import type { DurableState, Envelope, MemberOptions, MemberStateName, OpTime, PeerMessage } from './contract';
import { emptyState, NOTHING, Oplog } from './oplog';
import {
  type ConfigPosition,
  compareConfigs,
  isElectable,
  type MemberConfig,
  majorityOf,
  type ReplicaSetConfig,
  votersOf,
} from './replica-config';

/** What is known of another member, all of it from its own messages. */
export interface Peer {
  host: string;
  /** When it was last heard, ms; -Infinity while it never was. */
  heardMs: number;
  state: MemberStateName | null;
  applied: OpTime;
  config: ConfigPosition;
  /** Up to where its log is known to equal ours while we lead. */
  matched: OpTime;
  /** Highest index sent to it, and when. */
  sentIndex: number;
  sentMs: number;
}

/** An election this member stands in; `dryRun` asks whether it would win, without raising the term. */
export interface Candidacy {
  dryRun: boolean;
  granted: Set<string>;
}

type WithoutStamp<M> = M extends unknown ? Omit<M, 'setName' | 'term' | 'configVersion' | 'configTerm'> : never;

const NO_CONFIG: ConfigPosition = { term: -1, version: 0 };

export class RunningMember {
  readonly durable: DurableState;
  readonly oplog: Oplog;
  durableVersion = 0;
  state: MemberStateName = 'STARTUP';
  /** This member's own entry in the configuration. */
  self: MemberConfig | undefined;
  /** It runs an initiate or reconfig that is not installed yet: kConfigInitiating and kConfigReconfiguring of MongoDB. */
  isConfiguring = false;
  /** It waits for its secondaries before it steps down. */
  isSteppingDown = false;
  /** Voters of the configuration, and whether one of its members waits for its vote. */
  voters: MemberConfig[] = [];
  hasNewlyAdded = false;
  primary: string | null = null;
  readonly peers = new Map<string, Peer>();
  candidacy: Candidacy | null = null;
  electionDueMs = Number.POSITIVE_INFINITY;
  /** When it stands against a primary of lower priority, and who is of lower priority. */
  takeoverDueMs = Number.POSITIVE_INFINITY;
  lesser: ReadonlySet<string> = new Set();
  heartbeatDueMs = Number.POSITIVE_INFINITY;
  /** No election by this member before then: it stepped down on request. */
  frozenUntilMs = 0;
  /** An initial sync in progress: when it asked last, and the copy once it arrived. */
  sync: { askedMs: number; copy?: Extract<PeerMessage, { kind: 'syncData' }>; doneMs: number } = {
    askedMs: Number.NEGATIVE_INFINITY,
    doneMs: Number.POSITIVE_INFINITY,
  };
  /** Must be on a majority of the current configuration before the next reconfig (README.md of mongo/db/repl). */
  committedInPreviousConfig: OpTime = NOTHING;
  /** Why it stays RECOVERING for good. */
  halted: string | null = null;
  electedMs = 0;
  readonly startedMs: number;
  lagMs: number;
  outbox: Envelope[] = [];

  constructor(readonly options: MemberOptions) {
    this.durable = options.durable ? structuredClone(options.durable) : emptyState();
    this.oplog = new Oplog(this.durable, options.oplogEntriesMax ?? 10_000, () => this.noteChange());
    this.startedMs = options.nowMs;
    this.lagMs = options.lagMs ?? 0;
    if (this.durable.config) this.enter(this.durable.config, options.nowMs);
  }

  get config(): ReplicaSetConfig | null {
    return this.durable.config;
  }

  get host(): string {
    return this.self?.host ?? this.options.host;
  }

  get electionTimeoutMs(): number {
    return this.config?.settings.electionTimeoutMillis ?? 10_000;
  }

  /** Leads and takes writes. */
  get isWritable(): boolean {
    return this.state === 'PRIMARY' && !this.isSteppingDown;
  }

  get heartbeatEveryMs(): number {
    return this.config?.settings.heartbeatIntervalMillis ?? 2_000;
  }

  isSelf = (host: string): boolean => this.options.isSelf?.(host) ?? host === this.options.host;

  noteChange(): void {
    this.durableVersion += 1;
  }

  /** Stamps a message made for this call and puts it out; one object and no copy of it, because heartbeats are most of a simulation. */
  send(to: string, body: WithoutStamp<PeerMessage>): void {
    const { version, term } = this.config ?? NO_CONFIG;
    const stamped = body as PeerMessage;
    stamped.setName = this.options.replicaSet;
    stamped.term = this.durable.term;
    stamped.configVersion = version;
    stamped.configTerm = term;
    this.outbox.push({ to, from: this.host, body: stamped });
  }

  /** Members other than this one. */
  others(): MemberConfig[] {
    return this.config?.members.filter((member) => member.host !== this.self?.host) ?? [];
  }

  /** Tells `to` how this member stands, and the configuration where `known` to it is an older one. */
  sendStanding(kind: 'heartbeat' | 'heartbeatReply', to: string, known: ConfigPosition): void {
    const { config, durable, state, primary } = this;
    const { commit, oplogStart: oldest } = durable;
    const isNews = config !== null && compareConfigs(config, known) > 0;
    this.send(to, { kind, state, applied: this.oplog.last, commit, oldest, primary, config: isNews ? config : undefined });
  }

  /** Heartbeats to all at once, and from now on at the usual pace. */
  heartbeatAll(nowMs: number): void {
    this.heartbeatDueMs = this.self ? nowMs + this.heartbeatEveryMs : Number.POSITIVE_INFINITY;
    if (this.self) for (const { host, config } of this.peers.values()) this.sendStanding('heartbeat', host, config);
  }

  /** Voters heard within the election timeout, this one included, are a majority. */
  seesMajority(nowMs: number): boolean {
    const { config, self } = this;
    if (!config) return false;
    return this.voters.filter(({ host }) => host === self?.host || this.hears(host, nowMs)).length >= majorityOf(config);
  }

  hears(host: string, nowMs: number): boolean {
    return nowMs - (this.peers.get(host)?.heardMs ?? Number.NEGATIVE_INFINITY) < this.electionTimeoutMs;
  }

  /** Starts the election timer anew; up to 15 % later than the timeout, so that members rarely stand at the same time. */
  resetElectionTimer(nowMs: number): void {
    this.candidacy = null;
    const timeoutMs = this.voters.length === 1 ? 0 : this.electionTimeoutMs * (1 + 0.15 * this.options.random());
    this.electionDueMs = this.mayStand() ? Math.max(nowMs + timeoutMs, this.frozenUntilMs) : Number.POSITIVE_INFINITY;
  }

  mayStand(): boolean {
    return this.state === 'SECONDARY' && this.self !== undefined && isElectable(this.self);
  }

  becomeSecondary(nowMs: number): void {
    if (this.state === 'PRIMARY' || this.primary === this.host) this.primary = null;
    this.state = 'SECONDARY';
    this.isSteppingDown = false;
    this.resetElectionTimer(nowMs);
  }

  /** A higher term was seen: no vote given in it yet, and nobody who led before does so any more. */
  raiseTerm(term: number, nowMs: number): void {
    this.durable.term = term;
    this.noteChange();
    this.primary = null;
    this.candidacy = null;
    this.takeoverDueMs = Number.POSITIVE_INFINITY;
    if (this.state === 'PRIMARY') {
      this.becomeSecondary(nowMs);
      this.heartbeatAll(nowMs);
    }
  }

  /** Runs a configuration from now on, and tells the others. */
  install(config: ReplicaSetConfig, nowMs: number): void {
    this.durable.config = config;
    this.noteChange();
    this.enter(config, nowMs);
  }

  private enter(config: ReplicaSetConfig, nowMs: number): void {
    this.self = config.members.find((member) => this.isSelf(member.host));
    this.voters = votersOf(config);
    this.hasNewlyAdded = config.members.some((member) => member.newlyAdded);
    this.lesser = this.lesserThan(this.self);
    this.takeoverDueMs = Number.POSITIVE_INFINITY;
    this.rebuildPeers();
    if (!this.self) {
      this.state = 'REMOVED';
      this.isSteppingDown = false;
      this.primary = null;
      this.electionDueMs = Number.POSITIVE_INFINITY;
    } else if (this.halted) this.state = 'RECOVERING';
    else if (this.state === 'STARTUP' || this.state === 'REMOVED') {
      if (this.durable.syncing || this.oplog.last.index === 0) {
        this.durable.syncing = true;
        this.state = 'STARTUP2';
      } else this.becomeSecondary(nowMs);
    } else if (this.state === 'PRIMARY' && !isElectable(this.self)) {
      // Only a forced configuration can do that.
      this.becomeSecondary(nowMs);
    } else if (this.state === 'SECONDARY' && this.mustResetTimer()) this.resetElectionTimer(nowMs);
    this.heartbeatAll(nowMs);
  }

  /** It may stand now, or no longer; or it has become the only voter, which waits for nobody. */
  private mustResetTimer(): boolean {
    return this.mayStand() !== Number.isFinite(this.electionDueMs) || this.voters.length === 1;
  }

  private lesserThan(self: MemberConfig | undefined): ReadonlySet<string> {
    if (!self || !isElectable(self)) return new Set();
    return new Set(this.others().flatMap(({ host, priority }) => (priority < self.priority ? [host] : [])));
  }

  private rebuildPeers(): void {
    const hosts = this.others().map((member) => member.host);
    for (const host of this.peers.keys()) if (!hosts.includes(host)) this.peers.delete(host);
    for (const host of hosts)
      if (!this.peers.has(host))
        this.peers.set(host, {
          host,
          heardMs: Number.NEGATIVE_INFINITY,
          state: null,
          applied: NOTHING,
          config: NO_CONFIG,
          matched: NOTHING,
          sentIndex: this.oplog.last.index,
          sentMs: Number.NEGATIVE_INFINITY,
        });
  }
}
