/** `replSetGetStatus` of a member. Reads, changes nothing. */
import { type MemberStateName, type OpTime, type Reply, STATE_NUMBER } from './contract';
import { failure } from './failures';
import { type MemberConfig, majorityOf, votersOf } from './replica-config';
import type { RunningMember } from './running-member';

/** An optime as commands show it; `ts` becomes a BSON timestamp on the wire. */
export function wireOpTime(m: RunningMember, optime: OpTime): { ts: { seconds: number; index: number }; t: number } {
  return { ts: { seconds: Math.floor(m.oplog.atMs(optime.index) / 1000), index: optime.index }, t: optime.term };
}

function memberStatus(m: RunningMember, member: MemberConfig, nowMs: number): Record<string, unknown> {
  const isSelf = member.host === m.host;
  const peer = m.peers.get(member.host);
  const isUp = isSelf || m.hears(member.host, nowMs);
  const state: MemberStateName | 'DOWN' = isSelf ? m.state : isUp ? (peer?.state ?? 'STARTUP') : 'DOWN';
  const applied = isSelf ? m.oplog.last : (peer?.applied ?? { term: 0, index: 0 });
  const config = isSelf ? m.config : peer?.config;
  return {
    _id: member._id,
    name: member.host,
    health: isUp ? 1 : 0,
    state: STATE_NUMBER[state],
    stateStr: state === 'DOWN' ? '(not reachable/healthy)' : state,
    uptime: isSelf ? Math.floor((nowMs - m.startedMs) / 1000) : 0,
    optime: wireOpTime(m, applied),
    optimeDate: new Date(m.oplog.atMs(applied.index)),
    configVersion: config?.version ?? -1,
    configTerm: config?.term ?? -1,
    ...(isSelf ? { self: true, infoMessage: m.halted ?? '' } : { lastHeartbeat: new Date(Math.max(0, peer?.heardMs ?? 0)) }),
    ...(isSelf && m.state === 'PRIMARY' ? { electionDate: new Date(m.electedMs) } : {}),
  };
}

/** Needs a configuration: 94 before, 93 after this member was removed from it. */
export function replicaSetStatus(m: RunningMember, nowMs: number): Reply {
  const { config, durable } = m;
  if (!config) return failure('NotYetInitialized', 'no replset config has been received');
  if (!m.self) return failure('InvalidReplicaSetConfig', 'Our replica set config is invalid or we are not a member of it');
  const voters = votersOf(config);
  return {
    ok: 1,
    set: config._id,
    date: new Date(nowMs),
    myState: STATE_NUMBER[m.state],
    term: durable.term,
    heartbeatIntervalMillis: config.settings.heartbeatIntervalMillis,
    majorityVoteCount: majorityOf(config),
    writeMajorityCount: Math.min(majorityOf(config), voters.filter((member) => !member.arbiterOnly).length),
    votingMembersCount: voters.length,
    writableVotingMembersCount: voters.filter((member) => !member.arbiterOnly).length,
    optimes: { lastCommittedOpTime: wireOpTime(m, durable.commit), appliedOpTime: wireOpTime(m, m.oplog.last) },
    members: config.members.map((member) => memberStatus(m, member, nowMs)),
  };
}
