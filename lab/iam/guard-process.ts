/**
 * The guard as an HTTP server before the emulator: what it refuses never gets there, everything else is passed on as it came, because the
 * emulator checks signatures and evaluates its own, wider policies as well. Run as a program: `guard-process.ts HOST PORT EMULATOR`.
 */
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import { buffer } from 'node:stream/consumers';
import { ROOT_CREDENTIALS } from '../emulator';
import { COUNTS_PATH } from '../guard';
import { messageOf } from '../lab-error';
import { emulatorLooks } from './emulator-looks';
import { Guard, type Request } from './guard';

/** Connections to the emulator are kept: opening one costs it more than most answers. */
const AGENT = new Agent({ keepAlive: true });

/** Answers of more are passed through unread; none of what is noted is near it. */
const NOTED_MAX_BYTES = 1024 * 1024;

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** A signature in the header, or in the address as presigned requests have it. */
function signatureOf(incoming: IncomingMessage): string | undefined {
  const presigned = new URL(incoming.url ?? '/', 'http://emulator').searchParams.get('X-Amz-Credential');
  return headerOf(incoming, 'authorization') ?? (presigned === null ? undefined : `Credential=${presigned}`);
}

/**
 * Passes a request on with every header as it came: the signature covers the host's name too. Answers with what came back. One on a kept
 * connection that the emulator had just closed never got there, and goes out once more (nodejs.org/api/http.html, `request.reusedSocket`).
 */
function pass(emulator: URL, incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { method, url: path, headers } = incoming;
    const { hostname, port } = emulator;
    const outgoing = httpRequest({ hostname, port, method, path, headers: headers as OutgoingHttpHeaders, agent: AGENT }, resolve);
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (outgoing.reusedSocket && error.code === 'ECONNRESET') pass(emulator, incoming, body).then(resolve, reject);
      else reject(error);
    });
    outgoing.end(body);
  });
}

async function handle(guard: Guard, emulator: URL, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  if (incoming.url === COUNTS_PATH) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(guard.counts));
    return;
  }
  const body = await buffer(incoming);
  const request: Request = {
    authorization: signatureOf(incoming),
    target: headerOf(incoming, 'x-amz-target'),
    body: body.toString('utf8'),
    path: incoming.url ?? '/',
  };
  const verdict = await guard.judge(request);
  if (verdict.is === 'refused') {
    console.log(`${new Date().toISOString()} refused: ${verdict.why}`);
    response.writeHead(verdict.answer.status, verdict.answer.headers).end(verdict.answer.body);
    return;
  }
  const answer = await pass(emulator, incoming, body);
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  if (!guard.isNoted(request)) {
    answer.pipe(response);
    return;
  }
  const answered = await buffer(answer);
  if (answered.length <= NOTED_MAX_BYTES) guard.noteAnswer(request, answered.toString('utf8'));
  response.end(answered);
}

/** The emulator's root user, of the lab's account or of another, which twelve digits stand for. */
const isRoot = (accessKey: string) => accessKey === ROOT_CREDENTIALS.accessKeyId || /^\d{12}$/.test(accessKey);

/** Serves until the process ends. */
function serve(host: string, port: number, emulator: URL): void {
  const guard = new Guard(isRoot, emulatorLooks(emulator.href));
  const server = createServer((incoming, response) => {
    handle(guard, emulator, incoming, response).catch((error) => {
      console.log(`${new Date().toISOString()} ${incoming.method} ${incoming.url}: ${messageOf(error)}`);
      if (!response.headersSent) response.writeHead(502);
      response.end();
    });
  });
  // The SDKs keep connections open; one that ends under a request would look like a fault of AWS.
  server.keepAliveTimeout = 120_000;
  server.listen(port, host, () => console.log(`the guard of ${emulator.href} listens on ${host}:${port}`));
}

if (require.main === module) {
  const [host = '', port = '', emulator = ''] = process.argv.slice(2);
  serve(host, Number(port), new URL(emulator));
}
