/** The status people see: slots, addresses, what is under way. Summarizes a situation and a plan; judges only whether all is as it should be. */
import type { JobKind } from './jobs';
import type { SlotSummary, StatusSummary } from './memory';
import { ROLES } from './names';
import type { Node } from './observation';
import { isSpread } from './plan/entry-spread';
import { helloOf } from './plan/mongo-view';
import type { Plan } from './plan/plan';
import { planReplicaSet } from './plan/replica-set';
import { isRollingOut } from './plan/rollout';
import { summarizeRollouts } from './plan/rollout-words';
import type { Situation } from './plan/situation';
import { isInStep, wantedConfigOf } from './plan/wanted-config';
import { hostOf, type Slot } from './slots';

function stateOf(node: Node): string {
  const hello = helloOf(node);
  if (!hello) return 'does not answer';
  if (hello.isWritablePrimary) return 'primary';
  return hello.secondary ? 'secondary' : hello.setName ? 'syncing' : 'not a member';
}

/** What a mongo node is in the set, and since when a joining or lagging one has been so. */
function memberState(s: Situation, node: Node): Pick<SlotSummary, 'member' | 'memberSinceMs'> {
  if (node.fact.role !== 'mongo') return {};
  const host = hostOf(node);
  const member = s.mongo.members.find((m) => m.host === host);
  if (!host || !member) return { member: 'not a member' };
  const state = stateOf(node);
  const [caughtUpMs, behindMs] = [s.memory.caughtUpSinceMs[host], s.memory.behindSinceMs[host]];
  if (member.votes) return behindMs === undefined ? { member: state } : { member: state, memberSinceMs: behindMs };
  if (caughtUpMs !== undefined) return { member: `${state}, no vote yet, caught up`, memberSinceMs: caughtUpMs };
  return { member: `${state}, no vote yet`, ...(behindMs === undefined ? {} : { memberSinceMs: behindMs }) };
}

function newestWrite(s: Situation, node: Node): Pick<SlotSummary, 'newestWriteS'> {
  const isMember = s.mongo.members.some(({ host }) => host === hostOf(node));
  const newestWriteS = helloOf(node)?.lastWriteS;
  return !isMember || s.mongo.majority || newestWriteS === undefined ? {} : { newestWriteS };
}

const MEMBER_JOBS: ReadonlySet<JobKind> = new Set([
  'initiateReplicaSet',
  'reconfigReplicaSet',
  'stepDownPrimary',
  'setDefaultWriteConcern',
  'forceReplicaSet',
]);

/** The step the replica set is in: what runs, else what is planned, blocked or waited for. */
function replicaSetStep(s: Situation, plan: Plan): string | undefined {
  const job = [...s.inFlight, ...plan.jobs].find(({ kind }) => MEMBER_JOBS.has(kind));
  if (job) return `${job.kind}: ${job.reason}`;
  const { blocked, notes } = planReplicaSet(s);
  return blocked[0] ?? notes[0];
}

/** What a node runs, and what it should where that differs. */
function configState(s: Situation, node: Node): Pick<SlotSummary, 'configVersion' | 'wantedVersion' | 'drifted'> {
  const { configVersion, drifted } = node;
  const wanted = wantedConfigOf(s.configs, node)?.version;
  return {
    ...(configVersion ? { configVersion } : {}),
    ...(wanted && wanted !== configVersion ? { wantedVersion: wanted } : {}),
    ...(drifted ? { drifted } : {}),
  };
}

function summarizeNode(s: Situation, node: Node): SlotSummary {
  const { fact, health } = node;
  return {
    slot: fact.slot,
    role: fact.role,
    instanceId: fact.instanceId,
    incarnation: fact.incarnation,
    zone: fact.zone,
    ...(fact.privateIp ? { privateIp: fact.privateIp } : {}),
    health: health.health,
    ...(health.sickness ? { sickness: health.sickness } : {}),
    ...(health.detail ? { detail: health.detail } : {}),
    ...configState(s, node),
    ...memberState(s, node),
    ...newestWrite(s, node),
    ...(s.observation.addresses.some((address) => address.holder === fact.instanceId) ? { holdsAddress: true } : {}),
  };
}

function summarizeSlot(s: Situation, slot: Slot): SlotSummary[] {
  const current: SlotSummary = slot.current ? summarizeNode(s, slot.current) : { slot: slot.slot, role: slot.role, health: 'missing' };
  return [current, ...slot.extras.map((node) => summarizeNode(s, node))];
}

/** Everything wanted is there, healthy, configured, voting and addressed, and nothing else is. */
export function isConverged(s: Situation, plan: Plan): boolean {
  if (s.phase !== 'active' || plan.jobs.length > 0 || s.inFlight.length > 0 || plan.blocked.length > 0) return false;
  if (isRollingOut(s)) return false;
  const all = ROLES.flatMap((role) => s.slots.wanted[role]);
  const settled = all.every(
    ({ current, extras }) => current?.health.health === 'healthy' && extras.length === 0 && isInStep(s.configs, current),
  );
  const noRest = ROLES.every((role) => s.slots.unwanted[role].length === 0);
  const voting =
    s.mongo.primary !== undefined && s.mongo.members.length === s.spec.mongo.count && s.mongo.members.every((m) => m.votes && m.serving);
  return settled && noRest && voting && isSpread(s);
}

/** The summary written with each check. */
export function summarize(s: Situation, plan: Plan): StatusSummary {
  const step = s.phase === 'active' ? replicaSetStep(s, plan) : undefined;
  const inFlight = [...Object.values(s.memory.inFlight), ...plan.jobs.map((job) => ({ job, plannedAtMs: s.nowMs }))];
  return {
    atMs: s.observation.atMs,
    converged: isConverged(s, plan),
    sentence: plan.sentence,
    blocked: plan.blocked,
    slots: ROLES.flatMap((role) => [
      ...s.slots.wanted[role].flatMap((slot) => summarizeSlot(s, slot)),
      ...s.slots.unwanted[role].map((node) => summarizeNode(s, node)),
    ]),
    ...(step ? { replicaSetStep: step } : {}),
    ...(s.phase === 'active' ? { rollouts: summarizeRollouts(s) } : {}),
    addresses: s.observation.addresses.map(({ name, publicIp, holder }) => ({ name, publicIp, ...(holder ? { holder } : {}) })),
    inFlight: inFlight.map(({ job, plannedAtMs }) => ({ kind: job.kind, jobKey: job.jobKey, reason: job.reason, plannedAtMs })),
  };
}
