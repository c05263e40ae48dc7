/** The primary of a state as the real script sees it: answers its commands by the real rules of a configuration. Never lets one be forced. */
import { checkQuorum, markNewVoters, parseConfig, problemOf, selfProblem, transitionProblem } from '../replica-set/config-rules';
import type { Failure, Reach, Reply } from '../replica-set/contract';
import { failure } from '../replica-set/failures';
import { isVoter as isVotingMember, type MemberConfig, type ReplicaSetConfig } from '../replica-set/replica-config';
import { type Entity, get, MEMBER, put, runs, serves } from './entity';
import { commit } from './environment';
import { hostAt, hostsOf, indexOfHost, REPLICA_SET, VERSION } from './situation-of';
import { clone, entitiesOf, INITIATED, isMajority, mapEntities, PENDING, type State } from './state';

type Command = Record<string, unknown>;
const SETTINGS = { heartbeatIntervalMillis: 2_000, electionTimeoutMillis: 10_000, replicaSetId: '0'.repeat(24) };

/** The configuration the primary runs; each host has an `_id` of its own. */
export function configOf(state: State): ReplicaSetConfig {
  const members = entitiesOf(state).flatMap((entity, i): MemberConfig[] => {
    const member = get(entity, 'member');
    if (member === MEMBER.none) return [];
    const vote = member === MEMBER.voter ? 1 : 0;
    return [{ _id: i, host: hostAt(i), arbiterOnly: false, hidden: false, priority: vote, votes: vote }];
  });
  return { _id: REPLICA_SET, version: VERSION, term: 1, members, settings: SETTINGS };
}

export class AbstractMember {
  /** What became of the state; the given one stays as it is. */
  state: State;
  /** Every command it was given. */
  readonly given: Command[] = [];

  constructor(
    state: State,
    /** Which entity it is. */
    private readonly self: number,
    /** Who misses the news of its removal goes on claiming to be a member. */
    private readonly staleClaims: boolean,
  ) {
    this.state = clone(state);
  }

  adminCommand(command: Command): Reply {
    this.given.push(command);
    const name = Object.keys(command)[0] ?? '';
    switch (name) {
      case 'hello':
        return this.hello();
      case 'replSetGetConfig':
        return this.isMember()
          ? { ok: 1, config: configOf(this.state) }
          : failure('NotYetInitialized', 'no replset config has been received');
      case 'replSetGetStatus':
        return { ok: 1, members: this.status() };
      case 'replSetReconfig':
        return this.reconfigure(command);
      case 'replSetStepDown':
        return this.stepDown();
      case 'replSetInitiate':
        return this.initiate(command);
      default:
        return failure('CommandNotFound', `no such command: '${name}'`);
    }
  }

  private entity(): Entity {
    return entitiesOf(this.state)[this.self] ?? 0;
  }

  private isMember(): boolean {
    return get(this.entity(), 'member') !== MEMBER.none;
  }

  private readonly isSelf = (host: string) => indexOfHost(host) === this.self;

  private readonly reach = (host: string): Reach => {
    const entity = entitiesOf(this.state)[indexOfHost(host)];
    if (entity === undefined || !runs(entity)) return 'unreachable';
    return get(entity, 'member') !== MEMBER.none || get(entity, 'stale') ? { setName: REPLICA_SET } : 'fresh';
  };

  private hello(): Reply {
    const isWritablePrimary = get(this.entity(), 'primary') === 1;
    return { ok: 1, setName: REPLICA_SET, setVersion: VERSION, isWritablePrimary, secondary: !isWritablePrimary };
  }

  private status(): Record<string, unknown>[] {
    return entitiesOf(this.state).flatMap((entity, i) => {
      if (get(entity, 'member') === MEMBER.none) return [];
      const state = !runs(entity) ? 8 : get(entity, 'primary') ? 1 : serves(entity) ? 2 : 3;
      return [
        {
          _id: i,
          name: hostAt(i),
          health: runs(entity) ? 1 : 0,
          state,
          stateStr: String(state),
          ...(i === this.self ? { self: true } : {}),
        },
      ];
    });
  }

