/**
 * Plans the members of the replica set, one change at a time.
 * Order of a replacement: add without a vote, wait until it has caught up, remove the dead voter, raise the vote (facts, section 1).
 * Never plans a forced reconfig, never changes two voters at once, never takes a living majority away.
 */
import type { MemberChange } from '../jobs';
import type { Node } from '../observation';
import { hostOf, type Slot } from '../slots';
import { planInitiate, planWriteConcern } from './bootstrap';
import { helloOf, type Member, majorityOf } from './mongo-view';
import { common, emptyStep, mayTry, type Situation, type Step } from './situation';
import { mayBeMember } from './start-barrier';
import { expectedConfig, stepDownJob } from './step-down';

/** Hosts the spec wants as voters, by slot, as far as their nodes exist. */
function desiredHosts(s: Situation): Map<string, Slot> {
  const hosts = new Map<string, Slot>();
  for (const slot of s.slots.wanted.mongo) {
    const host = slot.current ? hostOf(slot.current) : undefined;
    if (host && !s.mongo.members.some((m) => m.taken && m.host === host)) hosts.set(host, slot);
  }
  return hosts;
}

/** Whether a member without a vote has caught up for long enough. */
function hasCaughtUp(s: Situation, member: Member): boolean {
  const since = s.memory.caughtUpSinceMs[member.host];
  return member.serving && since !== undefined && s.nowMs - since >= s.spec.policy.mongoCaughtUpForS * 1000;
}

/**
 * Voters that hold the data are a majority of the present voters and of those after the change (facts, section 1, rules 1 and 2):
 * a member that answers but is still copying or rolling back keeps no majority alive.
 */
function keepsMajority(members: readonly Member[], change: MemberChange): boolean {
  const before = members.filter((m) => m.votes);
  const after = members.filter((m) => (m.host === change.host ? change.change === 'raise-vote' : m.votes));
  const isMajority = (voters: readonly Member[]) => voters.filter((m) => m.serving).length >= majorityOf(voters.length);
  return isMajority(before) && isMajority(after);
}

interface Wish {
  change: MemberChange;
  reason: string;
}

/** The primary, and no other voter lives: it can't step down before another member has a vote. */
function isSoleVoice(s: Situation, { host }: Member): boolean {
  return host === s.mongo.primary?.host && !s.mongo.members.some((m) => m.votes && m.serving && m.host !== host);
}

/** Who goes first: dead voters, then those that hold no data at the moment, secondaries, the primary last. */
function goesAfter(s: Situation, { host, living, serving }: Member): number {
  return Number(living) + Number(serving) + Number(host === s.mongo.primary?.host);
}

/** A voter nobody wants goes when its successor has caught up, or when there are more voters than wanted; dead ones first. */
function wishRemoval(s: Situation, desired: Map<string, Slot>): Wish | undefined {
  const { members } = s.mongo;
  const silent = members.find((m) => !m.votes && !desired.has(m.host));
  if (silent) return { change: { change: 'remove', host: silent.host }, reason: `${silent.host} has no vote and no slot any more` };
  const voters = members.filter((m) => m.votes);
  const unwanted = voters.filter((m) => !desired.has(m.host)).sort((a, b) => goesAfter(s, a) - goesAfter(s, b));
  const [goer] = unwanted;
  if (!goer || isSoleVoice(s, goer)) return undefined;
  // Its node would start empty as a voter: the address leaves the set first, and joins as a new member does.
  if (goer.taken)
    return {
      change: { change: 'remove', host: goer.host },
      reason: `${goer.host} is the address of a new node by now; the member is gone`,
    };
  const state = goer.living ? 'is not wanted' : 'is dead';
  if (voters.length > s.spec.mongo.count)
    return {
      change: { change: 'remove', host: goer.host },
      reason: `${goer.host} ${state}; ${voters.length} voters, ${s.spec.mongo.count} wanted`,
    };
  const successor = members.find((m) => !m.votes && desired.has(m.host) && hasCaughtUp(s, m));
  if (successor)
    return {
      change: { change: 'remove', host: goer.host },
      reason: `${goer.host} ${state} and its successor ${successor.host} has caught up`,
    };
  return undefined;
}

