/** Executes jobs that run on a node through SSM: sends the command and returns; its end is a fact of a later tick. */
import { renderConfig } from '../../core/config/render';
import type { JobOf, NodeConfig } from '../../core/jobs';
import type { Context, NodeCommand } from '../ports';
import type { Result } from '../result';

type NodeJob =
  | JobOf<'applyConfig'>
  | JobOf<'restartRole'>
  | JobOf<'initiateReplicaSet'>
  | JobOf<'reconfigReplicaSet'>
  | JobOf<'stepDownPrimary'>
  | JobOf<'setDefaultWriteConcern'>
  | JobOf<'forceReplicaSet'>;

function commandOf(job: NodeJob): NodeCommand {
  switch (job.kind) {
    case 'applyConfig': {
      const config: NodeConfig = job.config;
      return { name: 'apply-config', role: job.role, version: job.version, files: renderConfig(config, job.version) };
    }
    case 'restartRole':
      return { name: 'restart-role', role: job.role };
    case 'initiateReplicaSet':
      return { name: 'replica-set', action: 'initiate', payload: { replicaSet: job.replicaSet, members: job.members } };
    case 'reconfigReplicaSet':
      return { name: 'replica-set', action: 'reconfig', payload: { replicaSet: job.replicaSet, change: job.change, expect: job.expect } };
    case 'stepDownPrimary':
      return { name: 'replica-set', action: 'step-down', payload: { replicaSet: job.replicaSet, expect: job.expect } };
    case 'forceReplicaSet':
      return { name: 'repair-majority', replicaSet: job.replicaSet, survivors: job.survivors, expect: job.expect };
    case 'setDefaultWriteConcern':
      return {
        name: 'replica-set',
        action: 'set-write-concern',
        payload: { replicaSet: job.replicaSet, writeConcern: job.writeConcern },
      };
  }
}

/** Sends the job's command to its node, if that node is still the cluster's and runs. */
export async function executeOnNode({ ports }: Context, job: NodeJob): Promise<Result> {
  const { cluster, instanceId } = job;
  const { instances } = await ports.compute.describeCluster(cluster);
  const fact = instances.find((instance) => instance.instanceId === instanceId);
  if (fact && fact.state !== 'running') return { is: 'stale', reason: `${instanceId} is ${fact.state}` };
  if (!fact) return { is: 'stale', reason: `${instanceId} is not a node of ${cluster}, or EC2 does not list it yet` };
  const { commandId } = await ports.commands.send(instanceId, cluster, commandOf(job));
  return { is: 'started', commandId, instanceId };
}
