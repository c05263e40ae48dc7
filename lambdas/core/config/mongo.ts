/** Renders a replica-set member's mongod.conf. Who is a member is decided by the set itself, never here. */

import { PORT } from '../names';
import type { NodeConfig } from '../node-config';
import type { RenderedFile } from './rendered-file';

type MongoConfig = Extract<NodeConfig, { role: 'mongo' }>;

/** The file of a member, in mongod's YAML. */
export function renderMongo({ replicaSet }: MongoConfig, version: string): RenderedFile[] {
  const content = `# fiware-ha configuration ${version}; written by the control plane, changes by hand are replaced
net:
  port: ${PORT.mongo}
  bindIp: 0.0.0.0
replication:
  replSetName: ${replicaSet}
storage:
  dbPath: /data/db
`;
  return [{ name: 'mongod.conf', content }];
}
