/** Every command a client may send: hands it to the engine or to the documents, and waits where MongoDB would wait. */
import type { Document } from 'bson';
import type { Envelope, OpTime, Reach, Reply } from '../../sim/replica-set/contract';
import { failure } from '../../sim/replica-set/failures';
import { toWire } from './documents';
import type { LiveMember } from './live-member';
import { PEER_COMMAND, type PeerLinks, QUORUM_COMMAND } from './peer-links';
import { NotModelled } from './query';
import { Cursors, isRead, runRead } from './read-commands';
import { isWrite, runWrite, type WriteName } from './write-commands';

export const VERSION = '7.0.0-stand-in';
const NOTICE = 'fiware-ha replica-set STAND-IN: this is not MongoDB';

/** Waits that a client did not limit end here. */
const WAIT_MS_MAX = 60_000;
const REACH_MS = 1_500;
/** How often a command whose time is over looks whether the hosts it asked have answered. */
const LOOK_MS = 20;

/** For tests: `{_fiwareHaCut: 1, hosts, from, to}` loses letters, `{_fiwareHaLag: ms}` slows replication. Said in HELP. */
const CUT_COMMAND = '_fiwareHaCut';
const LAG_COMMAND = '_fiwareHaLag';

/** Codes after which a driver may try the same write again, on the next primary (retryable writes specification). */
const RETRYABLE = new Set([189, 10107, 11602, 13435, 13436]);

const CLIENT_LIMITS = {
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  logicalSessionTimeoutMinutes: 30,
};

/** Commands with one fixed answer; shells and drivers ask them and need little of it. */
const FIXED: Record<string, () => Document> = {
  buildInfo: () => ({
    version: VERSION,
    versionArray: [7, 0, 0, 0],
    gitVersion: 'none',
    modules: ['stand-in'],
    standIn: true,
    notice: NOTICE,
  }),
  connectionStatus: () => ({ authInfo: { authenticatedUsers: [], authenticatedUserRoles: [] } }),
  endSessions: () => ({}),
  refreshSessions: () => ({}),
  createIndexes: () => ({ numIndexesBefore: 1, numIndexesAfter: 1, note: 'indexes are accepted and ignored by this stand-in' }),
  create: () => ({}),
  getParameter: () => ({ featureCompatibilityVersion: { version: '7.0' } }),
  getCmdLineOpts: () => ({ argv: ['mongod-stand-in'], parsed: {} }),
  getLog: () => ({ totalLinesWritten: 1, log: [NOTICE] }),
  hostInfo: () => ({ system: {}, os: { type: 'Linux', name: NOTICE }, extra: {} }),
  serverStatus: () => ({ version: VERSION, process: 'mongod-stand-in', standIn: true }),
  whatsmyuri: () => ({ you: 'unknown' }),
};
FIXED.buildinfo = FIXED.buildInfo ?? (() => ({}));

export class Commands {
  private readonly cursors = new Cursors();

  constructor(
    private readonly live: LiveMember,
    private readonly links: PeerLinks,
  ) {}

  /** Answers one command; never rejects. `null`: nothing is to be answered. */
  async run(command: Document, connectionId: number): Promise<Document | null> {
    const name = Object.keys(command)[0] ?? '';
    if (name === PEER_COMMAND) {
      this.takeLetter(command);
      return null;
    }
    // A host whose letters are lost gets no answer either.
    if (name === QUORUM_COMMAND)
      return this.links.isCutFrom(String(command.from)) ? null : { answer: this.live.member.quorumAnswer(), ok: 1 };
    try {
      return withLabels(await this.dispatch(name, command, connectionId), command);
    } catch (error) {
      if (error instanceof NotModelled) return failure('BadValue', error.message);
      console.error(`${name}: ${error instanceof Error ? error.stack : error}`);
      return failure('BadValue', `${name}: ${error instanceof Error ? error.message : error}`);
    }
  }

  private takeLetter({ [PEER_COMMAND]: body, to, from }: Document): void {
    if (this.links.isCutFrom(String(from))) return;
    this.links.noteHeard(String(from));
    const envelope: Envelope = { to, from, body: JSON.parse(String(body)) };
    this.live.receive(envelope);
  }

  private async dispatch(name: string, command: Document, connectionId: number): Promise<Document> {
    const db = String(command.$db ?? 'admin');
    if (name === 'hello' || name === 'isMaster' || name === 'ismaster') return this.hello(command, connectionId);
    if (isWrite(name)) return this.write(name, `${db}.${command[name]}`, command);
    if (isRead(name)) return this.read(name, db, command);
    if (name === 'getMore') {
      const { getMore, batchSize = 101 } = command;
      return this.cursors.more(getMore, Number(batchSize)) ?? failure('CursorNotFound', `cursor id ${getMore} not found`);
    }
    if (name === 'killCursors') {
      this.cursors.kill(command.cursors);
      return { cursorsKilled: command.cursors, ok: 1 };
    }
    const fixed = Object.hasOwn(FIXED, name) ? FIXED[name] : undefined;
    if (fixed) return { ...fixed(), ok: 1 };
    return this.admin(name, command);
  }

