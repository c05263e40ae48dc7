/** Data path of an Elastic IP, which the emulator lacks: a port that leads to the instance it was told of. Looks nothing up. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface ForwarderOptions {
  listenHost: string;
  listenPort: number;
  /** Port on the holder. */
  targetPort: number;
}

export interface Forwarder {
  /** Private address it leads to; null while that is nobody. */
  holder: () => string | null;
  /** Leads to that private address from now on, or to nobody. Connections to a former holder are cut, as packets to an Elastic IP would find another host. */
  leadTo: (holder: string | null) => void;
  close: () => Promise<void>;
}

/** Starts forwarding, to nobody at first. @throws when the port can't be listened to */
export async function startForwarder({ listenHost, listenPort, targetPort }: ForwarderOptions): Promise<Forwarder> {
  let holder: string | null = null;
  const open = new Set<Socket>();
  const cutAll = () => {
    for (const socket of open) socket.destroy();
  };

  const server: Server = createServer((client) => {
    track(client);
    if (holder === null) return void client.destroy();
    const node = connect({ host: holder, port: targetPort });
    track(node);
    client.pipe(node);
    node.pipe(client);
    client.once('close', () => node.destroy());
    node.once('close', () => client.destroy());
  });
  function track(socket: Socket): void {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => open.delete(socket));
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listenPort, listenHost, resolve);
  });
  return {
    holder: () => holder,
    leadTo: (next) => {
      if (next === holder) return;
      holder = next;
      cutAll();
    },
    close: async () => {
      cutAll();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
