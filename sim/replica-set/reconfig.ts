/** `replSetReconfig` on one member, safe or forced, and the reconfig by which the primary gives new voters their vote. Starts no set. */
import {
  checkQuorum,
  defaultsFor,
  impliesMajority,
  invalid,
  markNewVoters,
  parseConfig,
  problemOf,
  selfProblem,
  transitionProblem,
} from './config-rules';
import type { Reply } from './contract';
import { failure } from './failures';
import { compareOpTimes } from './oplog';
import { type Call, deadlineOf, type Step } from './pending';
import { isVoter, majorityOf, NO_TERM, type ReplicaSetConfig } from './replica-config';
import { isOnMajority } from './replication';
import type { RunningMember } from './running-member';

export const RW_CONCERN = { ns: 'config.settings', id: '"ReadWriteConcernDefaults"' } as const;

/** By how much a forced configuration's version jumps at least, and the bound of what chance adds. */
const FORCED_VERSION_JUMP = 10_000;
const FORCED_VERSION_SPREAD = 100_000;

/** Whether a majority of voters runs the very configuration this member runs. */
export function isConfigCommitted(m: RunningMember): boolean {
  const { config } = m;
  if (!config) return false;
  const runs = (host: string) => {
    const position = m.peers.get(host)?.config;
    return host === m.host || (position?.term === config.term && position.version === config.version);
  };
  return config.members.filter((member) => isVoter(member) && runs(member.host)).length >= majorityOf(config);
}

/** Why the next reconfig must wait (308); ReplicationCoordinatorImpl::_doReplSetReconfig. */
function commitmentProblem(m: RunningMember): string | undefined {
  const { config } = m;
  if (!config) return undefined;
  const at = `{version: ${config.version}, term: ${config.term}}`;
  if (!isConfigCommitted(m)) return `Cannot run replSetReconfig because the current config: ${at} is not majority committed.`;
  // There is no previous configuration, or it was overruled by force: nothing of it is promised.
  if (config.version === 1 || config.term === NO_TERM) return undefined;
  if (!isOnMajority(m, m.committedInPreviousConfig))
    return `Cannot run replSetReconfig because ops committed in the previous config are not yet committed in the current config: ${at}`;
  return undefined;
}

/** First step: CmdReplSetReconfig in repl_set_command.cpp. */
export function startReconfig(call: Call): Step {
  const { m, command } = call;
  return () => {
    if (!m.config) return failure('NotYetInitialized', 'Node not yet initialized; use the replSetInitiate command');
    if (m.isConfiguring) return inProgress();
    return command.force ? force(call) : awaitCurrentConfig(call);
  };
}

function inProgress(): Reply {
  return failure('ConfigurationInProgress', 'Cannot run replSetReconfig because the node is currently updating its configuration');
}

function notPrimary(m: RunningMember): Reply | undefined {
  if (m.isWritable) return undefined;
  return failure('NotWritablePrimary', `Safe reconfig is only allowed on a writable PRIMARY. Current state is ${m.state}`);
}

/** Waits until the configuration it runs is on a majority, and what was committed before it as well. Nothing has happened yet: 10107, 308. */
function awaitCurrentConfig(call: Call): Step {
  const untilMs = deadlineOf(call);
  return (nowMs) => {
    const { m } = call;
    const refusal = notPrimary(m) ?? (m.isConfiguring ? inProgress() : undefined);
    if (refusal) return refusal;
    const waiting = commitmentProblem(m);
    if (!waiting) return prepare(call);
    return nowMs < untilMs ? undefined : failure('CurrentConfigNotCommittedYet', waiting);
  };
}

function prepare(call: Call): Reply | Step {
  const next = nextConfig(call);
  if ('ok' in next) return next;
  call.m.isConfiguring = true;
  return askMajority(call, next);
}

/** The configuration that is asked for with all it needs, or why it must not be: ReplicationCoordinatorImpl::processReplSetReconfig. */
function nextConfig({ m, command }: Call): ReplicaSetConfig | Reply {
  const { config: old } = m;
  if (!old) return failure('NotYetInitialized', 'Node not yet initialized; use the replSetInitiate command');
  const isForced = Boolean(command.force);
  const defaults = { ...defaultsFor(m.options, old.settings.replicaSetId), ...old.settings };
  const parsed = parseConfig(command.replSetReconfig, m.options.replicaSet, defaults);
  if ('ok' in parsed) return parsed;
  const next = isForced ? forced(m, old, parsed.config) : markNewVoters(old, { ...parsed.config, term: m.durable.term });
  const problem = writeConcernProblem(m, old, next) ?? problemOf(next) ?? transitionProblem(old, next, isForced);
  if (problem) return invalid(problem, false);
  return selfProblem(next, m.isSelf, isForced) ?? next;
}

