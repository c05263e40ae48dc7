/** The admin commands a member answers, shaped as MongoDB's. Waits for nothing and never throws. */
import type { OpTime, Reach, Reply } from './contract';
import { failure } from './failures';
import { initiate, isConfigCommitted, RW_CONCERN, reconfigure } from './reconfig';
import { isElectable, isVoter, majorityOf, withoutNewlyAdded } from './replica-config';
import { replicaSetStatus, wireOpTime } from './replica-set-status';
import { advanceCommit, sendEntries } from './replication';
import type { RunningMember } from './running-member';

type Command = Record<string, unknown>;
type Handler = (m: RunningMember, command: Command, nowMs: number, reach?: (host: string) => Reach) => Reply;

function hello(m: RunningMember, command: Command): Reply {
  const flag = 'hello' in command ? 'isWritablePrimary' : 'ismaster';
  const { config, self } = m;
  const base = { ok: 1 as const, helloOk: true, readOnly: false };
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
    [flag]: isPrimary,
    secondary: m.state === 'SECONDARY',
    hosts: electable.map((member) => member.host),
    ...(passives.length > 0 ? { passives: passives.map((member) => member.host) } : {}),
    ...(isElectable(self) ? {} : { passive: true }),
    ...(m.primary ? { primary: m.primary } : {}),
    me: m.host,
    ...(isPrimary ? { electionId: `7fffffff${term.toString(16).padStart(16, '0')}` } : {}),
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

function hasEverything(m: RunningMember, host: string, nowMs: number): boolean {
  const peer = m.peers.get(host);
  return peer?.state === 'SECONDARY' && m.hears(host, nowMs) && peer.matched.index >= m.oplog.last.index;
}

/** Gives the lead away: only when a majority, with at least one electable member, has all of its entries. */
function stepDown(m: RunningMember, command: Command, nowMs: number): Reply {
  if (m.state !== 'PRIMARY' || !m.config) return failure('NotWritablePrimary', "not primary so can't step down");
  const asked = Number(command.replSetStepDown);
  const stepDownS = Number.isFinite(asked) && asked > 0 ? asked : 60;
  const catchUpS = Number(command.secondaryCatchUpPeriodSecs ?? Math.min(10, stepDownS));
  if (stepDownS < catchUpS) return failure('BadValue', 'stepdown period must be longer than secondaryCatchUpPeriodSecs');
  const caughtUp = m.others().filter((member) => hasEverything(m, member.host, nowMs));
  const [heir] = caughtUp.filter(isElectable).sort((a, b) => b.priority - a.priority);
  const isSafe = heir !== undefined && caughtUp.filter(isVoter).length + 1 >= majorityOf(m.config);
  if (!isSafe && !command.force)
    return failure(
      'ExceededTimeLimit',
      'No electable secondaries caught up. Please use the replSetStepDown command with the argument {force: true} to force node to step down.',
    );
  m.frozenUntilMs = nowMs + stepDownS * 1000;
  m.becomeSecondary(nowMs);
  m.heartbeatAll(nowMs);
  if (heir) m.send(heir.host, { kind: 'standNow' });
  return { ok: 1 };
}

function setDefaultConcern(m: RunningMember, command: Command, nowMs: number): Reply {
  if (m.state !== 'PRIMARY') return failure('NotWritablePrimary', 'not primary');
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
  replSetInitiate: (m, command, nowMs, reach) => initiate(m, command.replSetInitiate, nowMs, reach),
  replSetGetConfig: getConfig,
  replSetReconfig: reconfigure,
  replSetGetStatus: (m, _command, nowMs) => replicaSetStatus(m, nowMs),
  replSetStepDown: stepDown,
  setDefaultRWConcern: setDefaultConcern,
  getDefaultRWConcern: getDefaultConcern,
};

/** Runs one command document; its first known field names the command. Unknown ones answer 59 CommandNotFound. */
export function runAdminCommand(m: RunningMember, command: Command, nowMs: number, reach?: (host: string) => Reach): Reply {
  const name = Object.keys(command)[0] ?? '';
  const handler = Object.hasOwn(HANDLERS, name) ? HANDLERS[name] : undefined;
  return handler ? handler(m, command, nowMs, reach) : failure('CommandNotFound', `no such command: '${name}'`);
}
