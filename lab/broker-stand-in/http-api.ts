/** The HTTP side of the broker stand-in: a few routes of NGSIv2. `/version` never touches the database. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Entities, Where } from './entities';
import { NgsiError, parseAttributes, parseEntity, showEntity } from './ngsi';

const BODY_BYTES_MAX = 1_048_576;
/** A request ends after this, whatever the database does. */
const ANSWER_MS_MAX = 5_000;
const LIMIT_MAX = 1000;

export const VERSION = '4.1.0-stand-in';

interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

interface Call {
  method: string;
  path: string[];
  query: URLSearchParams;
  body: string;
  servicePath: string;
  entities: Entities;
}

const isKeyValues = (call: Call) => (call.query.get('options') ?? '').split(',').includes('keyValues');
const nowS = () => Date.now() / 1000;
const notFound = () => new NgsiError(404, 'NotFound', 'The requested entity has not been found. Check type and id');

function wholeNumber(call: Call, name: string, fallback: number, min: number, max: number): number {
  const value = Number(call.query.get(name) ?? fallback);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new NgsiError(400, 'BadRequest', `Bad pagination ${name}: "${call.query.get(name)}", expected ${min} to ${max}`);
}

function parseBody(call: Call): unknown {
  try {
    return JSON.parse(call.body);
  } catch {
    throw new NgsiError(400, 'ParseError', 'Errors found in incoming JSON buffer');
  }
}

function whereOf(call: Call, id?: string): Where {
  const wanted = id ?? call.query.get('id') ?? undefined;
  const type = call.query.get('type') ?? undefined;
  return { servicePath: call.servicePath, ...(wanted === undefined ? {} : { id: wanted }), ...(type === undefined ? {} : { type }) };
}

async function list(call: Call): Promise<Answer> {
  const limit = wholeNumber(call, 'limit', 20, 1, LIMIT_MAX);
  const found = await call.entities.list(whereOf(call), limit, wholeNumber(call, 'offset', 0, 0, 1e9));
  const wantsCount = (call.query.get('options') ?? '').split(',').includes('count');
  const headers: Record<string, string> = wantsCount ? { 'fiware-total-count': String(await call.entities.count(whereOf(call))) } : {};
  return { status: 200, body: found.map((entity) => showEntity(entity, isKeyValues(call))), headers };
}

const isUpsert = (call: Call) => (call.query.get('options') ?? '').split(',').includes('upsert');

/** `upsert`, which IoT agents use: an entity that is there gets these attributes beside its others; 204 either way (NGSIv2, create entity). */
async function create(call: Call): Promise<Answer> {
  const { id, type, attributes } = parseEntity(parseBody(call), isKeyValues(call));
  const headers = { location: `/v2/entities/${encodeURIComponent(id)}?type=${encodeURIComponent(type)}` };
  if (await call.entities.create({ id, type, attributes }, call.servicePath, nowS()))
    return { status: isUpsert(call) ? 204 : 201, headers };
  if (!isUpsert(call)) throw new NgsiError(422, 'Unprocessable', 'Already Exists');
  if (!(await call.entities.setAttributes({ id, type, servicePath: call.servicePath }, attributes, nowS()))) throw notFound();
  return { status: 204, headers };
}

async function getOne(call: Call, id: string): Promise<Answer> {
  const entity = await call.entities.get(whereOf(call, id));
  if (!entity) throw notFound();
  return { status: 200, body: showEntity(entity, isKeyValues(call)) };
}