/** Its version is ahead of all that others may have agreed on meanwhile; nobody was elected to make it, so it has no term. */
function forced(m: RunningMember, old: ReplicaSetConfig, asked: ReplicaSetConfig): ReplicaSetConfig {
  const jump = FORCED_VERSION_JUMP + Math.floor(m.options.random() * FORCED_VERSION_SPREAD);
  return { ...asked, term: NO_TERM, version: Math.max(old.version, asked.version) + jump };
}

/** Needs no primary and asks nobody: at once, on any member that is in the new configuration. */
function force(call: Call): Step {
  return (nowMs) => {
    const next = nextConfig(call);
    if ('ok' in next) return next;
    takeOver(call.m, next, nowMs);
    return { ok: 1 };
  };
}

/** The quorum check; then the configuration is installed, unless the time is over or this member no longer leads. */
function askMajority(call: Call, next: ReplicaSetConfig): Step {
  const { m, reach, canWait } = call;
  const hosts = next.members.map(({ host }) => host).filter((host) => !m.isSelf(host));
  const untilMs = deadlineOf(call);
  return (nowMs, pending) => {
    pending.asks = hosts;
    const refusal = reach && checkQuorum(next, m.isSelf, canWait ? reach : (host) => reach(host) ?? 'unreachable', false);
    if (refusal === 'waiting') return undefined;
    m.isConfiguring = false;
    if (refusal) return refusal;
    if (!m.isWritable || m.durable.term !== next.term) return failure('NotWritablePrimary', 'Stepped down when persisting new config');
    if (nowMs > untilMs) return failure('MaxTimeMSExpired', 'operation exceeded time limit');
    takeOver(m, next, nowMs);
    return canWait ? awaitNewConfig(call, next.term) : { ok: 1 };
  };
}

/** Waits until the new configuration is on a majority. It is installed whatever the answer: 189, 50. */
function awaitNewConfig(call: Call, term: number): Step {
  const { m } = call;
  const untilMs = deadlineOf(call);
  const words = 'Reconfig finished but failed to propagate to a majority';
  return (nowMs) => {
    if (!m.isWritable || m.durable.term !== term)
      return failure('PrimarySteppedDown', `${words} :: caused by :: Primary stepped down while waiting for replication`);
    if (isConfigCommitted(m)) return { ok: 1 };
    return nowMs < untilMs ? undefined : failure('MaxTimeMSExpired', `${words} :: caused by :: operation exceeded time limit`);
  };
}

function takeOver(m: RunningMember, next: ReplicaSetConfig, nowMs: number): void {
  const { commit } = m.durable;
  if (compareOpTimes(commit, m.committedInPreviousConfig) > 0) m.committedInPreviousConfig = commit;
  m.install(next, nowMs);
}

/** Holds for forced ones as well (_doReplSetReconfig). */
function writeConcernProblem(m: RunningMember, old: ReplicaSetConfig, next: ReplicaSetConfig): string | undefined {
  const isSet = m.durable.data[RW_CONCERN.ns]?.[RW_CONCERN.id] !== undefined;
  if (isSet || impliesMajority(old) === impliesMajority(next)) return undefined;
  return 'Reconfig attempted to install a config that would change the implicit default write concern. Use the setDefaultRWConcern command to set a cluster-wide write concern and try the reconfig again.';
}

/** As primary: gives a `newlyAdded` voter its vote once it is SECONDARY; a reconfig of its own, so the version moves. */
export function admitCaughtUp(m: RunningMember, nowMs: number): void {
  const { config } = m;
  if (!config || !m.hasNewlyAdded || !m.isWritable || m.isConfiguring) return;
  const ready = config.members.find((member) => member.newlyAdded && m.peers.get(member.host)?.state === 'SECONDARY');
  if (!ready || commitmentProblem(m)) return;
  const members = config.members.map((member) => {
    if (member !== ready) return member;
    const { newlyAdded: _done, ...voter } = member;
    return voter;
  });
  const next = { ...config, members, version: config.version + 1, term: m.durable.term };
  // An eighth voter is taken as long as it does not count, and never gets its vote.
  if (!problemOf(next)) takeOver(m, next, nowMs);
}
