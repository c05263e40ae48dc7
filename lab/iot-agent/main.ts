/**
 * A small real IoT agent on iotagent-node-lib, with its registry in memory: JSON over HTTP, as IoT Agent JSON takes it, which it is not.
 * Configured by the variables of that agent's entry; those of the registry are not used.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { activate, type Measure, retrieveDevice, update } from 'iotagent-node-lib';
import { version } from 'iotagent-node-lib/package.json';

const BODY_BYTES_MAX = 65_536;
/** Devices of this key need not be provisioned: each agent knows only its own registry, and any of them may get a measure. */
const API_KEY = process.env.IOTA_LAB_KEY ?? 'lab';
const SERVICE = { 'fiware-service': 'lab', 'fiware-servicepath': '/' };
const RESOURCE = '/iot/json';

/** A mistake of whoever sent a measure. */
class BadMeasure extends Error {}

/** @throws where a variable is missing, or is no port */
function portOf(name: string): number {
  const port = Number(process.env[name]);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error(`${name}: expected 1 to 65535, got "${process.env[name]}"`);
  return port;
}

async function measuresIn(request: IncomingMessage): Promise<Measure[]> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new BadMeasure(`body: expected at most ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  let body: unknown;
  try {
    body = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new BadMeasure('body: expected JSON');
  }
  if (body === null || typeof body !== 'object' || Array.isArray(body)) throw new BadMeasure('body: expected an object of measures');
  return Object.entries(body).map(([name, value]) => ({ name, type: typeof value === 'number' ? 'Number' : 'Text', value }));
}

/** Hands measures to the library, which tells the broker. */
function deliver(id: string, key: string, measures: Measure[]): Promise<void> {
  return new Promise((resolve, reject) => {
    retrieveDevice(id, key, (unknown, device) => {
      if (unknown || !device) return reject(unknown ?? new Error(`${id}: no such device`));
      update(device.name, device.type, '', measures, device, (failed) => (failed ? reject(failed) : resolve()));
    });
  });
}

async function take(request: IncomingMessage): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://agent');
  const [key, id] = [url.searchParams.get('k'), url.searchParams.get('i')];
  if (request.method !== 'POST' || url.pathname !== RESOURCE || !key || !id)
    throw new BadMeasure(`expected POST ${RESOURCE}?k=KEY&i=DEVICE with an object of measures`);
  await deliver(id, key, await measuresIn(request));
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

/** Where devices send to; its own `/iot/about` says that the port is open. */
function listenSouth(port: number): void {
  createServer((request, response) => {
    if (request.method === 'GET' && request.url === '/iot/about') return send(response, 200, { libVersion: version });
    take(request).then(
      () => send(response, 200, {}),
      (error: { name?: string; message?: string; code?: unknown }) => {
        // The library's errors carry a status; what the network says of the broker does not.
        const status = typeof error.code === 'number' ? error.code : 502;
        send(response, error instanceof BadMeasure ? 400 : status, { name: error.name, message: error.message });
      },
    );
  }).listen(port);
}

/** Makes the key known to the library, by its own interface. */
async function provisionKey(northPort: number): Promise<void> {
  const body = { services: [{ apikey: API_KEY, entity_type: 'Thing', resource: RESOURCE }] };
  const response = await fetch(`http://127.0.0.1:${northPort}/iot/services`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...SERVICE },
    body: JSON.stringify(body),
  });
  if (response.status !== 201) throw new Error(`the library did not take the key: ${response.status} ${await response.text()}`);
}

function main(): void {
  const [northPort, southPort] = [portOf('IOTA_NORTH_PORT'), portOf('IOTA_HTTP_PORT')];
  // The library would read the variables of a registry in MongoDB, and this one is in memory.
  for (const name of Object.keys(process.env)) if (/^IOTA_(REGISTRY_TYPE|MONGO_)/.test(name)) delete process.env[name];
  const config = {
    logLevel: 'ERROR',
    contextBroker: { host: process.env.IOTA_CB_HOST ?? '', port: String(portOf('IOTA_CB_PORT')), ngsiVersion: 'v2' },
    server: { port: northPort, host: '0.0.0.0' },
    deviceRegistry: { type: 'memory' },
    types: {},
    service: SERVICE['fiware-service'],
    subservice: SERVICE['fiware-servicepath'],
    providerUrl: process.env.IOTA_PROVIDER_URL ?? '',
    defaultType: 'Thing',
    defaultResource: RESOURCE,
  };
  console.log(`a REAL IoT agent on iotagent-node-lib ${version}, its registry in memory; not IoT Agent JSON itself`);
  activate(config, (error) => {
    const ready = error ? Promise.reject(error) : provisionKey(northPort).then(() => listenSouth(southPort));
    ready.catch((reason: { message?: string }) => {
      console.error(`the agent did not start: ${reason.message ?? reason}`);
      process.exit(1);
    });
  });
}

main();
