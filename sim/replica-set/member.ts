/**
 * A replica-set member. Not modelled: arbiters without data, secondaryDelaySecs, catch-up of a new primary and takeover to catch up, the
 * check of a primary-secondary-arbiter set, another replicaSetId in a reconfig, chained replication, authentication, read concern, a vote
 * during initial sync.
 * It is the engine behind contract.ts. Pure and deterministic: the same calls in the same order give the same answers.
 * Modelled: heartbeats, elections with a dry run and one vote a term, priority takeover, step-down without a majority and on request,
 * safe and forced reconfig and their spreading by heartbeats, `newlyAdded`, initial sync, replication and its lag, majority commit,
 * rollback.
 */
import { beginAdminCommand, runAdminCommand } from './admin-commands';
import type {
  Change,
  DurableState,
  Envelope,
  Failure,
  Json,
  MemberOptions,
  OpTime,
  PeerMessage,
  PendingCommand,
  Reach,
  ReachFunction,
  ReplicaSetMember,
  Reply,
} from './contract';
import { considerTakeover, onVote, onVoteRequest, standForElection, standNow, takeOverLead } from './elections';
import { failure } from './failures';
import { admitCaughtUp, isConfigCommitted } from './reconfig';
import { compareConfigs } from './replica-config';
import {
  advanceCommit,
  askForSync,
  finishSync,
  noteStaleness,
  onEntries,
  onEntriesReply,
  onSyncData,
  onSyncRequest,
  resendLost,
  sendEntries,
} from './replication';
import { type Peer, RunningMember } from './running-member';

type Heartbeat = Extract<PeerMessage, { kind: 'heartbeat' | 'heartbeatReply' }>;

export class Member implements ReplicaSetMember {
  private readonly m: RunningMember;

  constructor(options: MemberOptions) {
    this.m = new RunningMember(options);
  }

  get host(): string {
    return this.m.host;
  }

  get state() {
    return this.m.state;
  }

  get term(): number {
    return this.m.durable.term;
  }

  get config() {
    return this.m.config;
  }

  get primary(): string | null {
    return this.m.primary;
  }

  get applied(): OpTime {
    return this.m.oplog.last;
  }

  get commit(): OpTime {
    return this.m.durable.commit;
  }

  get durableVersion(): number {
    return this.m.durableVersion;
  }

  get lagMs(): number {
    return this.m.lagMs;
  }

  set lagMs(lagMs: number) {
    this.m.lagMs = lagMs;
  }

  get nextWakeMs(): number {
    const { m } = this;
    if (m.outbox.length > 0) return Number.NEGATIVE_INFINITY;
    return Math.min(m.heartbeatDueMs, m.electionDueMs, m.takeoverDueMs, m.sync.doneMs);
  }

  durable(): DurableState {
    return this.m.durable;
  }

  tick(nowMs: number): Envelope[] {
    const { m } = this;
    if (nowMs >= m.sync.doneMs) finishSync(m, nowMs);
    if (nowMs >= m.heartbeatDueMs) this.beat(nowMs);
    if (nowMs >= m.electionDueMs) standForElection(m, nowMs);
    if (nowMs >= m.takeoverDueMs) takeOverLead(m, nowMs);
    return this.outgoing(nowMs);
  }

  private beat(nowMs: number): void {
    const { m } = this;
    m.heartbeatAll(nowMs);
    if (m.state === 'PRIMARY' && !m.seesMajority(nowMs)) m.becomeSecondary(nowMs);
    if (m.primary && m.primary !== m.host && !m.hears(m.primary, nowMs)) m.primary = null;
    askForSync(m, nowMs);
  }

  private outgoing(nowMs: number): Envelope[] {
    const { m } = this;
    admitCaughtUp(m, nowMs);
    advanceCommit(m);
    sendEntries(m, nowMs);
    const { outbox } = m;
    if (outbox.length > 0) m.outbox = [];
    return outbox;
  }

  receive(envelope: Envelope, nowMs: number): Envelope[] {
    const { m } = this;
    const { from, body } = envelope;
    if (body.setName !== m.options.replicaSet) return [];
    const peer = m.peers.get(from);
    if (peer) {
      peer.heardMs = Math.max(peer.heardMs, nowMs);
      peer.config = { term: body.configTerm, version: body.configVersion };
    }
    if (body.term > m.durable.term) m.raiseTerm(body.term, nowMs);
    this.dispatch(envelope, nowMs);
    return this.outgoing(nowMs);
  }

