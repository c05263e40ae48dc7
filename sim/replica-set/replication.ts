/**
 * Replication: the primary sends its entries, followers take them or roll back, new members copy everything.
 * MongoDB's secondaries pull instead; what ends where is the same, the way is shorter. Holds no election.
 */
import type { Envelope, OpTime, PeerMessage } from './contract';
import { compareOpTimes, NOTHING } from './oplog';
import { isVoter, majorityOf } from './replica-config';
import type { Peer, RunningMember } from './running-member';

type Of<K extends PeerMessage['kind']> = Extract<PeerMessage, { kind: K }>;
type Letter<K extends PeerMessage['kind']> = Envelope & { body: Of<K> };

const ENTRIES_A_MESSAGE = 500;

/** Whether a member has something entries could follow on. */
function takesEntries(peer: Peer): boolean {
  return peer.state === 'SECONDARY' || peer.state === 'RECOVERING' || (peer.state === 'STARTUP2' && peer.applied.index > 0);
}

/** As primary: sends each follower what it was not sent yet. */
export function sendEntries(m: RunningMember, nowMs: number): void {
  if (m.state !== 'PRIMARY') return;
  for (const peer of m.peers.values()) if (peer.sentIndex < m.oplog.last.index) sendTo(m, peer, nowMs);
}

/** Entries from `sentIndex` on; none left is a question whether both logs are the same there. */
function sendTo(m: RunningMember, peer: Peer, nowMs: number): void {
  const previous = m.oplog.optimeAt(peer.sentIndex);
  // Not kept any more: the follower sees from heartbeats that it is too stale.
  if (!previous || !takesEntries(peer)) return;
  const entries = m.oplog.from(previous.index + 1, ENTRIES_A_MESSAGE);
  peer.sentIndex = entries.at(-1)?.index ?? peer.sentIndex;
  peer.sentMs = nowMs;
  m.send(peer.host, { kind: 'entries', previous, entries, commit: m.durable.commit });
}

/** As primary, on a follower's heartbeat: sends again what was lost on the way, once nothing came back for a heartbeat interval. */
export function resendLost(m: RunningMember, peer: Peer, nowMs: number): void {
  if (m.state !== 'PRIMARY' || nowMs - peer.sentMs < m.heartbeatEveryMs) return;
  // A wiped member has less than it once confirmed.
  if (compareOpTimes(peer.applied, peer.matched) < 0) peer.matched = NOTHING;
  if (compareOpTimes(peer.matched, m.oplog.last) >= 0) return;
  const known = Math.max(peer.matched.index, peer.applied.index, m.durable.oplogStart.index);
  peer.sentIndex = Math.min(known, m.oplog.last.index);
  sendTo(m, peer, nowMs);
}

export function onEntries(m: RunningMember, { from, body }: Letter<'entries'>, nowMs: number): void {
  if (body.term < m.durable.term) {
    m.send(from, { kind: 'entriesReply', accepted: false, matched: m.durable.commit });
    return;
  }
  if (m.state === 'STARTUP' || m.state === 'REMOVED' || m.durable.syncing || m.halted) return;
  const matched = takeEntries(m, body, nowMs);
  if (!matched) {
    if (!m.halted) m.send(from, { kind: 'entriesReply', accepted: false, matched: m.durable.commit });
    return;
  }
  m.oplog.commitTo(compareOpTimes(body.commit, matched) < 0 ? body.commit : matched);
  if (m.state === 'STARTUP2') m.becomeSecondary(nowMs);
  m.send(from, { kind: 'entriesReply', accepted: true, matched });
}

/** Appends what is new; the optime up to which both logs are the same now, or undefined when they don't meet at `previous`. */
function takeEntries(m: RunningMember, { previous, entries: sent }: Of<'entries'>, nowMs: number): OpTime | undefined {
  const { oplog, lagMs } = m;
  if (previous.index > oplog.last.index) return undefined;
  if (!oplog.holds(previous)) {
    // Asked for at the commit point, and even there the logs differ: only a forced reconfig can do that.
    if (previous.index <= m.durable.commit.index) haltBefore(m, previous.index);
    return undefined;
  }
  // What is too young for a member that lags comes again with the primary's next attempt.
  const tooYoung = lagMs > 0 ? sent.findIndex(({ atMs, index }) => atMs > nowMs - lagMs && index > oplog.last.index) : -1;
  const entries = tooYoung < 0 ? sent : sent.slice(0, tooYoung);
  for (const entry of entries) {
    if (entry.index <= oplog.last.index) {
      if (oplog.holds(entry)) continue;
      if (!oplog.rollBackTo(entry.index - 1)) {
        haltBefore(m, entry.index);
        return undefined;
      }
    }
    oplog.append(entry);
  }
  const last = entries.at(-1);
  return last ? { term: last.term, index: last.index } : previous;
}

