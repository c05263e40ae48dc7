/** The error for a name no cluster has; says which there are. Only reads. */
import { type CommandError, mistake } from './command-error';
import type { OperatorPorts } from './context';

/** Names of all clusters, those with a row and those only declared, sorted. */
export async function knownClusters(ports: OperatorPorts): Promise<string[]> {
  const [known, declared] = await Promise.all([ports.rows.listClusters(), ports.specs.listClusters()]);
  return [...new Set([...known, ...declared])].sort();
}

export async function unknownCluster(ports: OperatorPorts, cluster: string): Promise<CommandError> {
  const known = await knownClusters(ports);
  return mistake(`name: no cluster is called ${JSON.stringify(cluster)}; known: ${known.length > 0 ? known.join(', ') : 'none yet'}`);
}
