/** What the broker stand-in is told, in Orion's own variables (running.md, cli.md of fiware-orion). Reads nothing but its arguments. */

export interface BrokerSettings {
  port: number;
  uri: string;
  database: string;
}

/** A mistake of whoever started it; shown without a stack trace. */
export class SettingError extends Error {}

const ORION_DB_LENGTH_MAX = 10;

function uriOf(env: NodeJS.ProcessEnv): string {
  const { ORION_MONGO_URI: uri, ORION_MONGO_PASSWORD: password = '', ORION_MONGO_HOST: hosts, ORION_MONGO_REPLICA_SET: replicaSet } = env;
  if (uri) return uri.replace(/\$\{PWD\}/, () => encodeURIComponent(password));
  if (!hosts)
    throw new SettingError('ORION_MONGO_URI: expected mongodb://host:port,…/?replicaSet=NAME, got nothing; set it, or ORION_MONGO_HOST');
  return `mongodb://${hosts}/${replicaSet ? `?replicaSet=${encodeURIComponent(replicaSet)}` : ''}`;
}

/** @throws SettingError naming the variable, its value and what is expected. */
export function readEnvironment(env: NodeJS.ProcessEnv): BrokerSettings {
  const port = Number(env.ORION_PORT ?? 1026);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new SettingError(`ORION_PORT: expected 1 to 65535, got "${env.ORION_PORT}"`);
  const database = env.ORION_MONGO_DB ?? 'orion';
  if (!/^[A-Za-z0-9_]+$/.test(database) || database.length > ORION_DB_LENGTH_MAX)
    throw new SettingError(`ORION_MONGO_DB: expected 1 to ${ORION_DB_LENGTH_MAX} letters, digits or _, got "${database}"`);
  return { port, uri: uriOf(env), database };
}