/** MongoDB ends such a process (unrecoverable rollback: a common point before the stable timestamp); here it stays and says so. */
function haltBefore(m: RunningMember, index: number): void {
  m.halted = `would roll back entry ${index}, which a majority had: needs an initial sync`;
  m.state = 'RECOVERING';
  m.electionDueMs = Number.POSITIVE_INFINITY;
}

export function onEntriesReply(m: RunningMember, { from, body }: Letter<'entriesReply'>): void {
  const peer = m.peers.get(from);
  if (!peer || m.state !== 'PRIMARY' || body.term !== m.durable.term) return;
  if (!body.accepted) {
    // What it needs is not kept any more: asked again with its next heartbeats, not at once and for ever.
    if (body.matched.index < m.durable.oplogStart.index) peer.sentIndex = m.oplog.last.index;
    else peer.sentIndex = Math.min(body.matched.index, m.oplog.last.index);
    return;
  }
  if (compareOpTimes(body.matched, peer.matched) > 0) peer.matched = body.matched;
  if (compareOpTimes(body.matched, peer.applied) > 0) peer.applied = body.matched;
  advanceCommit(m);
}

/** As primary: the newest entry of its own term that a majority of voters holds is committed, and all before it. */
export function advanceCommit(m: RunningMember): void {
  const { config, durable, oplog } = m;
  if (m.state !== 'PRIMARY' || !config || durable.commit.index === oplog.last.index) return;
  const indexes = m.voters.map((voter) => (voter.host === m.host ? oplog.last.index : (m.peers.get(voter.host)?.matched.index ?? 0)));
  const index = indexes.sort((a, b) => b - a)[majorityOf(config) - 1] ?? 0;
  const optime = oplog.optimeAt(index);
  if (optime && optime.term === durable.term) oplog.commitTo(optime);
}

/** Whether a majority of the current voters holds an entry; asked before a reconfig. */
export function isOnMajority(m: RunningMember, optime: OpTime): boolean {
  const { config } = m;
  if (!config) return false;
  const holders = config.members.filter(
    (member) => isVoter(member) && (member.host === m.host || (m.peers.get(member.host)?.matched.index ?? 0) >= optime.index),
  );
  return holders.length >= majorityOf(config);
}

/** A member that lags behind the start of its primary's log can't catch up any more; it waits for a better source, as in MongoDB. */
export function noteStaleness(m: RunningMember, oldest: OpTime, nowMs: number): void {
  if (m.halted || m.durable.syncing) return;
  const isTooStale = oldest.index > m.oplog.last.index;
  if (isTooStale && m.state === 'SECONDARY') {
    m.state = 'RECOVERING';
    m.electionDueMs = Number.POSITIVE_INFINITY;
  } else if (!isTooStale && m.state === 'RECOVERING') m.becomeSecondary(nowMs);
}

/** As a new member: asks the primary, or else any secondary, for a copy; again when no answer came. */
export function askForSync(m: RunningMember, nowMs: number): void {
  if (!m.durable.syncing || m.sync.copy || nowMs - m.sync.askedMs < m.heartbeatEveryMs) return;
  const living = [...m.peers.values()].filter((peer) => m.hears(peer.host, nowMs));
  const source = living.find((peer) => peer.state === 'PRIMARY') ?? living.find((peer) => peer.state === 'SECONDARY');
  if (!source) return;
  m.sync.askedMs = nowMs;
  m.send(source.host, { kind: 'syncRequest' });
}

export function onSyncRequest(m: RunningMember, { from }: Letter<'syncRequest'>): void {
  if (m.state !== 'PRIMARY' && m.state !== 'SECONDARY') return;
  // Nothing committed yet means nothing to copy: the asker tries again.
  if (m.durable.commit.index > 0) m.send(from, { kind: 'syncData', ...m.oplog.committedCopy() });
}

export function onSyncData(m: RunningMember, { body }: Letter<'syncData'>, nowMs: number): void {
  if (!m.durable.syncing || m.sync.copy) return;
  m.sync.copy = body;
  const isEmpty = Object.values(body.data).every((documents) => Object.keys(documents).length === 0);
  m.sync.doneMs = nowMs + (isEmpty ? 0 : (m.options.syncMs ?? 0));
}

/** The copy is complete: takes it, and tells the others, so that the primary sends what came since. */
export function finishSync(m: RunningMember, nowMs: number): void {
  const { copy } = m.sync;
  if (!copy) return;
  m.sync = { askedMs: Number.NEGATIVE_INFINITY, doneMs: Number.POSITIVE_INFINITY };
  m.oplog.replaceAll(copy);
  if (!m.primary) m.becomeSecondary(nowMs);
  m.heartbeatAll(nowMs);
}
