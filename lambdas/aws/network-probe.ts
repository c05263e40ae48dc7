/** Looks at nodes over the network, as the probe port. A bad answer is an outcome; only our own lack of a network is unknown. */
import { connect } from 'node:net';
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

/** Errors that come only after a connection was there. */
const CUT_OFF: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);
/** Within one VPC an open port answers in a few of these, ms. */
const ACCEPT_MS = 300;

/** Whether a port takes connections at all. */
function takesConnections({ hostname, port }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port || 80) });
    const end = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.setTimeout(ACCEPT_MS, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** A failure with whether the node took the connection: a timeout alone does not say. */
async function failureOf(error: unknown, url: string): Promise<Outcome> {
  const outcome = outcomeOf(error);
  if (outcome.is !== 'failed') return outcome;
  if (CUT_OFF.has((error as { cause?: { code?: string } }).cause?.code ?? '')) return { ...outcome, accepts: true };
  const isLate = (error as { name?: string }).name === 'TimeoutError';
  return isLate && (await takesConnections(new URL(url))) ? { ...outcome, accepts: true } : outcome;
}

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
    http: async (url, timeoutMs, headers = {}) => {
      const startMs = now();
      try {
        const response = await fetch(url, {
          signal: AbortSignal.timeout(timeoutMs),
          redirect: 'manual',
          headers: { ...headers, connection: 'close' },
        });
        const body = await startOf(response);
        if (response.status >= 400) return { outcome: { is: 'failed', detail: `HTTP ${response.status}`, status: response.status }, body };
        return { outcome: { is: 'ok', latencyMs: now() - startMs }, body };
      } catch (error) {
        return { outcome: await failureOf(error, url), body: '' };
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
