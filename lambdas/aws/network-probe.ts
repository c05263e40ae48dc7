/** Looks at nodes over the network, as the probe port. A bad answer is an outcome; only our own lack of a network is unknown. */
import type { Probe } from '../app/ports';
import type { Outcome } from '../core/facts';
import { askHello } from './mongo-hello';

const BODY_MAX_BYTES = 4_096;
/** A node's own words in an error: they go into reasons, rows and the journal. */
const DETAIL_MAX_CHARS = 200;
/** Errors that say we ourselves have no way out, or can't read the answer; the node may be well. */
const OUR_OWN_FAULT: ReadonlySet<string> = new Set([
  'UNREADABLE_HELLO',
  'ENETUNREACH',
  'ENETDOWN',
  'EMFILE',
  'ENFILE',
  'EADDRNOTAVAIL',
  'EPERM',
  'EACCES',
]);

/** What an error says of the node: `failed`, or `unknown` when the fault is on our side. */
export function outcomeOf(error: unknown): Outcome {
  const e = error as { name?: string; message?: string; code?: string; cause?: { code?: string; message?: string } };
  const code = e.cause?.code ?? e.code ?? '';
  const detail =
    e.name === 'TimeoutError'
      ? 'no answer in time'
      : code === 'ECONNREFUSED'
        ? 'connection refused'
        : (e.cause?.message ?? e.message ?? String(error));
  const words = detail.slice(0, DETAIL_MAX_CHARS);
  return OUR_OWN_FAULT.has(code) ? { is: 'unknown', detail: words } : { is: 'failed', detail: words };
}

/** The first bytes of a body as text; the rest is left unread, so that a large or endless answer costs nothing. */
async function startOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= BODY_MAX_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, BODY_MAX_BYTES).toString('utf8');
}

/** The probe port; `now` in ms, for latencies. */
export function makeProbe(now: () => number): Probe {
  return {
    http: async (url, timeoutMs) => {
      const startMs = now();
      try {
        const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'manual', headers: { connection: 'close' } });
        const body = await startOf(response);
        if (response.status >= 400) return { outcome: { is: 'failed', detail: `HTTP ${response.status}` }, body };
        return { outcome: { is: 'ok', latencyMs: now() - startMs }, body };
      } catch (error) {
        return { outcome: outcomeOf(error), body: '' };
      }
    },
    hello: async (host, timeoutMs) => {
      const startMs = now();
      try {
        const hello = await askHello(host, timeoutMs);
        return { outcome: { is: 'ok', latencyMs: now() - startMs }, hello };
      } catch (error) {
        return { outcome: outcomeOf(error) };
      }
    },
  };
}
