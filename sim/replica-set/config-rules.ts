/** The rules a replica-set configuration must obey, with MongoDB's codes and words; reads no member's state. */
import type { Failure, MemberOptions, ReachFunction } from './contract';
import { type ErrorCodeName, failure } from './failures';
import { compareConfigs, isElectable, isVoter, type MemberConfig, majorityOf, type ReplicaSetConfig, votersOf } from './replica-config';

const MEMBERS_MAX = 50;
const VOTERS_MAX = 7;
/** Older servers refuse higher ids. */
const MEMBER_ID_MAX = 255;

const MEMBER_FIELDS = new Set(['_id', 'host', 'arbiterOnly', 'hidden', 'priority', 'votes', 'buildIndexes', 'tags', 'secondaryDelaySecs']);

export interface ConfigDefaults {
  heartbeatIntervalMillis: number;
  electionTimeoutMillis: number;
  replicaSetId: string;
}

/** What a set's configuration takes where it names nothing. */
export function defaultsFor({ electionTimeoutMs = 10_000, heartbeatEveryMs = 2_000 }: MemberOptions, replicaSetId: string): ConfigDefaults {
  return { electionTimeoutMillis: electionTimeoutMs, heartbeatIntervalMillis: heartbeatEveryMs, replicaSetId };
}

type Checked<T> = { value: T } | { problem: string };
const isRecord = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value);

