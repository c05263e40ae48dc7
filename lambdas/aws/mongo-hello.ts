/** Asks a mongod `hello` over TCP, one message there and one back. No driver: it would keep connections and weigh a megabyte. */
import { Socket } from 'node:net';
import { deserialize, Long, ObjectId, serialize, Timestamp } from 'bson';
import type { HelloFact } from '../core/facts';

const OP_MSG = 2013;
const HEADER_BYTES = 16;
/** Header, flag bits and the kind of the one section (MongoDB wire protocol, OP_MSG). */
const BODY_OFFSET = HEADER_BYTES + 4 + 1;
const REPLY_MAX_BYTES = 1_048_576;

/** The request as bytes. */
export function encodeHello(requestId: number): Buffer {
  const body = serialize({ hello: 1, $db: 'admin' });
  const message = Buffer.alloc(BODY_OFFSET + body.length);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(requestId, 4);
  message.writeInt32LE(0, 8);
  message.writeInt32LE(OP_MSG, 12);
  message.set(body, BODY_OFFSET);
  return message;
}

/** What jobs carry (core/jobs.ts): planned with anything else, a job would be refused by its own worker. */
const HOST = /^\d{1,3}(\.\d{1,3}){3}:\d{1,5}$/;
const VOTERS_MAX = 7;
const MEMBERS_MAX = 50;

/** An answer that can't be worked with, from a member that is alive all the same: it says nothing about its health. */
export class UnreadableHello extends Error {
  readonly code = 'UNREADABLE_HELLO';
}

/** All hosts or none: a list with some left out would count majorities wrong. */
function hostsOf(value: unknown, max: number): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > max) throw new UnreadableHello(`hello: expected a list of at most ${max} members`);
  const odd: unknown[] = value.filter((item) => typeof item !== 'string' || !HOST.test(item));
  if (odd.length === 0) return value;
  throw new UnreadableHello(
    `hello: expected members as address:port, as this control plane adds them; got ${JSON.stringify(odd[0])?.slice(0, 60)}`,
  );
}

function setVersionOf(value: unknown): number | undefined {
  const version = numberOf(value);
  if (version === undefined || (Number.isSafeInteger(version) && version >= 0)) return version;
  throw new UnreadableHello(`hello: expected setVersion as a whole number; got ${version}`);
}

/** The optime's other parts; absent where the server shows none. */
function orderOf(lastWrite: unknown): Pick<HelloFact, 'lastWriteTerm' | 'lastWriteIncrement'> {
  const { opTime } = (lastWrite ?? {}) as { opTime?: { ts?: unknown; t?: unknown } };
  const term = numberOf(opTime?.t);
  if (!(opTime?.ts instanceof Timestamp) || term === undefined) return {};
  return { lastWriteTerm: term, lastWriteIncrement: opTime.ts.low >>> 0 };
}

function secondsOf(lastWrite: unknown): number | undefined {
  const { opTime, lastWriteDate } = (lastWrite ?? {}) as { opTime?: { ts?: unknown }; lastWriteDate?: unknown };
  if (opTime?.ts instanceof Timestamp) return opTime.ts.high >>> 0;
  return lastWriteDate instanceof Date ? Math.floor(lastWriteDate.getTime() / 1000) : undefined;
}

function numberOf(value: unknown): number | undefined {
  if (value instanceof Long) return value.toNumber();
  return typeof value === 'number' ? value : undefined;
}

/** The fact in a reply; throws on a reply that is no OP_MSG or not ok. */
export function decodeHello(message: Buffer): HelloFact {
  if (message.readInt32LE(12) !== OP_MSG) throw new Error(`unexpected reply, opcode ${message.readInt32LE(12)}`);
  // Bytes after the document are a checksum's (flag checksumPresent); TCP has done that work.
  const reply = deserialize(message.subarray(BODY_OFFSET), { allowObjectSmallerThanBufferSize: true });
  if (reply.ok !== 1) throw new Error(`hello failed: ${String(reply.errmsg ?? reply.code).slice(0, 200)}`);
  const setVersion = setVersionOf(reply.setVersion);
  const lastWriteS = secondsOf(reply.lastWrite);
  const maxWireVersion = numberOf(reply.maxWireVersion);
  return {
    ...(typeof reply.setName === 'string' ? { setName: reply.setName } : {}),
    ...(setVersion === undefined ? {} : { setVersion }),
    isWritablePrimary: reply.isWritablePrimary === true,
    secondary: reply.secondary === true,
    ...(typeof reply.me === 'string' ? { me: reply.me } : {}),
    ...(typeof reply.primary === 'string' ? { primary: reply.primary } : {}),
    hosts: hostsOf(reply.hosts, VOTERS_MAX),
    passives: hostsOf(reply.passives, MEMBERS_MAX),
    ...(lastWriteS === undefined ? {} : { lastWriteS }),
    ...orderOf(reply.lastWrite),
    ...(reply.electionId instanceof ObjectId ? { electionId: reply.electionId.toHexString() } : {}),
    ...(maxWireVersion === undefined ? {} : { maxWireVersion }),
  };
}

/** Asks `host` (`address:port`); rejects with the reason when it does not answer in time. */
export function askHello(host: string, timeoutMs: number): Promise<HelloFact> {
  const [address = '', port = ''] = host.split(':');
  return new Promise((resolve, reject) => {
    const socket = new Socket();
    const timer = setTimeout(() => end(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    let received = Buffer.alloc(0);
    const end = (error?: Error, fact?: HelloFact) => {
      clearTimeout(timer);
      socket.destroy();
      if (fact) resolve(fact);
      else reject(error ?? new Error('connection closed'));
    };
    socket.on('error', (error) => end(error));
    socket.on('close', () => end());
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < HEADER_BYTES) return;
      const length = received.readInt32LE(0);
      if (length < BODY_OFFSET || length > REPLY_MAX_BYTES) return end(new Error(`unexpected reply of ${length} bytes`));
      if (received.length < length) return;
      try {
        end(undefined, decodeHello(received.subarray(0, length)));
      } catch (error) {
        end(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.connect(Number(port), address, () => socket.write(encodeHello(1)));
  });
}
