/** What the benches' clients ask a broker: reads, repeatable writes and others, on a fixed set of entities. Sends nothing but that set's creation. */
import { LabError } from '../lab-error';
import { ask } from '../traffic';
import type { PlannedRequest } from './open-loop';

const ENTITIES = 20;
const CREATE_TIMEOUT_MS = 5_000;

/** Of ten requests six are GET, two are PUT, two are POST. Doing a PUT twice is the same as once; a POST promises no such thing. */
const TURNS = ['GET', 'GET', 'PUT', 'GET', 'POST', 'GET', 'GET', 'PUT', 'GET', 'POST'] as const;

export const MIX_IN_WORDS = 'of ten requests six GET, two PUT, two POST';

function idOf(n: number): string {
  return `bench:reading:${n % ENTITIES}`;
}

/** The n-th request. The entities stay as many as they are, so that the database has the same to do at the end as at the beginning. */
export function brokerRequest(n: number): PlannedRequest {
  const method = TURNS[n % TURNS.length] ?? 'GET';
  if (method === 'GET') return { method, path: '/v2/entities?limit=1' };
  return { method, path: `/v2/entities/${idOf(n)}/attrs`, body: { value: { type: 'Number', value: n } } };
}

/** Creates the entities where they are not there yet. @throws LabError when a broker refuses one */
export async function createEntities(target: { host: string; port: number }): Promise<void> {
  for (let n = 0; n < ENTITIES; n++) {
    const entity = { id: idOf(n), type: 'Reading', value: { type: 'Number', value: 0 } };
    const { status, body } = await ask({ ...target, timeoutMs: CREATE_TIMEOUT_MS }, 'POST', '/v2/entities', entity);
    if (status !== 201 && status !== 422)
      throw new LabError(`POST /v2/entities: expected 201, or 422 for one that exists; got ${status} ${body}`);
  }
}
