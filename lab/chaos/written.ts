/**
 * Reads back what the client was told is stored: after each scenario what is new, and removes nine of ten of those entities, so that the
 * database has as much to do at the end as at the beginning; in the end those that stayed, once more.
 */
import { MongoClient } from 'mongodb';
import type { StatusSummary } from '../../lambdas/core/memory';
import { PORT } from '../../lambdas/core/names';
import { messageOf } from '../lab-error';
import { LOCAL_ENTRY } from '../local-entry';
import { findLost } from '../lost-writes';
import { ENTITY_TYPE } from '../traffic';
import { type ChaosClient, CREATES_PER_S, TIMEOUT_MS } from './client';
import { nodesOfRole } from './victims';

/** Where Orion keeps entities of no service. */
const DATABASE = 'orion';
const SELECTION_MS = 10_000;
const ENTRY = { ...LOCAL_ENTRY, timeoutMs: TIMEOUT_MS };
/** Numbers so far below the newest have ended, one way or the other: their requests have timed out by now. */
const UNDER_WAY_MAX = CREATES_PER_S * (TIMEOUT_MS / 1000 + 1);

/** Every tenth entity stays. */
export function staysToTheEnd(n: number): boolean {
  return n % 10 === 0;
}

/** Of what was acknowledged, what must still be there when all others up to `removedN` were removed. */
export function stillThere(acknowledged: readonly number[], removedN: number): number[] {
  return acknowledged.filter((n) => n > removedN || staysToTheEnd(n));
}

/** One command to the replica set itself, for all of them. */
async function removeUpTo(lastN: number, status: StatusSummary, replicaSet: string): Promise<void> {
  const seeds = nodesOfRole(status, 'mongo').map(({ privateIp }) => `${privateIp}:${PORT.mongo}`);
  const options = {
    replicaSet,
    writeConcern: { w: 'majority' },
    serverSelectionTimeoutMS: SELECTION_MS,
    appName: 'fiware-ha-lab',
  } as const;
  const client = new MongoClient(`mongodb://${seeds.join(',')}/`, options);
  try {
    const others = { '_id.type': ENTITY_TYPE, '_id.id': { $regex: '[1-9]$' }, 'attrs.value.value': { $lte: lastN } };
    await client.db(DATABASE).collection('entities').deleteMany(others);
  } finally {
    await client.close();
  }
}

export interface Written {
  /** Reads back what was acknowledged since the last time; answers what is lost of it. */
  readBackNew: () => Promise<number[]>;
  /** Removes nine of ten of what was read back. What can't be removed now goes the next time. */
  tidy: (status: StatusSummary, say: (line: string) => void) => Promise<void>;
  /** Reads back what stayed; answers how many writes are lost of all. */
  readBackAll: () => Promise<number>;
}

export function watchWritten(client: ChaosClient, replicaSet: string): Written {
  const lost = new Set<number>();
  let readBack = 0;
  let removedN = 0;
  const note = (numbers: number[]): number[] => {
    for (const n of numbers) lost.add(n);
    return numbers;
  };
  return {
    readBackNew: async () => {
      const acknowledged = client.acknowledged();
      const fresh = acknowledged.slice(readBack);
      readBack = acknowledged.length;
      return note(await findLost(ENTRY, fresh));
    },
    tidy: async (status, say) => {
      const lastN = Math.max(0, ...client.acknowledged().slice(0, readBack).slice(-1)) - UNDER_WAY_MAX;
      if (lastN <= removedN) return;
      // Also where the answer is lost: it may have been done all the same, and then they are no lost writes.
      removedN = lastN;
      await removeUpTo(lastN, status, replicaSet).catch((error: unknown) => say(`  not removed: ${messageOf(error)}`));
    },
    readBackAll: async () => {
      note(await findLost(ENTRY, stillThere(client.acknowledged(), removedN)));
      return lost.size;
    },
  };
}
