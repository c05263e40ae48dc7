/** Invariants: what no plan may ever do, checked apart from the planners that made it. Names violations, repairs nothing. */
import { isDisruptive, type JobOf, type PlannedJob } from './jobs';
import { isService, ROLES } from './names';
import { namesServer } from './node-config';
import type { Node } from './observation';
import { mayHaveBegunOn } from './plan/beginning';
import { majorityOf } from './plan/mongo-view';
import type { Situation } from './plan/situation';
import { hostOf } from './slots';
import { countOf } from './spec';

function isLivingVoter(s: Situation, host: string): boolean {
  return s.mongo.members.some((m) => m.host === host && m.serving);
}

function slotOf(s: Situation, host: string): string | undefined {
  return s.mongo.members.find((m) => m.host === host)?.node?.fact.slot;
}

/** One voter at most changes, by `expect`, and living voters stay a majority before and after. */
function checkReconfig(s: Situation, job: JobOf<'reconfigReplicaSet'>): string | undefined {
  const before = job.expect.voters;
  const { change, host } = job.change;
  const after = change === 'remove' ? before.filter((voter) => voter !== host) : change === 'raise-vote' ? [...before, host] : before;
  if (Math.abs(after.length - before.length) > 1) return 'more than one voter changes';
  if (after.length > 7) return `${after.length} voters, 7 at most`;
  // Only a sole voter hands its vote to its successor while both are there.
  const slot = slotOf(s, host);
  const twin = change === 'raise-vote' && slot && before.length > 1 && before.find((voter) => slotOf(s, voter) === slot);
  if (twin) return `${twin} of the same slot votes already`;
  for (const voters of [before, after]) {
    const living = voters.filter((voter) => isLivingVoter(s, voter)).length;
    if (living < majorityOf(voters.length)) return `${living} of ${voters.length} voters would live, ${majorityOf(voters.length)} needed`;
  }
  return undefined;
}

/** A living balancer whose configuration names a node that may serve, or may name it. */
function senderTo(s: Situation, node: Node): string | undefined {
  const { privateIp } = node.fact;
  if (node.configVersion === undefined || node.health.health === 'dead') return undefined;
  return s.slots.wanted.lb.find(({ current }) => {
    if (!current || current.health.health === 'dead') return false;
    const wanted = s.configs.lb.get(current.fact.instanceId);
    const names = wanted?.config.role !== 'lb' || privateIp === undefined || namesServer(wanted.config, privateIp);
    return names || current.configVersion !== wanted.version;
  })?.slot;
}

function checkTerminate(s: Situation, job: JobOf<'terminateNode'>): string | undefined {
  if (s.phase === 'deleting') return undefined;
  if (s.observation.addresses.some((address) => address.holder === job.instanceId)) return 'the node holds an address';
  const node = s.observation.nodes.find((n) => n.fact.instanceId === job.instanceId);
  if (!node) return 'the node was not observed';
  if (mayHaveBegunOn(s) === node) return 'the replica set may have begun on the node';
  const host = hostOf(node);
  if (job.role === 'mongo' && s.mongo.members.some((m) => m.host === host)) return 'the node is a member of the replica set';
  const filling = s.slots.wanted[job.role].find((slot) => slot.current === node);
  if (filling) return `the node fills ${filling.slot}`;
  const sender = isService(job.role) ? senderTo(s, node) : undefined;
  return sender ? `${sender} may still send to it` : undefined;
}

/**
 * The one way off a healthy holder: it keeps another or its successor holds one, the taker is well, in service and holds none, and no other
 * address is on its way.
 */
function checkGift(s: Situation, job: JobOf<'moveAddress'>, jobs: readonly PlannedJob[]): string | undefined {
  const { holder } = job.expect;
  const { addresses, nodes } = s.observation;
  const isHealthy = (id: string | null) => nodes.some(({ fact, health }) => fact.instanceId === id && health.health === 'healthy');
  const heldBy = (id: string | null) => addresses.filter((address) => address.holder === id);
  if (s.spec.entry.mode !== 'active-active') return `entry.mode is ${s.spec.entry.mode}: no balancer gives an address`;
  if (!isHealthy(holder) || !isHealthy(job.to)) return 'giver and taker are not both healthy';
  if (!heldBy(holder).some(({ allocationId }) => allocationId === job.allocationId)) return 'the giver does not hold it';
  const isFollowed = s.slots.wanted.lb.some(
    ({ current, extras }) => current && heldBy(current.fact.instanceId).length > 0 && extras.some(({ fact }) => fact.instanceId === holder),
  );
  if (heldBy(holder).length < 2 && !isFollowed) return 'the giver would keep none';
  if (heldBy(job.to).length > 0) return 'the taker holds one already';
  if (!s.slots.wanted.lb.some(({ current }) => current?.fact.instanceId === job.to)) return 'the taker fills no slot';
  const other = [...s.inFlight, ...jobs].some((j) => j.kind === 'moveAddress' && j.jobKey !== job.jobKey);
  return other ? 'another address is on its way' : undefined;
}

