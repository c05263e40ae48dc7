/** The admin commands a member answers, shaped as MongoDB's; those that may wait are handed out as pending. Never throws. */
import type { OpTime, Reply } from './contract';
import { failure } from './failures';
import { startInitiate } from './initiate';
import { answered, type Call, deadlineOf, Pending, type Step } from './pending';
import { isConfigCommitted, RW_CONCERN, startReconfig } from './reconfig';
import { isElectable, withoutNewlyAdded } from './replica-config';
import { replicaSetStatus, wireOpTime } from './replica-set-status';
import { advanceCommit, sendEntries } from './replication';
import type { RunningMember } from './running-member';
import { startStepDown } from './step-down';

type Command = Record<string, unknown>;
type Handler = (m: RunningMember, command: Command, nowMs: number) => Reply;

/** `maxWireVersion` of MongoDB 7.0. */
const WIRE_VERSION = 21;

function hello(m: RunningMember, command: Command): Reply {
  const flag = 'hello' in command ? 'isWritablePrimary' : 'ismaster';
  const { config, self } = m;
  const base = {
    ok: 1 as const,
    helloOk: true,
    readOnly: false,
    minWireVersion: 0,
    maxWireVersion: m.options.maxWireVersion ?? WIRE_VERSION,
  };
  if (!config || !self)
    return { ...base, [flag]: false, secondary: false, isreplicaset: true, info: 'Does not have a valid replica set config' };
  const electable = config.members.filter((member) => isElectable(member) && !member.hidden);
  const passives = config.members.filter((member) => !isElectable(member) && !member.hidden && !member.arbiterOnly);
  const isPrimary = m.state === 'PRIMARY';
  const { last } = m.oplog;
  const { commit, term } = m.durable;
  const date = (optime: OpTime) => new Date(Math.floor(m.oplog.atMs(optime.index) / 1000) * 1000);
  return {
    ...base,
    setName: config._id,
    setVersion: config.version,
    [flag]: m.isWritable,
    // A primary that is about to step down takes no writes any more and calls itself secondary (_makeHelloResponse).
    secondary: m.state === 'SECONDARY' || (isPrimary && !m.isWritable),
    hosts: electable.map((member) => member.host),
    ...(passives.length > 0 ? { passives: passives.map((member) => member.host) } : {}),
    ...(isElectable(self) ? {} : { passive: true }),
    ...(m.primary ? { primary: m.primary } : {}),
    me: m.host,
    ...(m.isWritable ? { electionId: `7fffffff${term.toString(16).padStart(16, '0')}` } : {}),
    lastWrite: {
      opTime: wireOpTime(m, last),
      lastWriteDate: date(last),
      majorityOpTime: wireOpTime(m, commit),
      majorityWriteDate: date(commit),
    },
  };
}

function getConfig(m: RunningMember, command: Command): Reply {
  if (!m.config) return failure('NotYetInitialized', 'no replset config has been received');
  const answer: Reply = { ok: 1, config: { ...withoutNewlyAdded(m.config), protocolVersion: 1 } };
  if (!command.commitmentStatus) return answer;
  if (m.state !== 'PRIMARY') return failure('NotWritablePrimary', 'commitmentStatus is only supported on primary.');
  return { ...answer, commitmentStatus: isConfigCommitted(m) };
}

function setDefaultConcern(m: RunningMember, command: Command, nowMs: number): Reply {
  if (!m.isWritable) return failure('NotWritablePrimary', 'not primary');
  const { defaultWriteConcern, defaultReadConcern } = command;
  if (!defaultWriteConcern && !defaultReadConcern)
    return failure('BadValue', 'At least one of the "defaultReadConcern" or "defaultWriteConcern" fields must be present');
  const doc = JSON.parse(
    JSON.stringify({
      ...currentConcern(m),
      ...(defaultReadConcern ? { defaultReadConcern } : {}),
      ...(defaultWriteConcern ? { defaultWriteConcern } : {}),
    }),
  );
  m.oplog.append({ term: m.durable.term, index: m.oplog.last.index + 1, atMs: nowMs, changes: [{ op: 'put', ...RW_CONCERN, doc }] });
  advanceCommit(m);
  sendEntries(m, nowMs);
  return { ok: 1, ...doc, defaultWriteConcernSource: 'global', defaultReadConcernSource: defaultReadConcern ? 'global' : 'implicit' };
}

function currentConcern(m: RunningMember): Record<string, unknown> {
  const stored = m.durable.data[RW_CONCERN.ns]?.[RW_CONCERN.id];
  return stored && typeof stored === 'object' && !Array.isArray(stored) ? stored : {};
}

function getDefaultConcern(m: RunningMember): Reply {
  const stored = currentConcern(m);
  return {
    ok: 1,
    defaultReadConcern: { level: 'local' },
    defaultWriteConcern: { w: 'majority', wtimeout: 0 },
    ...stored,
    defaultWriteConcernSource: 'defaultWriteConcern' in stored ? 'global' : 'implicit',
    defaultReadConcernSource: 'defaultReadConcern' in stored ? 'global' : 'implicit',
  };
}

const HANDLERS: Record<string, Handler> = {
  hello,
  isMaster: hello,
  ismaster: hello,
  ping: () => ({ ok: 1 }),
  buildInfo: () => ({ ok: 1, version: '7.0.0', versionArray: [7, 0, 0, 0], modules: ['stand-in'], standIn: true }),
  replSetGetConfig: getConfig,
  replSetGetStatus: (m, _command, nowMs) => replicaSetStatus(m, nowMs),
  setDefaultRWConcern: setDefaultConcern,
  getDefaultRWConcern: getDefaultConcern,
};

/** Commands that MongoDB answers only after something has come about. */
const WAITING: Record<string, (call: Call) => Step> = {
  replSetInitiate: startInitiate,
  replSetReconfig: startReconfig,
  replSetStepDown: startStepDown,
};

const own = <T>(table: Record<string, T>, name: string): T | undefined => (Object.hasOwn(table, name) ? table[name] : undefined);

/** Begins one command document; its first field names the command. Unknown ones answer 59 CommandNotFound. */
export function beginAdminCommand(call: Call): Pending {
  const { m, command, nowMs } = call;
  const name = Object.keys(command)[0] ?? '';
  const handler = own(HANDLERS, name);
  if (handler) return answered(handler(m, command, nowMs));
  const start = own(WAITING, name);
  if (!start) return answered(failure('CommandNotFound', `no such command: '${name}'`));
  const pending = new Pending(start(call), deadlineOf(call));
  pending.look(nowMs);
  return pending;
}

/** Runs one command document without waiting. */
export function runAdminCommand(call: Omit<Call, 'canWait'>): Reply {
  const { reply } = beginAdminCommand({ ...call, canWait: false });
  return reply ?? failure('MaxTimeMSExpired', 'operation exceeded time limit');
}
