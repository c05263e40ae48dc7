/** Renders a broker's environment. What Orion is called by which version follows its own documents (deprecated.md, cli.md, perf_tuning.md). */
import type { NodeConfig } from '../jobs';
import type { RenderedFile } from './rendered-file';

type OrionConfig = Extract<NodeConfig, { role: 'orion' }>;

const DATABASE = 'orion';

/**
 * From 4.0 on one connection URI; before, host list and set name of their own (Orion, deprecated.md).
 * Orion itself asks for the server's default write concern, whatever the URI says (mongoConnectionPool.cpp); that default is made
 * `majority` with the first change of the replica set.
 */
function databaseSettings({ version, seeds, replicaSet }: OrionConfig): Record<string, string> {
  const [major = 0] = version.split('.').map(Number);
  const hosts = seeds.join(',');
  if (major >= 4) return { ORION_MONGO_URI: `mongodb://${hosts}/?replicaSet=${replicaSet}&w=majority`, ORION_MONGO_DB: DATABASE };
  return { ORION_MONGO_HOST: hosts, ORION_MONGO_REPLICA_SET: replicaSet, ORION_MONGO_DB: DATABASE };
}

/** Settings for several brokers on one database (Orion, perf_tuning.md): no mutex between requests, and subscriptions of others learnt soon. */
const FOR_SEVERAL: Record<string, string> = {
  ORION_MUTEX_POLICY: 'none',
  ORION_SUBCACHE_IVAL: '10',
  ORION_MONGO_WRITE_CONCERN: '1',
  ORION_NOTIF_MODE: 'threadpool:1000:20',
};

/** The file of a broker: one KEY=VALUE a line. */
export function renderOrion(config: OrionConfig, version: string): RenderedFile[] {
  const settings = {
    ...databaseSettings(config),
    ...FOR_SEVERAL,
    FIWARE_HA_ORION_VERSION: config.version,
    FIWARE_HA_CONFIG_VERSION: version,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  return [{ name: 'orion.env', content: `${lines.join('\n')}\n` }];
}
