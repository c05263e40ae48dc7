/** Where clients of the lab's cluster connect on this machine, and whether a port is free. Opens nothing for longer than a look. */
import { createServer } from 'node:net';
import { PORT } from '../lambdas/core/names';

export const LOCAL_ENTRY = { host: '127.0.0.1', port: PORT.orion } as const;

/** Whether one could listen there now. */
export function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
