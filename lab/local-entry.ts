/** Where clients of the lab's cluster connect on this machine, a port an Elastic IP, and whether a port is free. Opens nothing for longer than a look. */
import { createServer } from 'node:net';
import { PORT } from '../lambdas/core/names';

/** The way to the first Elastic IP, `entry1`. */
export const LOCAL_ENTRY = { host: '127.0.0.1', port: PORT.orion } as const;
/** The way to `entry2`, which an active/active cluster has as well. */
export const SECOND_LOCAL_ENTRY = { host: LOCAL_ENTRY.host, port: LOCAL_ENTRY.port + 1 } as const;

/** By the name of the Elastic IP. */
export const LOCAL_ENTRIES = { entry1: LOCAL_ENTRY, entry2: SECOND_LOCAL_ENTRY } as const;

/** Whether one could listen there now. */
export function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
