/** A small NGSIv2 broker that takes Orion's place in the lab. It is not Orion: few routes, no subscriptions, no queries over attributes. */
import { createServer } from 'node:http';
import { MongoClient } from 'mongodb';
import { Entities } from './entities';
import { type BrokerSettings, readEnvironment, SettingError } from './environment';
import { makeHandler, VERSION } from './http-api';

/** As Orion: that many tries a second apart with its port closed, then the end. */
const TRIES_AT_START = 100;
const BETWEEN_TRIES_MS = 1_000;

const HELP = `contextBroker STAND-IN of the fiware-ha lab: it is not Orion.
Configured by Orion's variables: ORION_MONGO_URI (or ORION_MONGO_HOST and ORION_MONGO_REPLICA_SET), ORION_MONGO_PASSWORD, ORION_MONGO_DB, ORION_PORT.
Orion's options are accepted and ignored. Routes: GET /version; GET and POST /v2/entities (options=upsert); GET and DELETE /v2/entities/ID;
PATCH, POST and PUT /v2/entities/ID/attrs. Not modelled: subscriptions, registrations, batch operations, attribute queries, authentication.
`;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Connects once, with limits short enough that a request without a primary fails soon. */
async function connectOnce(uri: string): Promise<MongoClient> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 2_000, connectTimeoutMS: 2_000, heartbeatFrequencyMS: 2_000 });
  try {
    await client.db('admin').command({ ping: 1 });
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

async function connect({ uri }: BrokerSettings): Promise<MongoClient | undefined> {
  for (let attempt = 1; attempt <= TRIES_AT_START; attempt++) {
    try {
      return await connectOnce(uri);
    } catch (error) {
      console.log(`database not reached (${attempt} of ${TRIES_AT_START}): ${error instanceof Error ? error.message : error}`);
    }
    await pause(BETWEEN_TRIES_MS);
  }
  return undefined;
}

async function serve(settings: BrokerSettings, client: MongoClient): Promise<void> {
  const stores = new Map<string, Entities>();
  const entitiesOf = (service: string) => {
    const known = stores.get(service);
    if (known) return known;
    const store = new Entities(client.db(service ? `${settings.database}-${service}` : settings.database));
    stores.set(service, store);
    return store;
  };
  const server = createServer(makeHandler(entitiesOf, Date.now()));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(settings.port, resolve));
  console.log(`listening on ${settings.port}`);
  const end = () => {
    // Requests under way are answered first; idle connections are closed at once.
    server.close(() => void client.close().finally(() => process.exit(0)));
    server.closeIdleConnections();
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
}

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return void process.stdout.write(HELP);
  if (process.argv.includes('--version')) return void process.stdout.write(`${VERSION} (a stand-in, not Orion)\n`);
  console.log(`context broker STAND-IN ${VERSION}, not Orion (see --help)`);
  const settings = readEnvironment(process.env);
  const endEarly = () => process.exit(0);
  process.once('SIGTERM', endEarly);
  const client = await connect(settings);
  process.off('SIGTERM', endEarly);
  if (!client) throw new SettingError(`ORION_MONGO_URI: no database answered in ${TRIES_AT_START} tries; check it and the replica set`);
  await serve(settings, client);
}

main().catch((error: unknown) => {
  const isMistake = error instanceof SettingError || (error instanceof Error && 'code' in error);
  process.stderr.write(`broker stand-in: ${isMistake ? (error as Error).message : error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
});