function checkMove(s: Situation, job: JobOf<'moveAddress'>, jobs: readonly PlannedJob[]): string | undefined {
  if (job.gives) return checkGift(s, job, jobs);
  const { holder } = job.expect;
  const from = s.observation.nodes.find((node) => node.fact.instanceId === holder);
  if (from && from.health.health !== 'dead') return `its holder is ${from.health.health}, not dead`;
  return undefined;
}

/** A service node that restarts is out of the balancers, where there is another to take its requests. */
function checkServiceConfig(s: Situation, job: JobOf<'applyConfig'>): string | undefined {
  const node = s.observation.nodes.find((n) => n.fact.instanceId === job.instanceId);
  if (!node?.health.everHealthy || s.slots.wanted[job.role].length === 1) return undefined;
  const sender = senderTo(s, node);
  return sender ? `${sender} may still send to it` : undefined;
}

/** A member that restarts is away for a moment: not the primary, and only while the others are a majority. */
function checkConfig(s: Situation, job: JobOf<'applyConfig'>): string | undefined {
  if (isService(job.role) && job.restarts) return checkServiceConfig(s, job);
  if (job.role !== 'mongo' || !job.restarts) return undefined;
  const member = s.mongo.members.find((m) => m.node?.fact.instanceId === job.instanceId);
  if (!member?.votes || s.mongo.voters === 1) return undefined;
  if (member.host === s.mongo.primary?.host) return 'the primary would be restarted; it is stepped down first';
  const others = s.mongo.members.filter((m) => m.votes && m.serving && m !== member).length;
  return others >= majorityOf(s.mongo.voters) ? undefined : `${others} of ${s.mongo.voters} voters would be left meanwhile`;
}

function checkInitiate(s: Situation, job: JobOf<'initiateReplicaSet'>): string | undefined {
  if (s.mongo.initiated) return 'the replica set was initiated before';
  const begun = mayHaveBegunOn(s)?.fact;
  return begun && begun.instanceId !== job.instanceId ? `it may have begun on ${begun.slot} (${begun.instanceId})` : undefined;
}

function checkLaunch(s: Situation, job: JobOf<'launchNode'>): string | undefined {
  const used = s.observation.nodes.some((node) => node.fact.slot === job.slot && node.fact.incarnation >= job.incarnation);
  if (used) return `incarnation ${job.incarnation} of ${job.slot} was used already`;
  return s.phase === 'deleting' ? 'the cluster is being deleted' : undefined;
}

function checkJob(s: Situation, job: PlannedJob, jobs: readonly PlannedJob[]): string | undefined {
  switch (job.kind) {
    case 'reconfigReplicaSet':
      return checkReconfig(s, job);
    case 'terminateNode':
      return checkTerminate(s, job);
    case 'moveAddress':
      return checkMove(s, job, jobs);
    case 'launchNode':
      return checkLaunch(s, job);
    case 'applyConfig':
      return checkConfig(s, job);
    case 'stepDownPrimary':
      return s.mongo.members.some((m) => m.votes && m.serving && m.host !== s.mongo.primary?.host)
        ? undefined
        : 'no other voter could lead';
    case 'forceReplicaSet':
      return 'only a person may force a configuration';
    case 'initiateReplicaSet':
      return checkInitiate(s, job);
    case 'forgetCluster':
      return s.phase === 'deleting' && s.observation.nodes.length === 0 ? undefined : 'the cluster is not empty or not being deleted';
    default:
      return undefined;
  }
}

/** Violations of a plan as sentences; empty when it is safe. A plan with one is not carried out at all. */
export function findViolations(s: Situation, jobs: readonly PlannedJob[]): string[] {
  const violations = jobs.flatMap((job) => {
    const problem = checkJob(s, job, jobs);
    return problem ? [`${job.kind} ${job.jobKey}: ${problem}`] : [];
  });
  const disruptive = [...s.inFlight, ...jobs].filter(isDisruptive).length;
  if (s.phase === 'active' && disruptive > 1) violations.push(`${disruptive} disruptive jobs at once, 1 at most`);
  const keys = jobs.map((job) => job.jobKey);
  if (new Set(keys).size !== keys.length) violations.push('two jobs share one key');
  for (const role of ROLES) {
    const configured = [...s.inFlight, ...jobs].filter((job) => job.kind === 'applyConfig' && job.role === role && job.restarts);
    if (configured.length > 1) violations.push(`${configured.length} running ${role} nodes given a configuration at once, 1 at most`);
    const launches = jobs.filter((job) => job.kind === 'launchNode' && job.role === role).length;
    if (launches > countOf(s.spec, role)) violations.push(`${launches} launches of ${role}, ${countOf(s.spec, role)} wanted in all`);
  }
  return violations;
}
