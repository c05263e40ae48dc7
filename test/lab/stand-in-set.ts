/** Stand-in processes for the tests: bundles once, starts, kills and stops members on loopback ports. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { type BundledPrograms, bundlePrograms } from '../../lab/bundle';

/** Timers shortened twelvefold, so that a test sees elections within a second or so. */
const FAST = { electionTimeoutMs: 800, heartbeatEveryMs: 150 };

export async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

export async function until<T>(look: () => Promise<T | false | null | undefined>, withinMs = 10_000): Promise<T> {
  const endMs = Date.now() + withinMs;
  let last: unknown;
  for (;;) {
    const seen = await look().catch((error: unknown) => {
      last = error;
      return false as const;
    });
    if (seen) return seen;
    if (Date.now() > endMs) throw new Error(`not so within ${withinMs} ms: ${look}; last error: ${last}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export class StandInSet {
  readonly folder = mkdtempSync(join(tmpdir(), 'stand-in-'));
  readonly processes = new Map<string, ChildProcess>();
  private readonly clients = new Map<string, MongoClient>();
  private bundles: BundledPrograms | undefined;

  constructor(private readonly times = FAST) {}

  async bundle(): Promise<BundledPrograms> {
    this.bundles ??= await bundlePrograms(join(this.folder, 'bin'));
    return this.bundles;
  }

  async start(host: string): Promise<void> {
    const { mongod } = await this.bundle();
    const port = host.split(':')[1] ?? '';
    const times = ['--election-timeout-ms', `${this.times.electionTimeoutMs}`, '--heartbeat-every-ms', `${this.times.heartbeatEveryMs}`];
    const args = [mongod, '--port', port, '--replica-set', 'orion_rs', '--data-dir', this.dataDir(host), ...times];
    this.processes.set(host, spawn(process.execPath, args, { stdio: 'ignore' }));
    // A client whose first connection fails stays useless, so the driver comes only once somebody listens.
    await until(() => answers(Number(port)));
  }

  dataDir(host: string): string {
    return join(this.folder, `data-${host.split(':')[1]}`);
  }

  async startSome(count: number): Promise<string[]> {
    const hosts: string[] = [];
    for (let i = 0; i < count; i++) hosts.push(`127.0.0.1:${await freePort()}`);
    await this.bundle();
    await Promise.all(hosts.map((host) => this.start(host)));
    return hosts;
  }

  /** A client of this one member. */
  direct(host: string): MongoClient {
    let client = this.clients.get(host);
    if (!client) {
      client = new MongoClient(`mongodb://${host}/?directConnection=true`, { serverSelectionTimeoutMS: 1_000 });
      this.clients.set(host, client);
    }
    return client;
  }

  /** A client of the set, as Orion connects. */
  client(hosts: string[]): MongoClient {
    const key = hosts.join(',');
    const client = this.clients.get(key) ?? new MongoClient(`mongodb://${key}/?replicaSet=orion_rs`, { serverSelectionTimeoutMS: 8_000 });
    this.clients.set(key, client);
    return client;
  }

  async command(host: string, command: Record<string, unknown>): Promise<Record<string, unknown>> {
    return this.direct(host).db('admin').command(command);
  }

  async initiate(hosts: string[]): Promise<void> {
    const members = hosts.map((host, _id) => ({ _id, host }));
    await this.command(hosts[0] ?? '', { replSetInitiate: { _id: 'orion_rs', members } });
  }

  async primary(hosts: string[]): Promise<string> {
    return until(async () => {
      const hellos = await Promise.all(hosts.map((host) => this.command(host, { hello: 1 }).catch(() => null)));
      const at = hellos.findIndex((hello) => hello?.isWritablePrimary);
      return at >= 0 && hosts[at];
    });
  }

  /** At once, as a host that loses power. */
  async kill(host: string): Promise<void> {
    const child = this.processes.get(host);
    this.processes.delete(host);
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async end(): Promise<void> {
    await Promise.all([...this.clients.values()].map((client) => client.close().catch(() => undefined)));
    await Promise.all([...this.processes.keys()].map((host) => this.kill(host)));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
