/** Finds acknowledged writes that can't be read any more. Only reads. */
import { ask, entityId } from './traffic';

const AT_ONCE = 8;
const TRIES = 3;

interface Entry {
  host: string;
  port: number;
  timeoutMs: number;
}

async function canBeRead(entry: Entry, n: number): Promise<boolean> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    try {
      const { status } = await ask(entry, 'GET', `/v2/entities/${entityId(n)}`);
      if (status === 200) return true;
      if (status === 404) return false;
    } catch {
      // Asked again below: a lost answer is no lost write.
    }
  }
  return false;
}

/** Those of the acknowledged entities that are not there. */
export async function findLost(entry: Entry, acknowledged: readonly number[]): Promise<number[]> {
  const waiting = [...acknowledged];
  const lost: number[] = [];
  const work = async (): Promise<void> => {
    for (let n = waiting.pop(); n !== undefined; n = waiting.pop()) if (!(await canBeRead(entry, n))) lost.push(n);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return lost;
}
