/** Plans configuration: what each node should run, who gets it next. New nodes at once, running ones one at a time a role. */
import { driftWords } from '../config-report';
import { isService, type Role, SERVICE_ROLES } from '../names';
import type { Node } from '../observation';
import { howDrained, maySendTo, restartOrder, restartsUndrained, whyNotStopped } from './drain';
import { majorityOf } from './mongo-view';
import { awaitsRollback, rolloutBarrier } from './rollout-barrier';
import { rolloutProblems } from './rollout-words';
import { common, emptyStep, mayTry, type Situation, type Step } from './situation';
import { startBarrier } from './start-barrier';
import { stepDownJob } from './step-down';
import { isInStep, wantedConfigOf } from './wanted-config';

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

function whyApply({ fact, configVersion, drifted }: Node, wanted: string, spared: string): string {
  const node = `${fact.slot} (${fact.instanceId})`;
  if (configVersion === undefined) return `${node} has no configuration yet`;
  const how = spared ? `; ${spared}` : '';
  if (drifted !== undefined) return `${node}: ${driftWords(drifted)} since ${configVersion} was applied, wanted ${wanted}${how}`;
  return `${node} runs ${configVersion}, wanted ${wanted}${how}`;
}

/** What to say of how a service's requests are spared the restart of a node; undefined while they are not yet. */
function spareRequests(s: Situation, node: Node, step: Step): string | undefined {
  if (!maySendTo(node)) return 'it serves nobody';
  if (!node.health.everHealthy) return 'it never served yet';
  if (restartsUndrained(s.slots, node))
    return `it is the only ${node.fact.role}: there is none to drain it towards, requests fail until it is back`;
  const why = whyNotStopped(s, node);
  if (why) step.notes.push(why);
  return why ? undefined : howDrained(s);
}

function sayStuck(s: Situation, { fact }: Node, base: string, step: Step): void {
  const { failures = 0 } = s.memory.attempts[base] ?? {};
  if (failures < FAILURES_SAID) return;
  const what = `${fact.slot} (${fact.instanceId}) does not take its configuration, ${failures} failures in a row`;
  step.blocked.push(`${what}: terminate its instance, and a new one comes`);
}

function planRole(s: Situation, role: Role, step: Step): void {
  const underWay = s.inFlight.filter((job) => job.kind === 'applyConfig' && job.role === role);
  let rolling = underWay.length > 0;
  for (const { slot, current } of restartOrder(s.slots, role)) {
    if (current?.fact.state !== 'running' || !current.fact.privateIp) continue;
    if (isBroken(current) && !awaitsRollback(s, current)) continue;
    const desired = wantedConfigOf(s.configs, current);
    if (!desired || isInStep(s.configs, current)) continue;
    const { instanceId } = current.fact;
    const isNew = current.configVersion === undefined;
    const notYet = startBarrier(s, current);
    if (notYet) {
      step.notes.push(`${slot} ${notYet}`);
      continue;
    }
    const base = `config/${instanceId}`;
    sayStuck(s, current, base, step);
    if (!mayTry(s, base)) continue;
    const barrier = isNew ? undefined : rolloutBarrier(s, current);
    if (barrier) step.notes.push(barrier);
    if (barrier || (!isNew && (rolling || !othersAreWell(s, current)))) continue;
    const spared = isService(role) && !isNew ? spareRequests(s, current, step) : '';
    if (spared === undefined) continue;
    rolling ||= !isNew;
    if (role === 'mongo' && !isNew && waitsForOthers(s, current, step)) continue;
    step.jobs.push({
      kind: 'applyConfig',
      ...common(s, base, whyApply(current, desired.version, spared)),
      role,
      slot,
      instanceId,
      ...desired,
      ...(isNew ? {} : { restarts: true }),
    });
  }
}

/** Sends configurations: members before brokers and other services before balancers, because each needs the one before. */
export function planConfiguration(s: Situation): Step {
  const step = { ...emptyStep(), blocked: rolloutProblems(s) };
  for (const role of ['mongo', ...SERVICE_ROLES, 'lb'] as const) planRole(s, role, step);
  return step;
}
