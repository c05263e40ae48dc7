import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { deserialize, Long, serialize, Timestamp } from 'bson';
import { decodeHello, encodeHello } from '../../lambdas/aws/mongo-hello';
import { makeProbe, outcomeOf } from '../../lambdas/aws/network-probe';
import { http, listening } from './loopback-servers';

const HEADER_BYTES = 16;
const BODY_OFFSET = 21;

/** A mongod's answer as OP_MSG. */
function reply(document: Record<string, unknown>, { opCode = 2013, checksum = false } = {}): Buffer {
  const body = serialize(document);
  const tail = Buffer.alloc(checksum ? 4 : 0, 7);
  const message = Buffer.alloc(BODY_OFFSET + body.length);
  message.writeInt32LE(message.length + tail.length, 0);
  message.writeInt32LE(1, 4);
  message.writeInt32LE(1, 8);
  message.writeInt32LE(opCode, 12);
  message.writeInt32LE(checksum ? 1 : 0, 16);
  message.set(body, BODY_OFFSET);
  return Buffer.concat([message, tail]);
}

/** A server that answers the first bytes it gets with these chunks. */
const mongod = (...chunks: Buffer[]) =>
  listening(
    createServer((socket) => {
      socket.once('data', () => {
        for (const chunk of chunks) socket.write(chunk);
      });
    }),
  );

const PRIMARY = {
  isWritablePrimary: true,
  secondary: false,
  setName: 'orion_rs',
  setVersion: 4,
  me: '10.0.3.1:27017',
  primary: '10.0.3.1:27017',
  hosts: ['10.0.3.1:27017', '10.0.3.2:27017'],
  passives: ['10.0.3.3:27017'],
  lastWrite: { opTime: { ts: new Timestamp({ t: 1_800_000_000, i: 1 }), t: Long.fromNumber(5) }, lastWriteDate: new Date(5) },
  ok: 1,
};
const FACT = {
  isWritablePrimary: true,
  secondary: false,
  setName: 'orion_rs',
  setVersion: 4,
  me: '10.0.3.1:27017',
  primary: '10.0.3.1:27017',
  hosts: ['10.0.3.1:27017', '10.0.3.2:27017'],
  passives: ['10.0.3.3:27017'],
  lastWriteS: 1_800_000_000,
  lastWriteTerm: 5,
  lastWriteIncrement: 1,
};

const probe = makeProbe(() => Date.now());

describe('the words of hello', () => {
  it('are one OP_MSG that asks for hello of admin', () => {
    const message = encodeHello(7);
    expect([message.readInt32LE(0), message.readInt32LE(4), message.readInt32LE(12)]).toEqual([message.length, 7, 2013]);
    expect(message.subarray(HEADER_BYTES, BODY_OFFSET)).toEqual(Buffer.alloc(5));
    expect(deserialize(message.subarray(BODY_OFFSET))).toEqual({ hello: 1, $db: 'admin' });
  });

  it('become a fact, with or without a checksum behind them', () => {
    expect(decodeHello(reply(PRIMARY))).toEqual(FACT);
    expect(decodeHello(reply(PRIMARY, { checksum: true }))).toEqual(FACT);
  });

  it('leave out what a node without a replica set does not say', () => {
    const alone = { isWritablePrimary: false, secondary: false, isreplicaset: true, ok: 1 };
    expect(decodeHello(reply(alone))).toEqual({ isWritablePrimary: false, secondary: false, hosts: [], passives: [] });
  });

  it('take the date of the last write where there is no timestamp', () => {
    expect(decodeHello(reply({ ...PRIMARY, lastWrite: { lastWriteDate: new Date(9_500) } })).lastWriteS).toBe(9);
  });

  it('are refused when they are another message, or an error', () => {
    expect(() => decodeHello(reply(PRIMARY, { opCode: 1 }))).toThrow('unexpected reply, opcode 1');
    expect(() => decodeHello(reply({ ok: 0, errmsg: 'not now', code: 5 }))).toThrow('hello failed: not now');
  });
});