function wishVote(s: Situation, desired: Map<string, Slot>): Wish | undefined {
  const voters = s.mongo.members.filter((m) => m.votes);
  // One voter more than wanted for a moment, where the only living one is to leave: nobody else could lead after it.
  const room = voters.some((m) => !desired.has(m.host) && isSoleVoice(s, m)) ? 1 : 0;
  if (voters.length >= s.spec.mongo.count + room) return undefined;
  const ready = s.mongo.members.find((m) => !m.votes && desired.has(m.host) && hasCaughtUp(s, m));
  return (
    ready && {
      change: { change: 'raise-vote', host: ready.host },
      reason: `${ready.host} has caught up; ${voters.length} of ${s.spec.mongo.count} votes`,
    }
  );
}

/** Why a host that is no member must not become one; undefined when it may. */
function joiningBarrier(s: Situation, host: string, { slot, current }: Slot): string | undefined {
  const hello = current && helloOf(current);
  if (!hello) return undefined;
  const wayOut = 'terminate its instance if nobody needs its data, and a new one comes';
  if (hello.setName === s.spec.mongo.replicaSet)
    return `${slot} (${host}) says it is a member of ${hello.setName}, but that set does not know it: it is not added and not wiped; ${wayOut}`;
  if (hello.setName) return `${slot} (${host}) belongs to another replica set, ${hello.setName}: it is not added and not wiped; ${wayOut}`;
  const [its, the] = [hello.maxWireVersion, s.mongo.primary?.hello.maxWireVersion];
  if (its !== the)
    return `${slot} (${host}) speaks wire version ${its ?? 'unknown'}, the primary ${the ?? 'unknown'}: members of another MongoDB series are not added; give it the primary's series, then terminate its instance`;
  return undefined;
}

function wishMember(s: Situation, desired: Map<string, Slot>, step: Step): Wish | undefined {
  const known = new Set(s.mongo.members.map((m) => m.host));
  for (const [host, slot] of desired) {
    if (known.has(host) || slot.current?.health.health !== 'healthy') continue;
    const barrier = joiningBarrier(s, host, slot);
    const memberId = s.memory.memberIds[host] ?? s.memory.nextMemberId;
    if (barrier) step.blocked.push(barrier);
    else if (memberId === 0) step.notes.push(`${slot.slot} (${host}) is added once the ids of the set are known`);
    else
      return {
        change: { change: 'add', host, memberId },
        reason: `${slot.slot} (${host}) is up and not a member yet; it joins without a vote`,
      };
  }
  return undefined;
}

function planChange(s: Situation, wish: Wish, step: Step): void {
  const { primary, members } = s.mongo;
  if (!primary) return;
  if (wish.change.change === 'remove' && wish.change.host === primary.host) {
    const job = stepDownJob(s, `${primary.host} is to leave and is the primary: it steps down first`);
    if (job) step.jobs.push(job);
    else if (mayTry(s, 'step-down'))
      step.blocked.push(`${primary.host} is the primary and no other voter could lead: it is not stepped down`);
    return;
  }
  if (!keepsMajority(members, wish.change)) {
    step.blocked.push(`replica set: ${wish.change.change} ${wish.change.host} would leave no living majority`);
    return;
  }
  const base = `reconfig/${wish.change.change}/${wish.change.host}`;
  if (!mayTry(s, base)) return;
  step.jobs.push({
    kind: 'reconfigReplicaSet',
    ...common(s, base, wish.reason),
    instanceId: primary.node.fact.instanceId,
    replicaSet: s.spec.mongo.replicaSet,
    change: wish.change,
    expect: expectedConfig(s),
  });
}

