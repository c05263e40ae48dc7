/** Plans the beginning of a replica set: it is initiated once, then told its default write concern. Never initiates a second time, never wipes data. */
import type { Node } from '../observation';
import { hostOf } from '../slots';
import { defaultWriteConcernOf } from '../spec';
import { mayHaveBegunOn, UNKNOWN_BEGINNING } from './beginning';
import { helloOf } from './mongo-view';
import { common, mayTry, type Situation, type Step } from './situation';

/** What stands against a set of these members: one of them belongs to another, or they are of different MongoDB series. */
function initiationBarrier(s: Situation, ready: readonly Node[]): string | undefined {
  const foreign = ready.find((node) => helloOf(node)?.setName);
  if (foreign)
    return `${foreign.fact.slot} belongs to the replica set ${helloOf(foreign)?.setName}, expected ${s.spec.mongo.replicaSet}: nothing is initiated or wiped; terminate its instance if nobody needs its data, and a new one comes`;
  const versions = new Map(ready.map((node) => [helloOf(node)?.maxWireVersion, node.fact.slot]));
  if (versions.size < 2) return undefined;
  const list = [...versions].map(([version, slot]) => `${slot} speaks wire version ${version ?? 'unknown'}`).join(', ');
  return `${list}: a replica set of several MongoDB series is not initiated; give all members the same series, then terminate those that differ`;
}

/** Initiates the set once every member answers and none has a configuration yet; again only where it may have begun. */
export function planInitiate(s: Situation, step: Step): void {
  const slots = s.slots.wanted.mongo;
  const ready = slots.flatMap(({ current }) =>
    current?.health.health === 'healthy' && helloOf(current) && hostOf(current) ? [current] : [],
  );
  const begun = mayHaveBegunOn(s);
  const first = begun ?? ready[0];
  if (ready.length < slots.length || !first) {
    step.notes.push(`replica set: waiting for ${slots.length - ready.length} of ${slots.length} members to answer before it is initiated`);
    return;
  }
  const barrier =
    initiationBarrier(s, ready) ??
    (ready.includes(first) ? undefined : `${first.fact.slot} (${first.fact.instanceId}): ${UNKNOWN_BEGINNING}`);
  if (barrier) {
    step.blocked.push(barrier);
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

/**
 * Tells the set the default write concern of the spec: at its beginning, and when the spec has another one.
 * Without it a reconfig that would change the implicit default fails (repl_set_config_checks.cpp).
 */
export function planWriteConcern(s: Situation, step: Step): void {
  const { primary } = s.mongo;
  const wanted = defaultWriteConcernOf(s.spec);
  if (!primary || s.memory.writeConcernSet === wanted || !mayTry(s, 'write-concern')) return;
  step.jobs.push({
    kind: 'setDefaultWriteConcern',
    ...common(s, 'write-concern', `the replica set's default write concern is to be ${wanted}`),
    instanceId: primary.node.fact.instanceId,
    replicaSet: s.spec.mongo.replicaSet,
    writeConcern: wanted,
  });
}