/** PATCH changes attributes that are there; POST may add some; PUT leaves none but those it brings. */
async function setAttributes(call: Call, id: string): Promise<Answer> {
  const attributes = parseAttributes(parseBody(call), isKeyValues(call));
  if (call.method === 'PATCH') {
    const entity = await call.entities.get(whereOf(call, id));
    if (!entity) throw notFound();
    const missing = Object.keys(attributes).filter((name) => !(name in entity.attributes));
    if (missing.length > 0)
      throw new NgsiError(422, 'Unprocessable', `one or more of the attributes in the request do not exist: [ ${missing.join(', ')} ]`);
  }
  const where = whereOf(call, id);
  const isThere =
    call.method === 'PUT'
      ? await call.entities.replaceAttributes(where, attributes, nowS())
      : await call.entities.setAttributes(where, attributes, nowS());
  if (!isThere) throw notFound();
  return { status: 204 };
}

async function route(call: Call): Promise<Answer> {
  const [version, resource, id, part, ...rest] = call.path;
  if (version !== 'v2' || resource !== 'entities' || rest.length > 0) throw new NgsiError(400, 'BadRequest', 'service not found');
  const { method } = call;
  if (id === undefined && method === 'GET') return list(call);
  if (id === undefined && method === 'POST') return create(call);
  if (id !== undefined && part === undefined && method === 'GET') return getOne(call, id);
  if (id !== undefined && part === undefined && method === 'DELETE') {
    if (await call.entities.remove(whereOf(call, id))) return { status: 204 };
    throw notFound();
  }
  if (id !== undefined && part === 'attrs' && ['PATCH', 'POST', 'PUT'].includes(method)) return setAttributes(call, id);
  throw new NgsiError(405, 'MethodNotAllowed', 'method not allowed');
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new NgsiError(413, 'RequestEntityTooLarge', `payload size: over ${BODY_BYTES_MAX}`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function bounded<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the database did not answer within ${ANSWER_MS_MAX} ms`)), ANSWER_MS_MAX);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Orion's own escaping of the texts of errors (src/lib/common/string.cpp, htmlEscape). */
const ESCAPED: Record<string, string> = {
  '<': '&lt;',
  '>': '&gt;',
  '(': '&#40;',
  ')': '&#41;',
  '=': '&#61;',
  "'": '&#39;',
  '"': '&quot;',
  ';': '&#59;',
};
const escaped = (text: string) => text.replace(/[<>()='";]/g, (sign) => ESCAPED[sign] ?? sign);

/** As Orion words it since 3.0: a query that fails by its cursor (DBCursor.cpp), anything else by its operation (connectionOperations.cpp). */
function errorAnswer(error: unknown, isQuery: boolean): Answer {
  const answer = (status: number, name: string, description: string) => ({
    status,
    body: { error: name, description: escaped(description) },
  });
  if (error instanceof NgsiError) return answer(error.status, error.error, error.message);
  const reason = error instanceof Error ? error.message : String(error);
  const words = isQuery ? `Error at querying MongoDB: ${reason}` : `Database Error (collection: orion.entities - exception: ${reason})`;
  return answer(500, 'InternalServerError', words);
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers });
  response.end(text);
}

/** Handles one request; never rejects. `entitiesOf` gives the store of a Fiware-Service. */
export function makeHandler(entitiesOf: (service: string) => Entities, startedMs: number) {
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const url = new URL(request.url ?? '/', 'http://broker');
    if (url.pathname === '/version')
      return {
        status: 200,
        body: { orion: { version: VERSION, standIn: true, uptime: `${Math.floor((Date.now() - startedMs) / 1000)} s` } },
      };
    const service = String(request.headers['fiware-service'] ?? '').toLowerCase();
    if (!/^\w{0,50}$/.test(service)) throw new NgsiError(400, 'BadRequest', `bad character in tenant name: "${service}"`);
    const call: Call = {
      method: request.method ?? 'GET',
      path: url.pathname.split('/').filter(Boolean).map(decodeURIComponent),
      query: url.searchParams,
      body: await readBody(request),
      servicePath: String(request.headers['fiware-servicepath'] ?? '/'),
      entities: entitiesOf(service),
    };
    return bounded(route(call));
  };
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    send(response, await answer(request).catch((error) => errorAnswer(error, request.method === 'GET')));
  };
}