/** How far a joining member is; without a running clock, which would make every look a news. */
function catchingUp(s: Situation, { host, node }: Member): string {
  const { mongoCaughtUpForS, mongoSyncMaxS, mongoLagMaxS } = s.spec.policy;
  const isCaughtUp = s.memory.caughtUpSinceMs[host] !== undefined;
  const state = isCaughtUp
    ? `has caught up and is watched for ${mongoCaughtUpForS} s (lag of ${mongoLagMaxS} s at most)`
    : `is catching up (${mongoSyncMaxS} s at most)`;
  return `replica set: ${node?.fact.slot ?? host} joins without a vote and ${state}`;
}

/** A voter of a set without a majority, as a person must know it. */
function knownOf({ host, node, living }: Member): string {
  const lastWriteS = living && node ? helloOf(node)?.lastWriteS : undefined;
  const shown = lastWriteS === undefined ? 'newest write unknown' : `newest write ${new Date(lastWriteS * 1000).toISOString()}`;
  return `${node?.fact.slot ?? host} ${living ? `answers (${shown})` : 'does not answer'}`;
}

/** All that may know the set answer, and none does: one never configured runs no mongod, one never well was never made a member. */
function isForgotten({ slots }: Situation): boolean {
  const present = slots.wanted.mongo.flatMap(({ current }) => current ?? []);
  const isAsked = (node: Node) => helloOf(node) !== undefined || node.configVersion === undefined || !node.health.everHealthy;
  return present.every(isAsked) && present.some((node) => helloOf(node) !== undefined);
}

/** Those that may be members, when all of them are dead. */
function deadMembers({ observation }: Situation): Node[] {
  const maybe = observation.nodes.filter(mayBeMember);
  return maybe.every(({ health }) => health.health === 'dead') ? maybe : [];
}

/** Too few voters live for a primary, also where so few are left that nobody tells how many there were. */
export function isMajorityLost(s: Situation): boolean {
  if (!s.mongo.initiated || s.mongo.majority) return false;
  return s.mongo.voters > 0 || isForgotten(s) || deadMembers(s).length > 0;
}

/** What is said of a set that was initiated, while no member tells its configuration. */
function sayNobodyKnows(s: Situation, step: Step): void {
  const dead = deadMembers(s);
  if (isForgotten(s))
    step.blocked.push(
      'the replica set was initiated before, yet no member knows it: it is never initiated twice, a person must look (docs/runbook.md#majority-lost)',
    );
  else if (dead.length > 0)
    step.blocked.push(
      `majority lost: no member of the replica set answers (${dead.map(({ fact }) => `${fact.slot}, ${fact.instanceId}`).join('; ')}), and nothing starts in their place while one may hold its data: bring one back, or see docs/runbook.md#majority-lost`,
    );
  else step.notes.push('replica set: no member answers with a configuration');
}

/** What the replica set needs next: at most one change of its members. */
export function planReplicaSet(s: Situation): Step {
  const step = emptyStep();
  if (!s.mongo.initiated) {
    planInitiate(s, step);
    return step;
  }
  if (s.mongo.members.length === 0) {
    sayNobodyKnows(s, step);
    return step;
  }
  if (!s.mongo.majority) {
    const { votersLiving, voters, members } = s.mongo;
    const known = members.filter((m) => m.votes).map(knownOf);
    step.blocked.push(
      `majority lost: ${votersLiving} of ${voters} voters answer, ${majorityOf(voters)} needed; no reconfig is possible and none is forced: ${known.join(', ')}; bring members back, or see: fiware-ha repair-majority ${s.spec.name} (docs/runbook.md#majority-lost)`,
    );
    return step;
  }
  if (!s.mongo.primary) {
    step.notes.push('replica set: no primary at the moment, its members elect one');
    return step;
  }
  planWriteConcern(s, step);
  const desired = desiredHosts(s);
  const wish = wishRemoval(s, desired) ?? wishVote(s, desired) ?? wishMember(s, desired, step);
  if (wish) planChange(s, wish, step);
  else for (const member of s.mongo.members) if (!member.votes) step.notes.push(catchingUp(s, member));
  return step;
}
