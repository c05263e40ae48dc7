/**
 * An HTTP client that sends each request at its own fixed time, whatever became of those before, and remembers how each ended.
 * It never waits for an answer before the next request and never sends one twice, so that a hang is felt as often as users would feel it.
 */
import { Agent, request } from 'node:http';

export type Method = 'GET' | 'PUT' | 'POST';

export interface PlannedRequest {
  method: Method;
  path: string;
  body?: unknown;
}

/** One request with its end; times in ms since the epoch. */
export interface RequestRecord {
  /** When it was to be sent; its latency counts from here. */
  dueMs: number;
  sentMs: number;
  doneMs: number;
  method: Method;
  ok: boolean;
  /** Status or error of one that failed; empty for a good one. */
  detail: string;
}

export interface OpenLoopOptions {
  host: string;
  port: number;
  ratePerS: number;
  /** A request without a whole answer by then has failed, ms. */
  timeoutMs: number;
}

interface OpenLoop {
  /** Sends no more; answers when those under way have ended. */
  stop: () => Promise<void>;
}

type Target = Pick<OpenLoopOptions, 'host' | 'port' | 'timeoutMs'>;

/** Connections are kept and used again, as clients do; one that was cut meanwhile costs the request that finds out. */
function exchange(agent: Agent, { host, port, timeoutMs }: Target, { method, path, body }: PlannedRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const sent = request({ host, port, method, path, headers, agent }, (response) => {
      response.once('error', reject);
      response.once('end', () => resolve(response.statusCode ?? 0));
      response.resume();
    });
    const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    sent.once('close', () => clearTimeout(timer));
    sent.once('error', reject);
    sent.end(text);
  });
}

/** Starts at once. `plan` says what the n-th request is, from 0; `onEnd` hears of each as it ends. */
export function startOpenLoop(
  options: OpenLoopOptions,
  plan: (n: number) => PlannedRequest,
  onEnd: (record: RequestRecord) => void,
): OpenLoop {
  const agent = new Agent({ keepAlive: true });
  const underWay = new Set<Promise<void>>();
  const startMs = Date.now();
  const dueOf = (n: number): number => startMs + (n * 1000) / options.ratePerS;
  let next = 0;
  let timer: NodeJS.Timeout | undefined;

  const send = async (planned: PlannedRequest, dueMs: number): Promise<void> => {
    const sentMs = Date.now();
    let detail = '';
    try {
      const status = await exchange(agent, options, planned);
      if (status < 200 || status > 299) detail = `HTTP ${status}`;
    } catch (error) {
      detail = (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));
    }
    onEnd({ dueMs, sentMs, doneMs: Date.now(), method: planned.method, ok: detail === '', detail });
  };
  const fire = (): void => {
    for (; dueOf(next) <= Date.now(); next++) {
      const sending: Promise<void> = send(plan(next), dueOf(next)).finally(() => underWay.delete(sending));
      underWay.add(sending);
    }
    timer = setTimeout(fire, Math.max(0, dueOf(next) - Date.now()));
  };
  fire();
  return {
    stop: async () => {
      clearTimeout(timer);
      await Promise.all(underWay);
      agent.destroy();
    },
  };
}
