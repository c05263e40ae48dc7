/** A client of the cluster: writes entities at a steady rate and remembers every answer, so that outages and lost writes can be measured. */
import { request } from 'node:http';

export interface TrafficOptions {
  host: string;
  port: number;
  /** Time between two requests, ms; each is sent whether or not the one before has been answered. */
  everyMs: number;
  timeoutMs: number;
}

interface Sample {
  n: number;
  sentMs: number;
  doneMs: number;
  ok: boolean;
  detail: string;
}

/** What clients felt over a stretch of time. */
export interface Outage {
  requests: number;
  failed: number;
  /** Longest time between two good answers, ms. */
  longestGapMs: number;
  /** What failed requests said, with how often. */
  errors: Record<string, number>;
}

export interface Traffic {
  outageBetween: (fromMs: number, toMs: number) => Outage;
  acknowledged: () => number[];
  stop: () => Promise<void>;
}

export const ENTITY_TYPE = 'LabReading';

export function entityId(n: number): string {
  return `lab:reading:${n}`;
}

interface Answer {
  status: number;
  body: string;
}

/** One HTTP request over a connection of its own, as a client behind a balancer that fails over would open it. @throws on any failure. */
export function ask(
  options: Pick<TrafficOptions, 'host' | 'port' | 'timeoutMs'>,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const sent = request({ host: options.host, port: options.port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${options.timeoutMs} ms`)), options.timeoutMs);
    sent.once('close', () => clearTimeout(timer));
    sent.once('error', reject);
    sent.end(text);
  });
}

function outageOf(samples: Sample[], fromMs: number, toMs: number): Outage {
  const within = samples.filter((sample) => sample.doneMs >= fromMs && sample.sentMs <= toMs);
  const good = within.filter((sample) => sample.ok).map((sample) => Math.min(sample.doneMs, toMs));
  const edges = [fromMs, ...good.sort((a, b) => a - b), toMs];
  const gaps = edges.slice(1).map((at, i) => at - (edges[i] ?? at));
  const bad = within.filter((sample) => !sample.ok);
  const errors: Record<string, number> = {};
  for (const { detail } of bad) errors[detail] = (errors[detail] ?? 0) + 1;
  return { requests: within.length, failed: bad.length, longestGapMs: Math.max(0, ...gaps), errors };
}

/** Starts writing; runs until stopped. */
export function startTraffic(options: TrafficOptions): Traffic {
  const samples: Sample[] = [];
  const underway = new Set<Promise<void>>();
  let n = 0;

  const write = async (id: number): Promise<void> => {
    const sentMs = Date.now();
    let ok = false;
    let detail = '';
    try {
      const entity = { id: entityId(id), type: ENTITY_TYPE, value: { type: 'Number', value: id } };
      const answer = await ask(options, 'POST', '/v2/entities', entity);
      ok = answer.status === 201;
      detail = ok ? '' : `HTTP ${answer.status}`;
    } catch (error) {
      detail = (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));
    }
    samples.push({ n: id, sentMs, doneMs: Date.now(), ok, detail });
  };
  const timer = setInterval(() => {
    n += 1;
    const writing = write(n).finally(() => underway.delete(writing));
    underway.add(writing);
  }, options.everyMs);

  return {
    outageBetween: (fromMs, toMs) => outageOf(samples, fromMs, toMs),
    acknowledged: () => samples.filter((sample) => sample.ok).map((sample) => sample.n),
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underway);
    },
  };
}
