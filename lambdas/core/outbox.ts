/** The outbox: puts planned jobs in flight, together with what must never be given twice. Plans and sends nothing. */
import type { PlannedJob } from './jobs';
import type { Memory } from './memory';

/** Memory with a plan's jobs in flight and the member ids they give away counted. The given memory stays as it is. */
export function putInFlight(memory: Memory, jobs: readonly PlannedJob[], nowMs: number): Memory {
  if (jobs.length === 0) return memory;
  const next = { ...memory, inFlight: { ...memory.inFlight }, memberIds: { ...memory.memberIds } };
  for (const job of jobs) {
    next.inFlight[job.jobKey] = { job, plannedAtMs: nowMs };
    if (job.kind === 'initiateReplicaSet') next.nextMemberId = Math.max(next.nextMemberId, job.members.length);
    if (job.kind === 'reconfigReplicaSet' && job.change.change === 'add') {
      next.memberIds[job.change.host] = job.change.memberId;
      next.nextMemberId = Math.max(next.nextMemberId, job.change.memberId + 1);
    }
  }
  return next;
}
