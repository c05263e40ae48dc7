/** `replSetStepDown` on one member: gives the lead away once others have everything. Elects nobody; the heir stands by itself. */
import type { Reply } from './contract';
import { failure } from './failures';
import type { Call, Step } from './pending';
import { isElectable, isVoter, type MemberConfig, majorityOf } from './replica-config';
import type { RunningMember } from './running-member';

function caughtUp(m: RunningMember, nowMs: number): MemberConfig[] {
  return m.others().filter(({ host }) => {
    const peer = m.peers.get(host);
    return peer?.state === 'SECONDARY' && m.hears(host, nowMs) && peer.matched.index >= m.oplog.last.index;
  });
}

/** First step: ReplicationCoordinatorImpl::stepDown. While one waits the member takes no writes and a second one is refused (117). */
export function startStepDown(call: Call): Step {
  return () => {
    const { m, command, nowMs } = call;
    if (m.state !== 'PRIMARY') return failure('NotWritablePrimary', "not primary so can't step down");
    if (m.isSteppingDown) return failure('ConflictingOperationInProgress', 'This node is already in the process of stepping down');
    const asked = Number(command.replSetStepDown);
    const stepDownS = Number.isFinite(asked) && asked > 0 ? asked : 60;
    const catchUpS = Number(command.secondaryCatchUpPeriodSecs ?? (command.force ? 0 : Math.min(10, stepDownS)));
    if (stepDownS < catchUpS) return failure('BadValue', 'stepdown period must be longer than secondaryCatchUpPeriodSecs');
    m.isSteppingDown = true;
    const untilMs = call.canWait ? nowMs + catchUpS * 1000 : nowMs;
    return awaitHeir(call, { untilMs, frozenUntilMs: nowMs + stepDownS * 1000, term: m.durable.term });
  };
}

/** Waits until a majority, with at least one electable member, has all of its entries: TopologyCoordinator::tryToStepDown. */
function awaitHeir({ m, command }: Call, attempt: { untilMs: number; frozenUntilMs: number; term: number }): Step {
  return (nowMs, pending) => {
    pending.untilMs = attempt.untilMs;
    if (m.state !== 'PRIMARY' || m.durable.term !== attempt.term || !m.config)
      return failure(
        'PrimarySteppedDown',
        'While waiting for secondaries to catch up before stepping down, this node decided to step down for other reasons',
      );
    const ready = caughtUp(m, nowMs);
    const [heir] = ready.filter(isElectable).sort((a, b) => b.priority - a.priority);
    const isSafe = heir !== undefined && ready.filter(isVoter).length + 1 >= majorityOf(m.config);
    if (isSafe || (command.force && nowMs >= attempt.untilMs)) return leave(m, attempt.frozenUntilMs, heir, nowMs);
    if (nowMs < attempt.untilMs) return undefined;
    m.isSteppingDown = false;
    return failure(
      'ExceededTimeLimit',
      'No electable secondaries caught up. Please use the replSetStepDown command with the argument {force: true} to force node to step down.',
    );
  };
}

function leave(m: RunningMember, frozenUntilMs: number, heir: MemberConfig | undefined, nowMs: number): Reply {
  m.frozenUntilMs = frozenUntilMs;
  m.becomeSecondary(nowMs);
  m.heartbeatAll(nowMs);
  if (heir) m.send(heir.host, { kind: 'standNow' });
  return { ok: 1 };
}
