/** Connections to other stand-ins: sends envelopes, asks before a change of configuration. A letter that can't be sent is lost, as on any network. */
import { connect, type Socket } from 'node:net';
import type { Envelope, Reach } from '../../sim/replica-set/contract';
import { encodeCommand, Framer, parseMessage } from './wire';

/** Name of the private command that carries an envelope. */
export const PEER_COMMAND = '_fiwareHaPeer';

/** Name of the private command that asks how a host stands before an initiate or reconfig. */
export const QUORUM_COMMAND = '_fiwareHaQuorum';

const CONNECT_MS = 1_000;
/** A link over which nothing was heard for so long is opened anew: its host may have died without a word. */
const SILENT_MS = 5_000;
const LETTERS_WAITING_MAX = 200;

interface Link {
  socket: Socket;
  openedMs: number;
  isOpen: boolean;
  waiting: Buffer[];
}

function addressOf(host: string): { host: string; port: number } {
  const at = host.lastIndexOf(':');
  return { host: host.slice(0, at), port: Number(host.slice(at + 1)) };
}

export class PeerLinks {
  private readonly links = new Map<string, Link>();
  private readonly heardMs = new Map<string, number>();

  private lost: { from: ReadonlySet<string>; to: ReadonlySet<string> } = { from: new Set(), to: new Set() };

  /** From now on loses what comes from and goes to these hosts, as a network that drops it; nothing else. */
  cut({ from, to }: { from: string[]; to: string[] }): void {
    this.lost = { from: new Set(from), to: new Set(to) };
  }

  isCutFrom(host: string): boolean {
    return this.lost.from.has(host);
  }

  /** A letter came from this host, so it lives. */
  noteHeard(host: string): void {
    this.heardMs.set(host, Date.now());
  }

  send(envelope: Envelope): void {
    const { to, from, body } = envelope;
    if (this.lost.to.has(to)) return;
    const link = this.linkTo(to);
    const letter = encodeCommand({ [PEER_COMMAND]: JSON.stringify(body), to, from, $db: 'admin' }, true);
    if (link.isOpen) link.socket.write(letter);
    else if (link.waiting.length < LETTERS_WAITING_MAX) link.waiting.push(letter);
  }

  private linkTo(host: string): Link {
    const known = this.links.get(host);
    const nowMs = Date.now();
    const lastMs = Math.max(known?.openedMs ?? 0, this.heardMs.get(host) ?? 0);
    if (known && !known.socket.destroyed && nowMs - lastMs < SILENT_MS) return known;
    known?.socket.destroy();
    const link: Link = { socket: connect({ ...addressOf(host), noDelay: true }), openedMs: nowMs, isOpen: false, waiting: [] };
    this.links.set(host, link);
    const timer = setTimeout(() => link.socket.destroy(), CONNECT_MS);
    link.socket.once('connect', () => {
      clearTimeout(timer);
      link.isOpen = true;
      for (const letter of link.waiting.splice(0)) link.socket.write(letter);
    });
    link.socket.on('error', () => link.socket.destroy());
    link.socket.once('close', () => {
      clearTimeout(timer);
      if (this.links.get(host) === link) this.links.delete(host);
    });
    // Nothing is answered on this way; reading keeps the end of the connection visible.
    link.socket.resume();
    return link;
  }

  /** How a host answers the quorum check before an initiate or reconfig by `from`. Never rejects. */
  reach(host: string, from: string, timeoutMs: number): Promise<Reach> {
    return new Promise((resolve) => {
      if (this.lost.to.has(host) || this.lost.from.has(host)) {
        setTimeout(() => resolve('unreachable'), timeoutMs);
        return;
      }
      const socket = connect({ ...addressOf(host), noDelay: true });
      const framer = new Framer();
      const end = (answer: Reach) => {
        clearTimeout(timer);
        socket.destroy();
        resolve(answer);
      };
      const timer = setTimeout(() => end('unreachable'), timeoutMs);
      socket.once('error', () => end('unreachable'));
      socket.once('close', () => end('unreachable'));
      socket.once('connect', () => socket.write(encodeCommand({ [QUORUM_COMMAND]: 1, from, $db: 'admin' }, false)));
      socket.on('data', (chunk) => {
        try {
          const [message] = framer.push(chunk);
          if (!message) return;
          const { answer } = parseMessage(message).command;
          // A host that is no stand-in answers with an error.
          end((answer as Reach | undefined) ?? 'unreachable');
        } catch {
          end('unreachable');
        }
      });
    });
  }

  close(): void {
    for (const { socket } of this.links.values()) socket.destroy();
    this.links.clear();
  }
}
