/** An HTTP server that answers as AWS does on the wire, so that adapters are tried with the real SDK. Scripted by each test, never clever. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Call, callOf, json, type Answer as WireAnswer, xmlError } from '../../lab/iam/wire';

export { type Call, json, xmlError };

/** `hang` never answers. */
export interface Answer extends WireAnswer {
  hang?: boolean;
}

export interface FakeAws {
  calls: Call[];
  /** Settings for an SDK client: one try, no waiting, made-up credentials. */
  client: { endpoint: string; region: string; maxAttempts: number; credentials: { accessKeyId: string; secretAccessKey: string } };
  close(): Promise<void>;
}

/** EC2's XML: an answer of `operation`. */
export function xml(operation: string, inner: string): Answer {
  return {
    status: 200,
    body: `<${operation}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>${inner}</${operation}Response>`,
  };
}

const running: FakeAws[] = [];

/** Starts a server; `answer` is asked for each call, in the order they arrive. `stopFakes` ends it. */
export async function fakeAws(answer: (call: Call, index: number) => Answer | Promise<Answer>): Promise<FakeAws> {
  const calls: Call[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const target = request.headers['x-amz-target'];
      const call = callOf(typeof target === 'string' ? target : undefined, Buffer.concat(chunks).toString('utf8'));
      const { status, headers = {}, body, hang } = await answer(call, calls.push(call) - 1);
      if (!hang) response.writeHead(status, headers).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeAws = {
    calls,
    client: {
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: 'eu-west-1',
      maxAttempts: 1,
      credentials: { accessKeyId: 'made', secretAccessKey: 'up' },
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  running.push(fake);
  return fake;
}

/** Ends all servers of a test; for `afterEach`. */
export async function stopFakes(): Promise<void> {
  await Promise.all(running.splice(0).map((fake) => fake.close()));
}