  private reconfigure({ replSetReconfig }: Command): Reply {
    if (!get(this.entity(), 'primary')) return failure('NotWritablePrimary', 'Safe reconfig is only allowed on a writable PRIMARY.');
    if (this.state.pending !== PENDING.none) return failure('CurrentConfigNotCommittedYet', 'the current config is not majority committed');
    const old = configOf(this.state);
    const parsed = parseConfig(replSetReconfig, REPLICA_SET, SETTINGS);
    if ('ok' in parsed) return parsed;
    const next = markNewVoters(old, { ...parsed.config, term: old.term });
    const problem = problemOf(next) ?? transitionProblem(old, next);
    if (problem) return failure('NewReplicaSetConfigurationIncompatible', problem);
    const refusal = selfProblem(next, this.isSelf) ?? this.quorumProblem(next, false);
    if (refusal) return refusal;
    this.install(next);
    return { ok: 1 };
  }

  /** Every host of a state answers or does not: nothing is waited for. */
  private quorumProblem(config: ReplicaSetConfig, isInitiate: boolean): Failure | undefined {
    const problem = checkQuorum(config, this.isSelf, this.reach, isInitiate);
    return problem === 'waiting' ? undefined : problem;
  }

  /** Takes the change over; until a majority runs it, it is pending. A command that changes several members leaves the last as pending. */
  private install(next: ReplicaSetConfig): void {
    const members = new Map(
      next.members.map((member) => [indexOfHost(member.host), isVotingMember(member) ? MEMBER.voter : MEMBER.silent]),
    );
    mapEntities(this.state, (entity, i) => {
      const before = get(entity, 'member');
      const after = members.get(i) ?? MEMBER.none;
      if (before === after) return entity;
      this.state.pending = pendingKind(before, after);
      const isAway = after === MEMBER.none && !runs(entity);
      // It misses its own removal and will find out when it comes back.
      const marked = put(put(entity, 'member', after), 'pending', 1);
      return before === MEMBER.none ? put(marked, 'synced', 0) : isAway ? put(marked, 'stale', Number(this.staleClaims)) : marked;
    });
    // A primary that is the only voter is the majority itself.
    if (votersNow(this.state).length === 1) this.state = commit(this.state) ?? this.state;
  }

  private stepDown(): Reply {
    if (!get(this.entity(), 'primary')) return failure('NotWritablePrimary', "not primary so can't step down");
    const all = entitiesOf(this.state);
    const voters = all.filter((entity) => get(entity, 'member') === MEMBER.voter);
    const heirs = voters.filter((entity) => serves(entity) && !get(entity, 'primary'));
    if (heirs.length === 0 || !isMajority({ voters: voters.length, living: heirs.length + 1 }))
      return failure('ExceededTimeLimit', 'No electable secondaries caught up.');
    mapEntities(this.state, (entity) => put(entity, 'primary', 0));
    return { ok: 1 };
  }

  private initiate({ replSetInitiate }: Command): Reply {
    if (this.isMember() || get(this.entity(), 'stale')) return failure('AlreadyInitialized', 'already initialized');
    const parsed = parseConfig(replSetInitiate, REPLICA_SET, SETTINGS);
    if ('ok' in parsed) return parsed;
    const problem = problemOf(parsed.config);
    if (problem) return failure('InvalidReplicaSetConfig', problem);
    const refusal = selfProblem(parsed.config, this.isSelf) ?? this.quorumProblem(parsed.config, true);
    if (refusal) return refusal;
    const members = new Set(parsed.config.members.map(({ host }) => indexOfHost(host)));
    mapEntities(this.state, (entity, i) => {
      if (members.has(i)) return put(put(entity, 'member', MEMBER.voter), 'synced', 1);
      // A set begun before and never seen by anybody is left behind.
      return get(entity, 'member') === MEMBER.none ? entity : put(put(put(entity, 'member', MEMBER.none), 'primary', 0), 'stale', 1);
    });
    if (this.state.initiated === INITIATED.no) this.state.initiated = INITIATED.unseen;
    return { ok: 1 };
  }
}

function pendingKind(before: number, after: number): number {
  if (before === MEMBER.none) return PENDING.added;
  if (after === MEMBER.none) return before === MEMBER.voter ? PENDING.removedVoter : PENDING.removedSilent;
  return PENDING.raised;
}

/** Hosts that vote in a configuration a command carries; undefined when it carries none. */
export function votersIn(command: Command): string[] | undefined {
  const config = command.replSetReconfig;
  if (config === null || typeof config !== 'object') return undefined;
  const { members } = config as ReplicaSetConfig;
  return members.filter((member) => member.votes !== 0).map(({ host }) => host);
}

export function votersNow(state: State): string[] {
  return hostsOf(state).voters;
}
