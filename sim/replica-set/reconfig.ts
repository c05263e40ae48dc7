/** Initiate and safe reconfig on one member: checks the rules, then installs. Never forces a configuration. */

import {
  impliesMajority,
  invalid,
  markNewVoters,
  parseConfig,
  problemOf,
  quorumProblem,
  selfProblem,
  transitionProblem,
} from './config-rules';
import type { Reach, Reply } from './contract';
import { failure } from './failures';
import { compareOpTimes } from './oplog';
import { isVoter, majorityOf, type ReplicaSetConfig } from './replica-config';
import { isOnMajority } from './replication';
import type { RunningMember } from './running-member';

export const RW_CONCERN = { ns: 'config.settings', id: '"ReadWriteConcernDefaults"' } as const;

type ReachFunction = ((host: string) => Reach) | undefined;

function defaultsFor(m: RunningMember, replicaSetId: string) {
  const { electionTimeoutMs = 10_000, heartbeatEveryMs = 2_000 } = m.options;
  return { electionTimeoutMillis: electionTimeoutMs, heartbeatIntervalMillis: heartbeatEveryMs, replicaSetId };
}

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
  if (!isOnMajority(m, m.committedInPreviousConfig))
    return `Cannot run replSetReconfig because ops committed in the previous config are not yet committed in the current config: ${at}`;
  return undefined;
}

/** `replSetInitiate`: version 1, all members reachable and without a configuration. */
export function initiate(m: RunningMember, input: unknown, nowMs: number, reach: ReachFunction): Reply {
  if (m.config) return failure('AlreadyInitialized', 'already initialized');
  const isEmpty = input === null || typeof input !== 'object' || Object.keys(input).length === 0;
  const document = isEmpty ? { _id: m.options.replicaSet, members: [{ _id: 0, host: m.options.host }] } : input;
  const id = Math.floor(m.options.random() * 2 ** 48).toString(16);
  const parsed = parseConfig(document, m.options.replicaSet, defaultsFor(m, id.padStart(24, '0')));
  if ('ok' in parsed) return parsed;
  const config: ReplicaSetConfig = { ...parsed.config, term: 1 };
  const problem =
    problemOf(config) ??
    (config.version === 1 ? undefined : `Configuration used to initiate a replica set must have version 1, but found ${config.version}`);
  if (problem) return invalid(problem, true);
  const refusal = selfProblem(config, m.isSelf) ?? (reach && quorumProblem(config, m.isSelf, reach, true));
  if (refusal) return refusal;
  m.oplog.append({ term: 0, index: m.oplog.last.index + 1, atMs: nowMs, changes: [{ op: 'noop' }] });
  m.oplog.commitTo(m.oplog.last);
  m.install(config, nowMs);
  return { ok: 1 };
}

/** `replSetReconfig` without force; the answer comes before the new configuration is on a majority. */
export function reconfigure(m: RunningMember, command: Record<string, unknown>, nowMs: number, reach: ReachFunction): Reply {
  const { config: old } = m;
  if (!old || !m.self) return failure('NotYetInitialized', 'Node not yet initialized; use the replSetInitiate command');
  if (command.force) return failure('CommandNotSupported', 'replSetReconfig with force is not modelled: use a safe reconfig');
  if (m.state !== 'PRIMARY')
    return failure('NotWritablePrimary', `Safe reconfig is only allowed on a writable PRIMARY. Current state ${m.state}`);
  const waiting = commitmentProblem(m);
  if (waiting) return failure('CurrentConfigNotCommittedYet', waiting);
  const parsed = parseConfig(command.replSetReconfig, m.options.replicaSet, {
    ...defaultsFor(m, old.settings.replicaSetId),
    ...old.settings,
  });
  if ('ok' in parsed) return parsed;
  const next = markNewVoters(old, { ...parsed.config, term: m.durable.term });
  const problem = problemOf(next) ?? transitionProblem(old, next) ?? writeConcernProblem(m, old, next);
  if (problem) return invalid(problem, false);
  const refusal = selfProblem(next, m.isSelf) ?? (reach && quorumProblem(next, m.isSelf, reach, false));
  if (refusal) return refusal;
  takeOver(m, next, nowMs);
  return { ok: 1 };
}

function takeOver(m: RunningMember, next: ReplicaSetConfig, nowMs: number): void {
  const { commit } = m.durable;
  if (compareOpTimes(commit, m.committedInPreviousConfig) > 0) m.committedInPreviousConfig = commit;
  m.install(next, nowMs);
}

function writeConcernProblem(m: RunningMember, old: ReplicaSetConfig, next: ReplicaSetConfig): string | undefined {
  const isSet = m.durable.data[RW_CONCERN.ns]?.[RW_CONCERN.id] !== undefined;
  if (isSet || impliesMajority(old) === impliesMajority(next)) return undefined;
  return 'Reconfig attempted to install a config that would change the implicit default write concern. Use the setDefaultRWConcern command to set a cluster-wide write concern and try the reconfig again.';
}

/** As primary: gives a `newlyAdded` voter its vote once it is SECONDARY; a reconfig of its own, so the version moves. */
export function admitCaughtUp(m: RunningMember, nowMs: number): void {
  const { config } = m;
  if (m.state !== 'PRIMARY' || !config || !m.hasNewlyAdded) return;
  const ready = config.members.find((member) => member.newlyAdded && m.peers.get(member.host)?.state === 'SECONDARY');
  if (!ready || commitmentProblem(m)) return;
  const members = config.members.map((member) => {
    if (member !== ready) return member;
    const { newlyAdded: _done, ...voter } = member;
    return voter;
  });
  takeOver(m, { ...config, members, version: config.version + 1, term: m.durable.term }, nowMs);
}