  private hello(command: Document, connectionId: number): Document {
    const reply = toWire(this.live.act((member, nowMs) => member.adminCommand(command, nowMs))) as Document;
    return { ...reply, ...CLIENT_LIMITS, localTime: new Date(), connectionId, standIn: true };
  }

  private read(name: string, db: string, command: Document): Document {
    const { member } = this.live;
    const mode = command.$readPreference?.mode ?? 'primary';
    const isBound = name === 'find' || name === 'count' || name === 'aggregate';
    if (member.state !== 'PRIMARY' && isBound) {
      if (member.state !== 'SECONDARY') return failure('NotPrimaryOrSecondary', `node is in state ${member.state} and can't be read`);
      if (mode === 'primary') return failure('NotPrimaryNoSecondaryOk', 'not primary and secondaryOk=false');
    }
    return runRead(member, name, db, command, this.cursors);
  }

  private async write(name: WriteName, ns: string, command: Document): Promise<Document> {
    const reply = this.live.act((member, nowMs) => runWrite(member, name, ns, command, nowMs));
    if (reply.ok !== 1) return reply;
    const { w = 'majority', wtimeout = 0 } = command.writeConcern ?? {};
    if (w === 0 || w === 1) return reply;
    return this.awaitMajority(reply, this.live.member.applied, Number(wtimeout));
  }

  /** Adds to a reply what became of its write. A write whose primary stepped down has an open end, and says so. */
  private async awaitMajority(reply: Document, optime: OpTime, wtimeoutMs: number): Promise<Document> {
    const { member } = this.live;
    const isDecided = () => member.fateOf(optime) !== 'pending' || member.state !== 'PRIMARY';
    const decided = await this.live.waitUntil(isDecided, wtimeoutMs > 0 ? wtimeoutMs : Number.POSITIVE_INFINITY);
    if (member.fateOf(optime) === 'committed') return reply;
    if (decided) return failure('InterruptedDueToReplStateChange', 'operation was interrupted: this node is not primary any more');
    const writeConcernError = {
      code: 64,
      codeName: 'WriteConcernFailed',
      errmsg: 'waiting for replication timed out',
      errInfo: { wtimeout: true },
    };
    return { ...reply, writeConcernError };
  }

  private async admin(name: string, command: Document): Promise<Document> {
    const { $db: _db, lsid: _lsid, $readPreference: _mode, $clusterTime: _time, apiVersion: _api, ...plain } = command;
    switch (name) {
      case CUT_COMMAND:
        this.links.cut(cutOf(plain));
        return { ok: 1 };
      case LAG_COMMAND:
        this.live.member.lagMs = lagOf(plain);
        return { ok: 1 };
      case 'setDefaultRWConcern': {
        const reply = await this.finish(plain);
        return reply.ok === 1 ? this.awaitMajority(reply, this.live.member.applied, WAIT_MS_MAX) : reply;
      }
      default:
        return toWire(await this.finish(plain)) as Document;
    }
  }

  /** Runs a command of the engine to its end, asking other hosts where it wants their answers. */
  private async finish(command: Document): Promise<Reply> {
    const { live, links } = this;
    const answers = new Map<string, Reach>();
    const asked = new Set<string>();
    const ask = (host: string) => {
      if (asked.has(host)) return;
      asked.add(host);
      void links.reach(host, live.member.host, REACH_MS).then((answer) => {
        answers.set(host, answer);
        live.nudge();
      });
    };
    const before = live.member.durableVersion;
    const pending = live.act((member, nowMs) => member.begin(command, nowMs, (host) => answers.get(host)));
    // Nothing to save, nothing to wait for.
    if (pending.reply && live.member.durableVersion === before) return pending.reply;
    const isOver = () => {
      const reply = pending.look(Date.now());
      if (!reply) pending.asks.forEach(ask);
      return reply !== undefined;
    };
    while (!live.isStopped) {
      await live.waitUntil(isOver, Math.max(pending.untilMs - Date.now(), LOOK_MS));
      if (pending.reply) return pending.reply;
    }
    return failure('InterruptedAtShutdown', 'interrupted at shutdown');
  }
}

function hostList(command: Document, field: string): string[] {
  const hosts = command[field] ?? [];
  if (Array.isArray(hosts) && hosts.every((host) => typeof host === 'string')) return hosts;
  throw new NotModelled(`${CUT_COMMAND}.${field}: expected a list of hosts, got ${JSON.stringify(hosts)}`);
}

function cutOf(command: Document): { from: string[]; to: string[] } {
  const both = hostList(command, 'hosts');
  return { from: [...both, ...hostList(command, 'from')], to: [...both, ...hostList(command, 'to')] };
}

function lagOf(command: Document): number {
  const lagMs = Number(command[LAG_COMMAND]);
  if (lagMs >= 0 && Number.isFinite(lagMs)) return lagMs;
  throw new NotModelled(`${LAG_COMMAND}: expected milliseconds, 0 or more, got ${command[LAG_COMMAND]}`);
}

function withLabels(reply: Document, command: Document): Document {
  const isRetryable = command.txnNumber !== undefined && RETRYABLE.has(reply.code);
  return isRetryable ? { ...reply, errorLabels: ['RetryableWriteError'] } : reply;
}
