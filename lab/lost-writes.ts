/** Finds acknowledged writes that can't be read any more. Only reads. */
import { ask, ENTITY_TYPE, entityId } from './traffic';

const TRIES = 3;
/** As many as Orion gives at once. */
const PAGE = 1_000;

interface Entry {
  host: string;
  port: number;
  timeoutMs: number;
}

/** The ids on one page; null where it could not be read. */
async function idsOnPage(entry: Entry, offset: number): Promise<string[] | null> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    try {
      const { status, body } = await ask(entry, 'GET', `/v2/entities?type=${ENTITY_TYPE}&limit=${PAGE}&offset=${offset}`);
      if (status === 200) return (JSON.parse(body) as { id: string }[]).map(({ id }) => id);
    } catch {
      // Asked again: a lost answer is no lost write.
    }
  }
  return null;
}

/** Ids of all entities that the pages show: a question an entity would keep a database without indexes busy for long. */
async function idsThere(entry: Entry): Promise<Set<string>> {
  const there = new Set<string>();
  for (let offset = 0; ; offset += PAGE) {
    const ids = await idsOnPage(entry, offset);
    for (const id of ids ?? []) there.add(id);
    if (!ids || ids.length < PAGE) return there;
  }
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

/** Those of the acknowledged entities that are not there; what no page showed is asked for by itself. */
export async function findLost(entry: Entry, acknowledged: readonly number[]): Promise<number[]> {
  const there = await idsThere(entry);
  const lost: number[] = [];
  for (const n of acknowledged) if (!there.has(entityId(n)) && !(await canBeRead(entry, n))) lost.push(n);
  return lost;
}