  private dispatch(envelope: Envelope, nowMs: number): void {
    const { m } = this;
    const { from, body } = envelope;
    switch (body.kind) {
      case 'heartbeat':
        this.takeHeartbeat(from, body, nowMs);
        m.sendStanding('heartbeatReply', from, { term: body.configTerm, version: body.configVersion });
        break;
      case 'heartbeatReply':
        this.takeHeartbeat(from, body, nowMs);
        break;
      case 'voteRequest':
        onVoteRequest(m, { ...envelope, body }, nowMs);
        break;
      case 'vote':
        onVote(m, { ...envelope, body }, nowMs);
        break;
      case 'entries':
        if (body.term === m.durable.term) this.notePrimary(from, nowMs);
        onEntries(m, { ...envelope, body }, nowMs);
        break;
      case 'entriesReply':
        onEntriesReply(m, { ...envelope, body });
        break;
      case 'syncRequest':
        onSyncRequest(m, { ...envelope, body });
        break;
      case 'syncData':
        onSyncData(m, { ...envelope, body }, nowMs);
        break;
      case 'standNow':
        standNow(m, nowMs);
        break;
    }
  }

  private notePrimary(host: string, nowMs: number): void {
    const { m } = this;
    if (m.state === 'PRIMARY' || !m.self) return;
    m.primary = host;
    m.resetElectionTimer(nowMs);
  }

  private takeHeartbeat(from: string, body: Heartbeat, nowMs: number): void {
    const { m } = this;
    if (body.config) this.considerConfig(body.config, nowMs);
    const peer = m.peers.get(from);
    if (!peer) return;
    this.takeStanding(peer, body, nowMs);
    askForSync(m, nowMs);
    resendLost(m, peer, nowMs);
  }

  private takeStanding(peer: Peer, body: Heartbeat, nowMs: number): void {
    const { m } = this;
    peer.heardMs = nowMs;
    peer.state = body.state;
    peer.applied = body.applied;
    const leads = body.state === 'PRIMARY' && body.term === m.durable.term;
    if (leads) {
      this.notePrimary(peer.host, nowMs);
      noteStaleness(m, body.oldest, nowMs);
      considerTakeover(m, peer, nowMs);
    } else if (m.primary === peer.host) m.primary = null;
    if (!m.durable.syncing) m.oplog.commitTo(body.commit);
  }

  /** A newer configuration is taken wherever it comes from, as in MongoDB's heartbeat reconfig; a stranger's one is not. */
  private considerConfig(config: NonNullable<Heartbeat['config']>, nowMs: number): void {
    const { m } = this;
    // In the midst of a change of its own (_scheduleHeartbeatReconfig); it is told again.
    if (m.isConfiguring) return;
    const isMine = config.members.some((member) => m.isSelf(member.host));
    if (m.config ? compareConfigs(config, m.config) > 0 : isMine) m.install(config, nowMs);
  }

  adminCommand(command: Record<string, unknown>, nowMs: number, reach?: ReachFunction): Reply {
    return runAdminCommand({ m: this.m, command, nowMs, reach });
  }

  begin(command: Record<string, unknown>, nowMs: number, reach?: ReachFunction): PendingCommand {
    return beginAdminCommand({ m: this.m, command, nowMs, reach, canWait: true });
  }

  quorumAnswer(): Reach {
    const { config } = this.m;
    if (config) return { setName: config._id };
    return this.m.oplog.last.index > 0 ? 'hasData' : 'fresh';
  }

  write(changes: Change[], nowMs: number): { ok: 1; optime: OpTime } | Failure {
    const { m } = this;
    if (!m.isWritable) return failure('NotWritablePrimary', 'not primary');
    const ids = new Set<string>();
    for (const change of changes) {
      if (change.op !== 'insert') continue;
      const key = `${change.ns} ${change.id}`;
      if (ids.has(key) || m.durable.data[change.ns]?.[change.id] !== undefined)
        return failure('DuplicateKey', `E11000 duplicate key error collection: ${change.ns} index: _id_ dup key: { _id: ${change.id} }`);
      ids.add(key);
    }
    m.oplog.append({ term: m.durable.term, index: m.oplog.last.index + 1, atMs: nowMs, changes });
    advanceCommit(m);
    sendEntries(m, nowMs);
    return { ok: 1, optime: m.oplog.last };
  }

  read(ns: string): Readonly<Record<string, Json>> {
    return this.m.durable.data[ns] ?? {};
  }

  namespaces(): string[] {
    return Object.entries(this.m.durable.data).flatMap(([ns, documents]) => (Object.keys(documents).length > 0 ? [ns] : []));
  }

  fateOf(optime: OpTime): 'committed' | 'pending' | 'lost' {
    const { oplog, durable } = this.m;
    if (!oplog.holds(optime)) return 'lost';
    return optime.index <= durable.commit.index ? 'committed' : 'pending';
  }

  isConfigCommitted(): boolean {
    return isConfigCommitted(this.m);
  }
}
