/**
 * A client of the replica set itself: inserts numbered documents at a steady rate through the real driver, majority-acknowledged, and
 * remembers every answer; reads them all back in the end. Repairs nothing, and knows nothing of the control plane.
 */
import { MongoClient } from 'mongodb';
import { messageOf } from './lab-error';
import { type Outage, outageOf, type Sample } from './outage';
import { compareReadBack, type ReadBack } from './read-back';

const DATABASE = 'lab';
const COLLECTION = 'readings';
const READ_BATCH = 5_000;
/** The driver's own default; a set that elects takes less. */
const SELECTION_MS = 30_000;

export interface MongoWriterOptions {
  /** Members to begin with, `address:port`; the driver finds the others, and those that come later, by itself. */
  seeds: readonly string[];
  replicaSet: string;
  /** Time between two writes, ms; each is sent whether or not the one before has been answered. */
  everyMs: number;
}

/** What the server says of itself. */
export interface ServerFacts {
  version: string;
  isStandIn: boolean;
  electionTimeoutS: number;
}

export interface MongoWriter {
  outageBetween: (fromMs: number, toMs: number) => Outage;
  written: () => { sent: number; acknowledged: number; failed: number };
  serverFacts: () => Promise<ServerFacts>;
  /** Stops writing, then reads everything back from the primary. @throws when it can't be read */
  stopAndReadBack: () => Promise<ReadBack>;
  /** Stops writing and lets go of all connections. */
  close: () => Promise<void>;
}

async function askServer(client: MongoClient): Promise<ServerFacts> {
  const admin = client.db('admin');
  const build = await admin.command({ buildInfo: 1 });
  const { config } = await admin.command({ replSetGetConfig: 1 });
  const timeoutMs = Number(config?.settings?.electionTimeoutMillis ?? Number.NaN);
  return { version: String(build.version), isStandIn: build.standIn === true, electionTimeoutS: timeoutMs / 1000 };
}

/** Connects and starts writing; answers once the first write is acknowledged. @throws the driver's error when none is */
export async function startMongoWriter({ seeds, replicaSet, everyMs }: MongoWriterOptions): Promise<MongoWriter> {
  const client = new MongoClient(`mongodb://${seeds.join(',')}/`, {
    replicaSet,
    writeConcern: { w: 'majority' },
    readConcern: { level: 'majority' },
    retryWrites: true,
    serverSelectionTimeoutMS: SELECTION_MS,
    appName: 'fiware-ha-lab',
  });
  const readings = client.db(DATABASE).collection(COLLECTION);
  const samples: Sample[] = [];
  const underway = new Set<Promise<void>>();
  let n = 0;

  const write = async (): Promise<Sample> => {
    n += 1;
    const sample: Sample = { n, sentMs: Date.now(), doneMs: 0, ok: false, detail: '' };
    try {
      await readings.insertOne({ n });
      sample.ok = true;
    } catch (error) {
      sample.detail = messageOf(error);
    }
    sample.doneMs = Date.now();
    samples.push(sample);
    return sample;
  };
  try {
    const first = await write();
    if (!first.ok) throw new Error(`the first write to ${seeds.join(', ')} was not acknowledged: ${first.detail}`);
  } catch (error) {
    await client.close();
    throw error;
  }
  const startMs = Date.now() - everyMs;
  // A timer that comes late makes up for it, so that the rate is kept.
  const timer = setInterval(() => {
    for (; startMs + n * everyMs <= Date.now(); ) {
      const writing = write().then(() => void underway.delete(writing));
      underway.add(writing);
    }
  }, everyMs);
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    await Promise.all(underway);
  };

  return {
    outageBetween: (fromMs, toMs) => outageOf(samples, fromMs, toMs),
    written: () => {
      const acknowledged = samples.filter((sample) => sample.ok).length;
      return { sent: n, acknowledged, failed: samples.length - acknowledged };
    },
    serverFacts: () => askServer(client),
    stopAndReadBack: async () => {
      await stop();
      const found = await readings.find({}, { projection: { _id: 0, n: 1 }, batchSize: READ_BATCH }).toArray();
      return compareReadBack(
        samples,
        found.map((document) => Number(document.n)),
      );
    },
    close: async () => {
      await stop();
      await client.close();
    },
  };
}
