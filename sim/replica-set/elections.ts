/** Elections: who stands, who votes for whom, what a winner does first. Rules of TopologyCoordinator::processReplSetRequestVotes. */
import type { Envelope, PeerMessage } from './contract';
import { compareOpTimes, NOTHING } from './oplog';
import { compareConfigs, isVoter, majorityOf, NO_TERM, votersOf } from './replica-config';
import type { Peer, RunningMember } from './running-member';

type Of<K extends PeerMessage['kind']> = Extract<PeerMessage, { kind: K }>;

/** The timer fired: asks the others whether they would vote for it, unless it can't see a majority. */
export function standForElection(m: RunningMember, nowMs: number): void {
  const canWin = m.mayStand() && m.seesMajority(nowMs) && nowMs >= m.frozenUntilMs;
  m.resetElectionTimer(nowMs);
  if (canWin) askForVotes(m, nowMs, true);
}

/** Stands at once and without a dry run: a primary that steps down asked for it. */
export function standNow(m: RunningMember, nowMs: number): void {
  if (!m.mayStand()) return;
  m.resetElectionTimer(nowMs);
  askForVotes(m, nowMs, false);
}

/** How far behind a member may be that stands against a primary of lower priority (priorityTakeoverFreshnessWindowSeconds). */
const FRESH_MS = 2_000;

/** Whether this member should lead instead of `peer`: higher priority, and fresh enough (_amIFreshEnoughForPriorityTakeover). */
function outranks(m: RunningMember, peer: Peer, nowMs: number): boolean {
  if (m.state !== 'SECONDARY' || !m.lesser.has(peer.host)) return false;
  const { last } = m.oplog;
  return peer.applied.term === last.term && (peer.applied.index <= last.index || nowMs - m.oplog.atMs(last.index) <= FRESH_MS);
}

/**
 * On the primary's heartbeat: plans to take the lead over. The highest priority waits one election timeout, the next one two, and so on
 * (ReplSetConfig::getPriorityTakeoverDelay), each with the spread of election timers.
 */
export function considerTakeover(m: RunningMember, peer: Peer, nowMs: number): void {
  if (m.lesser.size === 0 || m.takeoverDueMs !== Number.POSITIVE_INFINITY || !outranks(m, peer, nowMs)) return;
  const rank = m.others().filter(({ priority }) => priority > (m.self?.priority ?? 0)).length;
  m.takeoverDueMs = Math.max(nowMs + m.electionTimeoutMs * (rank + 1 + 0.15 * m.options.random()), m.frozenUntilMs);
}

export function takeOverLead(m: RunningMember, nowMs: number): void {
  m.takeoverDueMs = Number.POSITIVE_INFINITY;
  const leader = m.primary ? m.peers.get(m.primary) : undefined;
  if (!leader || !outranks(m, leader, nowMs) || !m.seesMajority(nowMs)) return;
  m.resetElectionTimer(nowMs);
  askForVotes(m, nowMs, true);
}

function askForVotes(m: RunningMember, nowMs: number, dryRun: boolean): void {
  const { config, durable } = m;
  if (!config) return;
  if (!dryRun) {
    durable.term += 1;
    durable.votedFor = { term: durable.term, host: m.host };
    m.noteChange();
    m.primary = null;
  }
  m.candidacy = { dryRun, granted: new Set(m.self && isVoter(m.self) ? [m.host] : []) };
  for (const voter of votersOf(config))
    if (voter.host !== m.host) m.send(voter.host, { kind: 'voteRequest', dryRun, applied: m.oplog.last });
  countVotes(m, nowMs);
}

function countVotes(m: RunningMember, nowMs: number): void {
  const { config, candidacy } = m;
  if (!config || !candidacy || candidacy.granted.size < majorityOf(config)) return;
  if (candidacy.dryRun) askForVotes(m, nowMs, false);
  else becomePrimary(m, nowMs);
}

/** Why this member does not vote for the candidate; undefined when it does. */
function objection(m: RunningMember, from: string, request: Of<'voteRequest'>): string | undefined {
  const { config, durable } = m;
  if (!config || !m.self) return 'has no configuration it belongs to';
  if (durable.syncing) return 'is in initial sync';
  if (request.term < durable.term) return `candidate's term (${request.term}) is lower than mine (${durable.term})`;
  if (compareConfigs(config, { term: request.configTerm, version: request.configVersion }) > 0)
    return "candidate's config is older than mine";
  if (compareOpTimes(m.oplog.last, request.applied) > 0) return "candidate's data is staler than mine";
  const { votedFor } = durable;
  if (!request.dryRun && votedFor && votedFor.term === request.term && votedFor.host !== from)
    return `already voted for ${votedFor.host} in term ${request.term}`;
  return undefined;
}

export function onVoteRequest(m: RunningMember, { from, body }: Envelope & { body: Of<'voteRequest'> }, nowMs: number): void {
  const reason = objection(m, from, body);
  if (!reason && !body.dryRun) {
    m.durable.votedFor = { term: body.term, host: from };
    m.noteChange();
    if (m.state === 'SECONDARY') m.resetElectionTimer(nowMs);
  }
  m.send(from, { kind: 'vote', dryRun: body.dryRun, granted: !reason, reason: reason ?? '' });
}

export function onVote(m: RunningMember, { from, body }: Envelope & { body: Of<'vote'> }, nowMs: number): void {
  const { candidacy } = m;
  if (!candidacy || !body.granted || body.dryRun !== candidacy.dryRun) return;
  // A real vote counts only in the term it was asked for: the voter answers in the term of the request.
  if (!body.dryRun && body.term !== m.durable.term) return;
  if (!m.config?.members.some((member) => member.host === from && isVoter(member))) return;
  candidacy.granted.add(from);
  countVotes(m, nowMs);
}

/** First acts of a new primary: an entry in its own term, so that older ones can commit, and the configuration in its own term. */
function becomePrimary(m: RunningMember, nowMs: number): void {
  const { config, durable } = m;
  if (!config) return;
  m.state = 'PRIMARY';
  m.primary = m.host;
  m.candidacy = null;
  m.electionDueMs = Number.POSITIVE_INFINITY;
  m.electedMs = nowMs;
  for (const peer of m.peers.values()) {
    peer.matched = NOTHING;
    peer.sentIndex = m.oplog.last.index;
  }
  m.oplog.append({ term: durable.term, index: m.oplog.last.index + 1, atMs: nowMs, changes: [{ op: 'noop' }] });
  m.committedInPreviousConfig = m.oplog.last;
  // A forced configuration stays without a term until the next safe reconfig (signalDrainComplete).
  m.install(config.term === NO_TERM ? config : { ...config, term: durable.term }, nowMs);
}
