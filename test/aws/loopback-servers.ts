/** Servers on the loopback network for one test: they and their connections are closed after it. */
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach } from '@jest/globals';

const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** The port a server listens on from now on. */
export async function listening(server: Server): Promise<number> {
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

export const http = (listener: RequestListener) => listening(createHttpServer(listener));

/** Closes the server that came last: nobody listens on its port any more. */
export async function closeLast(): Promise<void> {
  await new Promise((resolve) => servers.pop()?.close(resolve));
}
