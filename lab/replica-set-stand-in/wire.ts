/** MongoDB's wire protocol: OP_MSG, and OP_QUERY for the first hello. Bytes to documents and back; runs no command. */
import { BSON, type Document } from 'bson';

const OP = { reply: 1, query: 2004, msg: 2013 } as const;
const HEADER_BYTES = 16;
/** MongoDB's limit is 48 MB; an initial sync between stand-ins travels in one message. */
const MESSAGE_BYTES_MAX = 512 * 1024 * 1024;
const MORE_TO_COME = 2;

export interface Request {
  id: number;
  /** The command; document sequences stand in it as arrays. */
  command: Document;
  /** The sender wants no answer. */
  isOneWay: boolean;
  isQuery: boolean;
}

export class WireError extends Error {}

/** Cuts a stream of bytes into messages. */
export class Framer {
  private waiting: Buffer[] = [];
  private bytes = 0;

  /** @throws WireError when the length of a message makes no sense: close the connection. */
  push(chunk: Buffer): Buffer[] {
    this.waiting.push(chunk);
    this.bytes += chunk.length;
    const messages: Buffer[] = [];
    for (let length = this.nextLength(); length !== undefined && this.bytes >= length; length = this.nextLength()) {
      const all = this.waiting.length === 1 ? this.waiting[0] : Buffer.concat(this.waiting);
      if (!all) break;
      messages.push(all.subarray(0, length));
      this.waiting = all.length > length ? [all.subarray(length)] : [];
      this.bytes -= length;
    }
    return messages;
  }

  private nextLength(): number | undefined {
    if (this.bytes < HEADER_BYTES) return undefined;
    if ((this.waiting[0]?.length ?? 0) < 4) this.waiting = [Buffer.concat(this.waiting)];
    const length = this.waiting[0]?.readInt32LE(0) ?? 0;
    if (length < HEADER_BYTES || length > MESSAGE_BYTES_MAX) throw new WireError(`message of ${length} bytes`);
    return length;
  }
}

function documentAt(message: Buffer, at: number): { document: Document; end: number } {
  const size = message.readInt32LE(at);
  if (size < 5 || at + size > message.length) throw new WireError(`document of ${size} bytes at ${at}`);
  return { document: BSON.deserialize(message.subarray(at, at + size)), end: at + size };
}

function cstringEnd(message: Buffer, at: number): number {
  const end = message.indexOf(0, at);
  if (end === -1) throw new WireError('text without an end');
  return end;
}

function parseMsg(message: Buffer, id: number): Request {
  const flags = message.readUInt32LE(HEADER_BYTES);
  const end = message.length - (flags & 1 ? 4 : 0);
  let command: Document = {};
  const sequences: Document = {};
  let at = HEADER_BYTES + 4;
  while (at < end) {
    const kind = message[at];
    at += 1;
    if (kind === 0) {
      const { document, end: next } = documentAt(message, at);
      command = document;
      at = next;
    } else if (kind === 1) {
      const sectionEnd = at + message.readInt32LE(at);
      const nameEnd = cstringEnd(message, at + 4);
      const documents: Document[] = [];
      let next = nameEnd + 1;
      while (next < sectionEnd) {
        const parsed = documentAt(message, next);
        documents.push(parsed.document);
        next = parsed.end;
      }
      sequences[message.toString('utf8', at + 4, nameEnd)] = documents;
      at = sectionEnd;
    } else throw new WireError(`section of kind ${kind}`);
  }
  return { id, command: Object.assign(command, sequences), isOneWay: (flags & MORE_TO_COME) !== 0, isQuery: false };
}

/** One message as a request. @throws WireError for anything but OP_MSG and OP_QUERY. */
export function parseMessage(message: Buffer): Request {
  const id = message.readInt32LE(4);
  const opcode = message.readInt32LE(12);
  if (opcode === OP.msg) return parseMsg(message, id);
  if (opcode !== OP.query) throw new WireError(`opcode ${opcode} is not modelled`);
  const nameEnd = cstringEnd(message, HEADER_BYTES + 4);
  const { document } = documentAt(message, nameEnd + 9);
  const { $query: query = document, $readPreference } = document;
  return { id, command: { ...query, ...($readPreference ? { $readPreference } : {}) }, isOneWay: false, isQuery: true };
}

function withHeader(opcode: number, id: number, responseTo: number, parts: Uint8Array[]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeInt32LE(
    parts.reduce((sum, part) => sum + part.length, HEADER_BYTES),
    0,
  );
  header.writeInt32LE(id, 4);
  header.writeInt32LE(responseTo, 8);
  header.writeInt32LE(opcode, 12);
  return Buffer.concat([header, ...parts]);
}

let lastId = 0;
function nextId(): number {
  lastId = (lastId + 1) & 0x7fffffff;
  return lastId;
}

/** The answer to a request, in the form it was asked in. */
export function encodeReply(request: Request, reply: Document): Buffer {
  const body = BSON.serialize(reply, { ignoreUndefined: true });
  if (!request.isQuery) return withHeader(OP.msg, nextId(), request.id, [Buffer.alloc(5), body]);
  const fields = Buffer.alloc(20);
  fields.writeInt32LE(8, 0);
  fields.writeInt32LE(1, 16);
  return withHeader(OP.reply, nextId(), request.id, [fields, body]);
}

/** A command for another stand-in. */
export function encodeCommand(command: Document, isOneWay: boolean): Buffer {
  const flags = Buffer.alloc(5);
  flags.writeUInt32LE(isOneWay ? MORE_TO_COME : 0, 0);
  return withHeader(OP.msg, nextId(), 0, [flags, BSON.serialize(command, { ignoreUndefined: true })]);
}
