/** Renders a broker's environment. What Orion is called by which version follows its own documents (deprecated.md, cli.md, perf_tuning.md). */
import { compareVersions } from '../catalogue/versions';
import type { OrionSettings } from './orion-sizing';
import { environmentFile, type RenderedFile } from './rendered-file';

/** What a broker must know; a node's configuration has it, and a recipe. */
export interface BrokerConfig {
  version: string;
  replicaSet: string;
  seeds: readonly string[];
  writeConcern: 'majority' | 1 | 0;
  readPreference: string;
  settings: OrionSettings;
}

const DATABASE = 'orion';

/**
 * From 4.0 on one connection URI; before, host list and set name of their own (Orion, deprecated.md), without a read preference.
 * Orion itself asks for the server's default write concern, whatever the URI says (mongoConnectionPool.cpp); that default follows
 * the spec as well (`setDefaultWriteConcern`).
 */
function databaseSettings({ version, seeds, replicaSet, writeConcern, readPreference }: BrokerConfig): Record<string, string> {
  const hosts = seeds.join(',');
  if (compareVersions(version, '4.0.0') >= 0) {
    const preference = readPreference === 'primary' ? '' : `&readPreference=${readPreference}`;
    const uri = `mongodb://${hosts}/?replicaSet=${replicaSet}&w=${writeConcern}${preference}`;
    return { ORION_MONGO_URI: uri, ORION_MONGO_DB: DATABASE };
  }
  return { ORION_MONGO_HOST: hosts, ORION_MONGO_REPLICA_SET: replicaSet, ORION_MONGO_DB: DATABASE };
}

/** Orion's names for its settings (cli.md); they are the same from 2.5 to 4.7. */
function processSettings(settings: OrionSettings): Record<string, string> {
  const { notificationMode: mode, notificationQueue, notificationThreads } = settings;
  return {
    ORION_MUTEX_POLICY: settings.mutexPolicy,
    ORION_SUBCACHE_IVAL: `${settings.subCacheIntervalS}`,
    ORION_TRQ_POOL_SIZE: `${settings.requestPoolSize}`,
    ORION_MONGO_POOL_SIZE: `${settings.mongoPoolSize}`,
    ORION_MAX_CONN: `${settings.maxConnections}`,
    ORION_NOTIF_MODE: mode === 'threadpool' ? `threadpool:${notificationQueue}:${notificationThreads}` : mode,
  };
}

/** Orion's own settings, as its environment. */
export function orionEnvironment(config: BrokerConfig): Record<string, string> {
  return {
    ...databaseSettings(config),
    // Orion knows acknowledged (1, as the server's default says) and not acknowledged (0) alone (cli.md).
    ORION_MONGO_WRITE_CONCERN: config.writeConcern === 0 ? '0' : '1',
    ...processSettings(config.settings),
  };
}

/** The file of a broker: one KEY=VALUE a line. */
export function renderOrion(config: BrokerConfig, version: string): RenderedFile[] {
  const content = environmentFile({
    ...orionEnvironment(config),
    FIWARE_HA_FILE_DESCRIPTORS: `${config.settings.fileDescriptors}`,
    FIWARE_HA_ORION_VERSION: config.version,
    FIWARE_HA_CONFIG_VERSION: version,
  });
  return [{ name: 'orion.env', content }];
}