/** MongoDB numbers arrive as numbers; anything else is no number. */
function isWholeNumber(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

/** One member; the rules between its own fields are those of member_config.cpp. */
function parseMember(input: unknown): Checked<MemberConfig> {
  if (!isRecord(input)) return { problem: `member: expected an object, got ${JSON.stringify(input)}` };
  const unknown = Object.keys(input).find((field) => !MEMBER_FIELDS.has(field));
  if (unknown) return { problem: `BSON field 'MemberConfig.${unknown}' is an unknown field.` };
  const { _id, host, arbiterOnly = false, hidden = false, priority = arbiterOnly ? 0 : 1, votes = 1 } = input;
  const { secondaryDelaySecs = 0, buildIndexes = true } = input;
  if (!isWholeNumber(_id, 0, MEMBER_ID_MAX))
    return { problem: `_id field value of ${_id} is out of range, expected 0 to ${MEMBER_ID_MAX}` };
  if (typeof host !== 'string' || !/^[^\s:,/]+(:\d{1,5})?$/.test(host))
    return { problem: `member: host ${JSON.stringify(host)} is not a host and port` };
  if (votes !== 0 && votes !== 1) return { problem: `votes field value is ${votes} but must be 0 or 1` };
  if (typeof priority !== 'number' || !(priority >= 0 && priority <= 1000))
    return { problem: `priority field value of ${priority} is out of range` };
  if (arbiterOnly && votes === 0) return { problem: 'Arbiter must vote (cannot have 0 votes)' };
  if (priority > 0 && !arbiterOnly) {
    if (votes === 0) return { problem: 'priority must be 0 when non-voting (votes:0)' };
    if (hidden) return { problem: 'priority must be 0 when hidden=true' };
    if (secondaryDelaySecs) return { problem: 'priority must be 0 when secondaryDelaySecs is used' };
    if (!buildIndexes) return { problem: 'priority must be 0 when buildIndexes=false' };
  }
  const withPort = host.includes(':') ? host : `${host}:27017`;
  return { value: { _id, host: withPort, arbiterOnly: arbiterOnly === true, hidden: hidden === true, priority, votes } };
}

/**
 * A configuration document as a value with its defaults filled in.
 * Errors: 93 InvalidReplicaSetConfig, also for a set name other than `replicaSet` and for a supplied `newlyAdded`.
 */
export function parseConfig(input: unknown, replicaSet: string, defaults: ConfigDefaults): { config: ReplicaSetConfig } | Failure {
  const bad = (problem: string) => failure('InvalidReplicaSetConfig', problem);
  if (!isRecord(input)) return bad(`expected a configuration document, got ${JSON.stringify(input)}`);
  const { _id, version = 1, term = 0, members, settings = {} } = input;
  if (_id !== replicaSet) return bad(`Attempting to use a replica set with name ${_id}, but command line reports ${replicaSet}; rejecting`);
  if (!isWholeNumber(version, 1, 2 ** 31 - 1)) return bad(`version field value of ${version} is out of range`);
  if (!Array.isArray(members)) return bad("BSON field 'ReplSetConfig.members' is missing but a required field");
  if (!isRecord(settings)) return bad('settings: expected an object');
  const parsed: MemberConfig[] = [];
  for (const one of members) {
    if (isRecord(one) && 'newlyAdded' in one) return bad('Cannot provide newlyAdded field to member config during reconfig or initiate');
    const member = parseMember(one);
    if ('problem' in member) return bad(member.problem);
    parsed.push(member.value);
  }
  const duration = (name: keyof ConfigDefaults) => {
    const value = settings[name];
    return isWholeNumber(value, 1, 2 ** 31 - 1) ? value : Number(defaults[name]);
  };
  return {
    config: {
      _id: replicaSet,
      version,
      term: typeof term === 'number' ? term : 0,
      members: parsed,
      settings: {
        heartbeatIntervalMillis: duration('heartbeatIntervalMillis'),
        electionTimeoutMillis: duration('electionTimeoutMillis'),
        replicaSetId: defaults.replicaSetId,
      },
    },
  };
}

const isLocal = (host: string) => /^(localhost|127\.|\[?::1)/.test(host);

/** What holds for every configuration: ReplSetConfig::_validate in repl_set_config.cpp. The first broken rule in words. */
export function problemOf(config: ReplicaSetConfig): string | undefined {
  const { members } = config;
  if (members.length === 0 || members.length > MEMBERS_MAX)
    return `Replica set configuration contains ${members.length} members, but must have at least 1 and no more than  ${MEMBERS_MAX}`;
  for (const field of ['_id', 'host'] as const) {
    const seen = new Map<string | number, number>();
    for (const [i, member] of members.entries()) {
      const first = seen.get(member[field]);
      if (first !== undefined)
        return `Found two member configurations with same ${field} field, members.${first}.${field} == members.${i}.${field} == ${member[field]}`;
      seen.set(member[field], i);
    }
  }
  const locals = members.filter((m) => isLocal(m.host)).length;
  if (locals !== 0 && locals !== members.length)
    return `Either all host names in a replica set configuration must be localhost references, or none must be; found ${locals} out of ${members.length}`;
  const voters = members.filter(isVoter).length;
  if (voters === 0 || voters > VOTERS_MAX)
    return `Replica set configuration contains ${voters} voting members, but must be at least 1 and no more than ${VOTERS_MAX}`;
  if (!members.some(isElectable)) return 'Replica set configuration must contain at least one non-arbiter member with priority > 0';
  const arbiter = members.find((m) => m.arbiterOnly && m.priority !== 0);
  return arbiter && `Member ${arbiter.host} is an arbiter but has priority ${arbiter.priority}. Arbiter priority must be 0.`;
}

/** The write concern used where nobody set one is `majority`, unless arbiters leave too few members that hold data. */
export function impliesMajority(config: ReplicaSetConfig): boolean {
  const arbiters = config.members.filter((m) => m.arbiterOnly).length;
  return arbiters === 0 || votersOf(config).length - arbiters > majorityOf(config);
}

function describe({ version, term }: ReplicaSetConfig): string {
  return `{version: ${version}, term: ${term}}`;
}

/**
 * What holds between the old and the new configuration: validateOldAndNewConfigsCompatible in repl_set_config_checks.cpp, and unless
 * forced validateSingleNodeChange there.
 */
export function transitionProblem(old: ReplicaSetConfig, next: ReplicaSetConfig, isForced = false): string | undefined {
  if (compareConfigs(old, next) >= 0)
    return `New replica set configuration version and term must be greater than old, but ${describe(next)} is not greater than ${describe(old)} for replica set ${next._id}`;
  for (const now of next.members)
    for (const before of old.members) {
      if (before.host === now.host && before._id !== now._id)
        return `New and old configurations both have members with host of ${before.host} but in the new configuration the _id field is ${now._id} and in the old configuration it is ${before._id} for replica set ${next._id}`;
      if (before._id === now._id && before.arbiterOnly !== now.arbiterOnly)
        return `New and old configurations differ in the setting of the arbiterOnly field for member ${before.host}; to make this change, remove then re-add the member`;
    }
  if (isForced) return undefined;
  const oldIds = new Set(votersOf(old).map((m) => m._id));
  const newIds = new Set(votersOf(next).map((m) => m._id));
  const changed = [...oldIds].filter((id) => !newIds.has(id)).length + [...newIds].filter((id) => !oldIds.has(id)).length;
  return changed > 1 ? 'Non force replica set reconfig can only add or remove at most 1 voting member.' : undefined;
}

/** Whether this node may run the command: it must be in the configuration, once, and unless forced electable there. 74, 93 or 104. */
export function selfProblem(config: ReplicaSetConfig, isSelf: (host: string) => boolean, isForced = false): Failure | undefined {
  const mine = config.members.filter((m) => isSelf(m.host));
  const [self] = mine;
  const where = `configuration with ${describe(config)} for replica set ${config._id}`;
  if (!self) return failure('NodeNotFound', `No host described in new ${where} maps to this node`);
  if (mine.length > 1)
    return failure('InvalidReplicaSetConfig', `The hosts ${mine.map((m) => m.host).join(' and ')} all map to this node in new ${where}`);
  if (!isForced && !isElectable(self))
    return failure('NodeNotElectable', `This node, ${self.host}, with _id ${self._id} is not electable under the new ${where}`);
  return undefined;
}

/**
 * The quorum check: all others must answer before an initiate, a majority of voters before a reconfig, and nobody may object.
 * `waiting` while too few have answered. Source: check_quorum_for_config_change.cpp; 74, 103 or 110.
 */
export function checkQuorum(
  config: ReplicaSetConfig,
  isSelf: (host: string) => boolean,
  reach: ReachFunction,
  isInitiate: boolean,
): Failure | 'waiting' | undefined {
  const others = config.members.filter((m) => !isSelf(m.host)).map((member) => ({ member, answer: reach(member.host) }));
  for (const { member, answer } of others) {
    if (answer === 'hasData' && isInitiate)
      return failure('CannotInitializeNodeWithData', `'${member.host}' has data already, cannot initiate set.`);
    if (typeof answer !== 'object') continue;
    if (answer.setName !== config._id)
      return failure(
        'NewReplicaSetConfigurationIncompatible',
        `Our set name of ${config._id} does not match the set name on ${member.host}, which is ${answer.setName}`,
      );
    if (isInitiate)
      return failure(
        'NewReplicaSetConfigurationIncompatible',
        `Our config version of ${config.version} is no larger than the version on ${member.host}`,
      );
  }
  const isUndecided = others.some(({ answer }) => answer === undefined);
  const silent = others.filter(({ answer }) => answer === undefined || answer === 'unreachable').map(({ member }) => member);
  const names = silent.map((m) => `${m.host} failed with HostUnreachable`).join(', ');
  if (isInitiate && isUndecided) return 'waiting';
  if (isInitiate)
    return silent.length === 0
      ? undefined
      : failure(
          'NodeNotFound',
          `replSetInitiate quorum check failed because not all proposed set members responded affirmatively: ${names}`,
        );
  const answering = votersOf(config).filter((m) => !silent.includes(m)).length;
  if (answering >= majorityOf(config)) return undefined;
  if (isUndecided) return 'waiting';
  return failure(
    'NodeNotFound',
    `Quorum check failed because not enough voting nodes responded; required ${majorityOf(config)} but only ${answering} responded; the following nodes did not respond affirmatively: ${names}`,
  );
}

/** Rule name of a validation failure: initiate answers 93 for all of them, reconfig 103 (replication_coordinator_impl.cpp). */
export function invalid(problem: string, isInitiate: boolean): Failure {
  const codeName: ErrorCodeName = isInitiate ? 'InvalidReplicaSetConfig' : 'NewReplicaSetConfigurationIncompatible';
  return failure(codeName, problem);
}

/** New voters of a safe reconfig start as `newlyAdded`, so that they count only once they have caught up. */
export function markNewVoters(old: ReplicaSetConfig, next: ReplicaSetConfig): ReplicaSetConfig {
  const before = new Map(old.members.map((m) => [m._id, m]));
  const mark = (member: MemberConfig): MemberConfig => {
    const known = before.get(member._id);
    const isNew = known ? known.newlyAdded === true : true;
    return isNew && member.votes === 1 && !member.arbiterOnly ? { ...member, newlyAdded: true } : member;
  };
  return { ...next, members: next.members.map(mark) };
}
