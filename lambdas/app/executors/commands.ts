/** Executes jobs that run on a node through SSM: sends the command and returns; its end is a fact of a later tick. */
import { renderConfig } from '../../core/config/render';
import type { JobOf } from '../../core/jobs';
import type { NodeConfig } from '../../core/node-config';
import { runningMaxMs } from '../../core/settle';
import type { Context, NodeCommand, ReplicaSetAction } from '../ports';
import type { Result } from '../result';

type NodeJob =
  | JobOf<'applyConfig'>
  | JobOf<'restartRole'>
  | JobOf<'initiateReplicaSet'>
  | JobOf<'reconfigReplicaSet'>
  | JobOf<'stepDownPrimary'>
  | JobOf<'setDefaultWriteConcern'>
  | JobOf<'forceReplicaSet'>;

/** What a step on the replica set takes at most, its time limits together, ms. */
const STEP_MAX_MS = 30_000;

/** A step must have ended before its plan gives it up: what is planned then must not meet a late command of before. */
function notAfterMs(job: NodeJob, plannedAtMs: number): number {
  return plannedAtMs + runningMaxMs(job) - STEP_MAX_MS;
}

/** The payload of a step on the replica set, without what only the queue needs. */
function stepOf(job: NodeJob, action: ReplicaSetAction, plannedAtMs: number): NodeCommand {
  const { kind: _kind, cluster: _cluster, jobKey: _jobKey, reason: _reason, instanceId: _instanceId, ...payload } = job;
  return { name: 'replica-set', action, payload: { ...payload, notAfterMs: notAfterMs(job, plannedAtMs) } };
}

function commandOf(job: NodeJob, plannedAtMs: number): NodeCommand {
  switch (job.kind) {
    case 'applyConfig': {
      const config: NodeConfig = job.config;
      return { name: 'apply-config', role: job.role, version: job.version, files: renderConfig(config, job.version) };
    }
    case 'restartRole':
      return { name: 'restart-role', role: job.role, ...(job.evenIfItAnswers ? { evenIfItAnswers: true } : {}) };
    case 'initiateReplicaSet':
      return stepOf(job, 'initiate', plannedAtMs);
    case 'reconfigReplicaSet':
      return stepOf(job, 'reconfig', plannedAtMs);
    case 'stepDownPrimary':
      return stepOf(job, 'step-down', plannedAtMs);
    case 'forceReplicaSet':
      return {
        name: 'repair-majority',
        replicaSet: job.replicaSet,
        survivors: job.survivors,
        expect: job.expect,
        notAfterMs: notAfterMs(job, plannedAtMs),
      };
    case 'setDefaultWriteConcern':
      return stepOf(job, 'set-write-concern', plannedAtMs);
  }
}

/** Sends the job's command to its node, if that node is still the cluster's and runs. */
export async function executeOnNode({ ports }: Context, job: NodeJob, plannedAtMs: number): Promise<Result> {
  const { cluster, instanceId } = job;
  const { instances } = await ports.compute.describeCluster(cluster);
  const fact = instances.find((instance) => instance.instanceId === instanceId);
  if (fact && fact.state !== 'running') return { is: 'stale', reason: `${instanceId} is ${fact.state}` };
  if (!fact) return { is: 'stale', reason: `${instanceId} is not a node of ${cluster}, or EC2 does not list it yet` };
  const { commandId } = await ports.commands.send(instanceId, cluster, commandOf(job, plannedAtMs));
  return { is: 'started', commandId, instanceId };
}
