/**
 * Plans the replica set: initiate once, then one member change at a time.
 * Order of a replacement: add without a vote, wait until it has caught up, remove the dead voter, raise the vote (facts, section 1).
 * Never plans a forced reconfig, never changes two voters at once, never takes a living majority away.
 */
import type { MemberChange } from '../jobs';
import { hostOf, type Slot } from '../slots';
import { helloOf, type Member, majorityOf } from './mongo-view';
import { common, emptyStep, mayTry, type Situation, type Step } from './situation';

/** How long a joining member must have kept up before it may vote, ms. */
const CAUGHT_UP_FOR_MS = 3_000;

/** Hosts the spec wants as voters, by slot, as far as their nodes exist. */
function desiredHosts(s: Situation): Map<string, Slot> {
  const hosts = new Map<string, Slot>();
  for (const slot of s.slots.wanted.mongo) {
    const host = slot.current ? hostOf(slot.current) : undefined;
    if (host) hosts.set(host, slot);
  }
  return hosts;
}

function planInitiate(s: Situation, step: Step): void {
  const slots = s.slots.wanted.mongo;
  const ready = slots.flatMap(({ current }) =>
    current?.health.health === 'healthy' && helloOf(current) && hostOf(current) ? [current] : [],
  );
  const first = ready[0];
  if (ready.length < slots.length || !first) {
    step.notes.push(`replica set: waiting for ${slots.length - ready.length} of ${slots.length} members to answer before it is initiated`);
    return;
  }
  const foreign = ready.find((node) => helloOf(node)?.setName);
  if (foreign) {
    step.blocked.push(
      `${foreign.fact.slot} belongs to the replica set ${helloOf(foreign)?.setName}, expected ${s.spec.mongo.replicaSet}: nothing is initiated or wiped`,
    );
    return;
  }
  if (!mayTry(s, 'initiate')) return;
  const members = ready.flatMap((node) => hostOf(node) ?? []);
  step.jobs.push({
    kind: 'initiateReplicaSet',
    ...common(s, 'initiate', `all ${members.length} members answer and none has a configuration yet`),
    instanceId: first.fact.instanceId,
    replicaSet: s.spec.mongo.replicaSet,
    members,
  });
}

/** Whether a member without a vote has caught up for long enough. */
function hasCaughtUp(s: Situation, member: Member): boolean {
  const since = s.memory.caughtUpSinceMs[member.host];
  return member.living && since !== undefined && s.nowMs - since >= CAUGHT_UP_FOR_MS;
}

/** Living voters are a majority of the present voters and of those after the change (facts, section 1, rules 1 and 2). */
export function keepsMajority(members: readonly Member[], change: MemberChange): boolean {
  const before = members.filter((m) => m.votes);
  const after = members.filter((m) => (m.host === change.host ? change.change === 'raise-vote' : m.votes));
  const isMajority = (voters: readonly Member[]) => voters.filter((m) => m.living).length >= majorityOf(voters.length);
  return isMajority(before) && isMajority(after);
}

interface Wish {
  change: MemberChange;
  reason: string;
}

/** The primary, and no other voter lives: it can't step down before another member has a vote. */
function isSoleVoice(s: Situation, { host }: Member): boolean {
  return host === s.mongo.primary?.host && !s.mongo.members.some((m) => m.votes && m.living && m.host !== host);
}

/** A voter nobody wants goes when its successor has caught up, or when there are more voters than wanted; dead ones first. */
function wishRemoval(s: Situation, desired: Map<string, Slot>): Wish | undefined {
  const { members } = s.mongo;
  const silent = members.find((m) => !m.votes && !desired.has(m.host));
  if (silent) return { change: { change: 'remove', host: silent.host }, reason: `${silent.host} has no vote and no slot any more` };
  const voters = members.filter((m) => m.votes);
  const unwanted = voters.filter((m) => !desired.has(m.host)).sort((a, b) => Number(a.living) - Number(b.living));
  const [goer] = unwanted;
  if (!goer || isSoleVoice(s, goer)) return undefined;
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

function wishMember(s: Situation, desired: Map<string, Slot>, step: Step): Wish | undefined {
  const known = new Set(s.mongo.members.map((m) => m.host));
  for (const [host, { slot, current }] of desired) {
    if (known.has(host) || current?.health.health !== 'healthy') continue;
    const setName = helloOf(current)?.setName;
    if (!setName)
      return { change: { change: 'add', host }, reason: `${slot} (${host}) is up and not a member yet; it joins without a vote` };
    if (setName !== s.spec.mongo.replicaSet)
      step.blocked.push(`${slot} (${host}) belongs to another replica set, ${setName}: it is not added and not wiped`);
  }
  return undefined;
}

function planChange(s: Situation, wish: Wish, step: Step): void {
  const { primary, members, setVersion } = s.mongo;
  if (!primary) return;
  const hosts = (votes: boolean) => members.filter((m) => m.votes === votes).map((m) => m.host);
  const expect = { setVersion, voters: hosts(true), nonVoters: hosts(false) };
  const fields = { instanceId: primary.node.fact.instanceId, replicaSet: s.spec.mongo.replicaSet, expect };
  if (wish.change.change === 'remove' && wish.change.host === primary.host) {
    const heir = members.some((m) => m.votes && m.living && m.host !== primary.host);
    if (!heir) step.blocked.push(`${primary.host} is the primary and no other voter lives: it is not stepped down`);
    else if (mayTry(s, 'step-down'))
      step.jobs.push({
        kind: 'stepDownPrimary',
        ...common(s, 'step-down', `${primary.host} is to leave and is the primary: it steps down first`),
        ...fields,
      });
    return;
  }
  if (!keepsMajority(members, wish.change)) {
    step.blocked.push(`replica set: ${wish.change.change} ${wish.change.host} would leave no living majority`);
    return;
  }
  const base = `reconfig/${wish.change.change}/${wish.change.host}`;
  if (mayTry(s, base)) step.jobs.push({ kind: 'reconfigReplicaSet', ...common(s, base, wish.reason), ...fields, change: wish.change });
}

/** What the replica set needs next; at most one job. */
export function planReplicaSet(s: Situation): Step {
  const step = emptyStep();
  if (!s.mongo.initiated) {
    planInitiate(s, step);
    return step;
  }
  if (s.mongo.members.length === 0) {
    const answering = s.slots.wanted.mongo.filter(({ current }) => current && helloOf(current)).length;
    if (answering > 0 && answering === s.slots.wanted.mongo.length)
      step.blocked.push(
        'the replica set was initiated before, yet no member knows it: it is never initiated twice, a person must look (docs/runbook.md#majority-lost)',
      );
    else step.notes.push('replica set: no member answers with a configuration');
    return step;
  }
  if (!s.mongo.majority) {
    const { votersLiving, voters } = s.mongo;
    step.blocked.push(
      `majority lost: ${votersLiving} of ${voters} voters answer, ${majorityOf(voters)} needed; no reconfig is possible and none is forced (docs/runbook.md#majority-lost)`,
    );
    return step;
  }
  if (!s.mongo.primary) {
    step.notes.push('replica set: no primary at the moment, its members elect one');
    return step;
  }
  const desired = desiredHosts(s);
  const wish = wishRemoval(s, desired) ?? wishVote(s, desired) ?? wishMember(s, desired, step);
  if (wish) planChange(s, wish, step);
  else if (s.mongo.members.some((m) => !m.votes)) step.notes.push('replica set: a joining member is catching up');
  return step;
}
