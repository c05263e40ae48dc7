/** A client of the cluster: writes entities at a steady rate and remembers every answer, so that outages and lost writes can be measured. */
import { request } from 'node:http';
import { type Outage, outageOf, type Sample } from './outage';

export interface TrafficOptions {
  host: string;
  port: number;
  /** Time between two requests, ms; each is sent whether or not the one before has been answered. */
  everyMs: number;
  timeoutMs: number;
}

export interface Traffic {
  /** Every request that has ended so far. */
  samples: readonly Sample[];
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
    samples,
    outageBetween: (fromMs, toMs) => outageOf(samples, fromMs, toMs),
    acknowledged: () => samples.filter((sample) => sample.ok).map((sample) => sample.n),
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underway);
    },
  };
}
