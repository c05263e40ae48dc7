/** Plans configuration: what each node should run, who gets it next. New nodes at once, running ones one at a time a role. */
import type { Role } from '../names';
import type { Node } from '../observation';
import { majorityOf } from './mongo-view';
import { common, emptyStep, mayTry, type Situation, type Step } from './situation';
import { stepDownJob } from './step-down';
import { wantedConfigOf } from './wanted-config';

/** A node that fails to take its configuration so often in a row won't take it by itself: a full disk, say. */
const FAILURES_SAID = 5;

/** A running node is touched only while its like are well, so that a bad rollout stops at the first. */
function othersAreWell(s: Situation, node: Node): boolean {
  return s.slots.wanted[node.fact.role].every(
    ({ current }) =>
      !current ||
      current === node ||
      current.configVersion === undefined ||
      current.health.health === 'healthy' ||
      current.health.health === 'dead',
  );
}

/** Dead, though it was told what to run: one that never was could not come up, however long ago it was launched. */
function isBroken({ health, configVersion }: Node): boolean {
  return health.health === 'dead' && configVersion !== undefined;
}

/** Whether a voter that serves must not restart yet for a new configuration: others must keep a majority, and lead. */
function waitsForOthers(s: Situation, node: Node, step: Step): boolean {
  const member = s.mongo.members.find((m) => m.node === node);
  // A set of one member has nobody to wait for: its restart is felt either way.
  if (!member?.votes || s.mongo.voters === 1) return false;
  const { slot } = node.fact;
  const others = s.mongo.members.filter((m) => m.votes && m.serving && m !== member).length;
  if (others < majorityOf(s.mongo.voters)) {
    step.blocked.push(`${slot} has a new configuration to take, but without it ${others} of ${s.mongo.voters} voters would be left`);
    return true;
  }
  if (member.host !== s.mongo.primary?.host) return false;
  const job = stepDownJob(s, `${slot} is the primary and is to be restarted with a new configuration: it steps down first`);
  if (job) step.jobs.push(job);
  return true;
}

function planRole(s: Situation, role: Role, step: Step): void {
  const underWay = s.inFlight.filter((job) => job.kind === 'applyConfig' && job.role === role);
  let rolling = underWay.length > 0;
  for (const { slot, current } of s.slots.wanted[role]) {
    if (current?.fact.state !== 'running' || !current.fact.privateIp || isBroken(current)) continue;
    const desired = wantedConfigOf(s.configs, current);
    if (!desired || current.configVersion === desired.version) continue;
    const { instanceId } = current.fact;
    const isNew = current.configVersion === undefined;
    if (s.mongo.members.some((m) => m.taken && m.node === current)) {
      step.notes.push(`${slot} starts once the set has let go of its address, which a member had before`);
      continue;
    }
    const base = `config/${instanceId}`;
    const { failures = 0 } = s.memory.attempts[base] ?? {};
    if (failures >= FAILURES_SAID)
      step.blocked.push(
        `${slot} (${instanceId}) does not take its configuration, ${failures} failures in a row: terminate its instance, and a new one comes`,
      );
    if (!mayTry(s, base) || (!isNew && (rolling || !othersAreWell(s, current)))) continue;
    rolling ||= !isNew;
    if (role === 'mongo' && !isNew && waitsForOthers(s, current, step)) continue;
    const reason = isNew
      ? `${slot} (${instanceId}) has no configuration yet`
      : `${slot} (${instanceId}) runs ${current.configVersion}, wanted ${desired.version}`;
    step.jobs.push({
      kind: 'applyConfig',
      ...common(s, base, reason),
      role,
      slot,
      instanceId,
      ...desired,
      ...(isNew ? {} : { restarts: true }),
    });
  }
}

/** Sends configurations: mongo before brokers before balancers, because each needs the one before. */
export function planConfiguration(s: Situation): Step {
  const step = emptyStep();
  for (const role of ['mongo', 'orion', 'lb'] as const) planRole(s, role, step);
  return step;
}
