/** Data path of the Elastic IP, which the emulator lacks: a local port that leads to whichever instance holds the address. Looks only; moves nothing. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface ForwarderOptions {
  listenHost: string;
  listenPort: number;
  /** Port on the holder. */
  targetPort: number;
  /** Private address of the present holder; null while nobody holds the Elastic IP. May throw: the last answer is kept. */
  findHolder: () => Promise<string | null>;
  /** How often the holder is looked up, ms. */
  everyMs: number;
  onMove?: (from: string | null, to: string | null) => void;
}

export interface Forwarder {
  holder: () => string | null;
  close: () => Promise<void>;
}

/** Starts forwarding. Connections to a former holder are cut when the address moves, as packets to an Elastic IP would find another host. */
export async function startForwarder(options: ForwarderOptions): Promise<Forwarder> {
  let holder: string | null = null;
  const open = new Set<Socket>();
  const cutAll = () => {
    for (const socket of open) socket.destroy();
  };

  const server: Server = createServer((client) => {
    track(client);
    if (holder === null) return void client.destroy();
    const node = connect({ host: holder, port: options.targetPort });
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

  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    try {
      const found = await options.findHolder();
      if (found !== holder) {
        const from = holder;
        holder = found;
        cutAll();
        options.onMove?.(from, found);
      }
    } catch {
      // The address stays where it was last seen: not being able to look says nothing about it.
    }
    if (!closed) timer = setTimeout(look, options.everyMs);
  };

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.listenPort, options.listenHost, resolve);
  });
  await look();
  return {
    holder: () => holder,
    close: async () => {
      closed = true;
      clearTimeout(timer);
      cutAll();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
