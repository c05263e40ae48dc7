/** The outbox: puts planned jobs in flight, together with what must never be given twice. Plans and sends nothing. */
import type { JobOf, PlannedJob } from './jobs';
import type { Memory } from './memory';

/** The node is looked at closely from now on, until it was well with its new configuration for a while. */
function beginSettling(rollouts: Memory['rollouts'], { role, instanceId }: JobOf<'applyConfig'>, nowMs: number): Memory['rollouts'] {
  const rollout = rollouts[role];
  if (!rollout) return rollouts;
  const settling = { atMs: nowMs, good: 0, ...(rollout.state === 'rolling' ? { of: rollout.version } : {}) };
  return { ...rollouts, [role]: { ...rollout, settling: { ...rollout.settling, [instanceId]: settling } } };
}

/** Memory with a plan's jobs in flight and the member ids they give away counted. The given memory stays as it is. */
export function putInFlight(memory: Memory, jobs: readonly PlannedJob[], nowMs: number): Memory {
  if (jobs.length === 0) return memory;
  const next = { ...memory, inFlight: { ...memory.inFlight }, memberIds: { ...memory.memberIds } };
  for (const job of jobs) {
    next.inFlight[job.jobKey] = { job, plannedAtMs: nowMs };
    if (job.kind === 'applyConfig' && job.restarts) next.rollouts = beginSettling(next.rollouts, job, nowMs);
    if (job.kind === 'initiateReplicaSet') {
      next.nextMemberId = Math.max(next.nextMemberId, job.members.length);
      next.initiating = { instanceId: job.instanceId, atMs: nowMs };
    }
    if (job.kind === 'reconfigReplicaSet' && job.change.change === 'add') {
      next.memberIds[job.change.host] = job.change.memberId;
      next.nextMemberId = Math.max(next.nextMemberId, job.change.memberId + 1);
    }
  }
  return next;
}
