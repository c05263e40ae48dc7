/**
 * A service of Cygnus' shape that takes its place in the lab: takes notifications into a channel and stores them a moment later. It is not
 * Cygnus: it stores into its own memory, and knows no sinks. Configured by the variables that Cygnus' image knows.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

const VERSION = '3.17.0-stand-in';
const STORE_EVERY_MS = 50;
const BODY_BYTES_MAX = 1_048_576;

/** @throws where a variable is no port */
function portOf(name: string, fallback: number): number {
  const port = Number(process.env[name] ?? fallback);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error(`${name}: expected 1 to 65535, got "${process.env[name]}"`);
  return port;
}

/** The body as JSON; undefined where it is none, or too long. */
async function jsonOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, body?: unknown): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

/** What waits in the channel, and what was stored since the start. */
class Channel {
  private readonly waiting: unknown[] = [];
  stored = 0;

  put(event: unknown): void {
    this.waiting.push(event);
  }

  get size(): number {
    return this.waiting.length;
  }

  storeAll(): void {
    this.stored += this.waiting.splice(0).length;
  }
}

function isNotification(body: unknown): boolean {
  return body !== null && typeof body === 'object' && Array.isArray((body as { data?: unknown }).data);
}

function main(): void {
  const channel = new Channel();
  setInterval(() => channel.storeAll(), STORE_EVERY_MS);
  const notified = createServer(async (request, response) => {
    if (request.method !== 'POST' || request.url !== '/notify') return send(response, 404, { error: 'expected POST /notify' });
    const body = await jsonOf(request);
    if (!isNotification(body)) return send(response, 400, { error: 'expected a notification: an object with a list data' });
    channel.put(body);
    send(response, 200);
  });
  const asked = createServer((request, response) => {
    if (request.url === '/v1/version') return send(response, 200, { success: 'true', version: VERSION, standIn: true });
    if (request.url === '/v1/stats')
      return send(response, 200, { success: 'true', stats: { channel: { num_events: channel.size, stored: channel.stored } } });
    send(response, 404, { error: 'expected /v1/version or /v1/stats' });
  });
  const [north, admin] = [portOf('CYGNUS_MONGO_SERVICE_PORT', 5051), portOf('CYGNUS_API_PORT', 5080)];
  notified.listen(north);
  asked.listen(admin);
  console.log(`a STAND-IN of Cygnus' shape ${VERSION}, not Cygnus: notifications at ${north}, version and stats at ${admin}`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
}

main();
