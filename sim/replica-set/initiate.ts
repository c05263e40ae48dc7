/** `replSetInitiate` on one member: checks the rules, asks the others, then installs. Never overwrites a configuration. */
import { checkQuorum, defaultsFor, invalid, parseConfig, problemOf, selfProblem } from './config-rules';
import type { Reply } from './contract';
import { failure } from './failures';
import type { Call, Step } from './pending';
import type { ReplicaSetConfig } from './replica-config';
import type { RunningMember } from './running-member';

/** First step; ReplicationCoordinatorImpl::processReplSetInitiate. Whatever is wrong with the configuration itself is a 93. */
export function startInitiate(call: Call): Step {
  return () => {
    const { m } = call;
    // While one is under way the state is not "uninitialized" any more, so this is no ConfigurationInProgress.
    if (m.config || m.isConfiguring) return failure('AlreadyInitialized', 'already initialized');
    const made = initialConfig(m, call.command.replSetInitiate);
    if ('ok' in made) return made;
    m.isConfiguring = true;
    return askAll(call, made);
  };
}

function initialConfig(m: RunningMember, input: unknown): ReplicaSetConfig | Reply {
  const isEmpty = input === null || typeof input !== 'object' || Object.keys(input).length === 0;
  const document = isEmpty ? { _id: m.options.replicaSet, members: [{ _id: 0, host: m.options.host }] } : input;
  const id = Math.floor(m.options.random() * 2 ** 48).toString(16);
  const parsed = parseConfig(document, m.options.replicaSet, defaultsFor(m.options, id.padStart(24, '0')));
  if ('ok' in parsed) return parsed;
  const config: ReplicaSetConfig = { ...parsed.config, term: 1 };
  const problem =
    problemOf(config) ??
    (config.version === 1 ? undefined : `Configuration used to initiate a replica set must have version 1, but found ${config.version}`) ??
    selfProblem(config, m.isSelf)?.errmsg;
  return problem ? invalid(problem, true) : config;
}

/** Every other member must answer, and have neither configuration nor data. */
function askAll({ m, reach, canWait }: Call, config: ReplicaSetConfig): Step {
  const hosts = config.members.map(({ host }) => host).filter((host) => !m.isSelf(host));
  return (nowMs, pending) => {
    pending.asks = hosts;
    const refusal = reach && checkQuorum(config, m.isSelf, canWait ? reach : (host) => reach(host) ?? 'unreachable', true);
    if (refusal === 'waiting') return undefined;
    m.isConfiguring = false;
    if (refusal) return refusal;
    m.oplog.append({ term: 0, index: m.oplog.last.index + 1, atMs: nowMs, changes: [{ op: 'noop' }] });
    m.oplog.commitTo(m.oplog.last);
    m.install(config, nowMs);
    return { ok: 1 };
  };
}
