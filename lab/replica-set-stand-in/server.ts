/** The stand-in as a whole: engine, disk, links and the TCP server of one member. Reads no command line. */
import { createServer, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Member } from '../../sim/replica-set/member';
import { Commands } from './commands';
import { Disk } from './disk';
import { LiveMember } from './live-member';
import type { StandInOptions } from './options';
import { PeerLinks } from './peer-links';
import { encodeReply, Framer, parseMessage, type Request, WireError } from './wire';

const OPLOG_ENTRIES_MAX = 2_000;

export interface RunningStandIn {
  readonly port: number;
  stop: () => Promise<void>;
}

/** Whether `host:port` is this process: one of this machine's addresses with the port it listens on. */
function selfCheck(port: number): (host: string) => boolean {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list?.map((one) => one.address) ?? []);
  const mine = new Set([...addresses, 'localhost'].map((address) => `${address}:${port}`));
  return (host) => mine.has(host);
}

function serve(socket: Socket, commands: Commands, connectionId: number): void {
  const framer = new Framer();
  let chain = Promise.resolve();
  const answer = async (request: Request): Promise<void> => {
    const reply = await commands.run(request.command, connectionId);
    if (reply && !request.isOneWay && socket.writable) socket.write(encodeReply(request, reply));
  };
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    try {
      for (const message of framer.push(chunk)) {
        const request = parseMessage(message);
        // One after the other, as MongoDB answers a connection.
        chain = chain.then(() => answer(request));
      }
    } catch (error) {
      console.error(`connection ${connectionId}: ${error instanceof WireError ? error.message : error}; closed`);
      socket.destroy();
    }
  });
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Starts one member; resolves once it listens. @throws when the port is taken or the folder holds something else. */
export async function startStandIn(options: StandInOptions, random: () => number = Math.random): Promise<RunningStandIn> {
  const { port, bindIp, replicaSet, electionTimeoutMs, heartbeatEveryMs, syncMs, lagMs } = options;
  const disk = new Disk(options.dataDir);
  const durable = disk.load();
  const isSelf = selfCheck(port);
  const host = `${bindIp === '0.0.0.0' || bindIp === '::' ? '127.0.0.1' : bindIp.split(',')[0]}:${port}`;
  const times = { electionTimeoutMs, heartbeatEveryMs, syncMs, lagMs, nowMs: Date.now(), oplogEntriesMax: OPLOG_ENTRIES_MAX };
  const member = new Member({ host, replicaSet, isSelf, random, ...times, ...(durable ? { durable } : {}) });
  const links = new PeerLinks();
  const live = new LiveMember(member, disk, (envelope) => links.send(envelope));
  const commands = new Commands(live, links);
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    connections += 1;
    serve(socket, commands, connections);
  });
  await listen(server, port, bindIp.includes(',') ? '0.0.0.0' : bindIp);
  return {
    port,
    stop: async () => {
      live.stop();
      links.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