describe('probing a member', () => {
  it('answers the fact, also when it comes in pieces', async () => {
    const bytes = reply(PRIMARY);
    const port = await mongod(bytes.subarray(0, 3), bytes.subarray(3, 40), bytes.subarray(40));
    const { outcome, hello } = await probe.hello(`127.0.0.1:${port}`, 2_000);
    expect(outcome).toEqual({ is: 'ok', latencyMs: expect.any(Number) });
    expect(hello).toEqual(FACT);
  });

  it.each([
    ['hangs', [], 'no answer within 100 ms'],
    ['speaks something else', [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')], /unexpected reply of \d+ bytes/],
    ['says half of it', [reply(PRIMARY).subarray(0, 30)], 'no answer within 100 ms'],
    ['sends broken BSON', [Buffer.concat([reply({ ok: 1 }).subarray(0, BODY_OFFSET), Buffer.alloc(11, 255)])], /./],
  ])('that %s is a failure', async (_, chunks, detail) => {
    const port = await mongod(...chunks);
    expect(await probe.hello(`127.0.0.1:${port}`, 100)).toEqual({ outcome: { is: 'failed', detail: expect.stringMatching(detail) } });
  });

  it('that hangs up is a failure', async () => {
    const port = await listening(createServer((socket) => socket.end()));
    expect((await probe.hello(`127.0.0.1:${port}`, 2_000)).outcome).toMatchObject({ is: 'failed' });
  });

  it('that is not there is a failure', async () => {
    expect((await probe.hello('127.0.0.1:2', 2_000)).outcome).toEqual({ is: 'failed', detail: 'connection refused' });
  });
});

describe('probing over HTTP', () => {
  it('is ok below 400, with the first 4 KiB of the body', async () => {
    const port = await http((_, response) => response.end('x'.repeat(100_000)));
    const { outcome, body } = await probe.http(`http://127.0.0.1:${port}/version`, 2_000);
    expect(outcome).toEqual({ is: 'ok', latencyMs: expect.any(Number) });
    expect(body).toBe('x'.repeat(4_096));
  });

  it('does not wait for the end of a body that never ends', async () => {
    const port = await http((_, response) => {
      response.write('x'.repeat(10_000));
    });
    expect((await probe.http(`http://127.0.0.1:${port}/`, 1_000)).outcome.is).toBe('ok');
  });

  it('names the status from 400 on and follows no redirect', async () => {
    const port = await http((request, response) => {
      response.writeHead(request.url === '/moved' ? 302 : 500, { location: 'http://127.0.0.1:2/' }).end('no database');
    });
    expect(await probe.http(`http://127.0.0.1:${port}/v2/entities?limit=1`, 2_000)).toEqual({
      outcome: { is: 'failed', detail: 'HTTP 500', status: 500 },
      body: 'no database',
    });
    expect((await probe.http(`http://127.0.0.1:${port}/moved`, 2_000)).outcome.is).toBe('ok');
  });

  it('fails for a node that hangs or is not there', async () => {
    const port = await http(() => {});
    expect((await probe.http(`http://127.0.0.1:${port}/`, 100)).outcome).toEqual({
      is: 'failed',
      detail: 'no answer in time',
      accepts: true,
    });
    expect((await probe.http('http://127.0.0.1:2/', 2_000)).outcome).toEqual({ is: 'failed', detail: 'connection refused' });
  });
});

describe('an error on the way', () => {
  const wrapped = (code: string) =>
    Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error(`connect ${code}`), { code }) });

  it.each(['ENETUNREACH', 'EMFILE', 'EACCES'])('%s says nothing of the node', (code) => {
    expect(outcomeOf(wrapped(code))).toEqual({ is: 'unknown', detail: `connect ${code}` });
    expect(outcomeOf(Object.assign(new Error('x'), { code }))).toMatchObject({ is: 'unknown' });
  });

  it.each(['ECONNRESET', 'EHOSTUNREACH', 'ETIMEDOUT'])('%s is the node’s', (code) => {
    expect(outcomeOf(wrapped(code))).toEqual({ is: 'failed', detail: `connect ${code}` });
  });
});
