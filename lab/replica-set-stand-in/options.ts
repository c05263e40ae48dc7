/** Options of the stand-in, from its command line and from a file like mongod.conf. Reads one file, starts nothing. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

export interface StandInOptions {
  port: number;
  bindIp: string;
  replicaSet: string;
  dataDir: string;
  /** Where its log goes; standard output where there is none. */
  logPath?: string;
  electionTimeoutMs: number;
  heartbeatEveryMs: number;
  syncMs: number;
  lagMs: number;
}

/** What its first line says; the engine's own limits are those of sim/replica-set/member.ts. */
export const NOT_MODELLED =
  'authentication, TLS, transactions, change streams, read concerns, indexes (accepted and ignored), capped collections, arbiters without data, delayed members, chained replication, compression, storage beyond one JSON file';

export const HELP = `mongod STAND-IN of the fiware-ha lab, not MongoDB; not modelled: ${NOT_MODELLED}.

  --port N                 27017 by default
  --bind-ip ADDRESS        127.0.0.1 by default (also --bind_ip)
  --replica-set NAME       name of the replica set, required (also --replSet)
  --data-dir DIR           where its state is kept, required (also --dbpath)
  --config FILE            a file like mongod.conf: net.port, net.bindIp, storage.dbPath, replication.replSetName,
                           systemLog.path; options of the command line win
  --log-path FILE          where it logs; standard output by default (also --logpath)
  --election-timeout-ms N  for the set it initiates, 10000 by default
  --heartbeat-every-ms N   for the set it initiates, 2000 by default
  --sync-ms N              how long the copy of an initial sync takes, 0 by default
  --lag-ms N               how late it applies what others wrote, 0 by default
  --version, --help

Private commands, for tests; a driver never sends them:
  {_fiwareHaCut: 1, hosts: [], from: [], to: []}   loses what it exchanges with hosts, what comes from, what goes to; {} heals
  {_fiwareHaLag: ms}                               as --lag-ms, while it runs
  {_fiwareHaPeer: …}, {_fiwareHaQuorum: 1}         what stand-ins tell and ask each other

Modelled: hello, heartbeats, elections, priority takeover, safe and forced reconfig with MongoDB's rules, initial sync, majority writes,
rollback, retryable writes; find, insert, update, delete, count and aggregations that only count, over a few query and update
operators. It does not sync its file to the disk: state survives the death of the process, not of the host. It holds no data worth
keeping.
`;

/** A mistake of whoever started it; shown without a stack trace. */
export class OptionError extends Error {}

/** `a:\n  b: c` as {'a.b': 'c'}: all that mongod.conf needs of YAML. */
export function parseSettings(text: string): Record<string, string> {
  const settings: Record<string, string> = {};
  let path: { indent: number; key: string }[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\s*)([A-Za-z]+):\s*(.*)$/.exec(line.replace(/(^|\s)#.*$/, ''));
    if (!match) continue;
    const [, space = '', key = '', value = ''] = match;
    path = [...path.filter((one) => one.indent < space.length), { indent: space.length, key }];
    if (value.trim()) settings[path.map((one) => one.key).join('.')] = value.trim().replace(/^(["'])(.*)\1$/, '$2');
  }
  return settings;
}

function readSettings(file: string): Record<string, string> {
  try {
    return parseSettings(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new OptionError(`--config: ${file} can't be read (${(error as Error).message}); name a file like mongod.conf`);
  }
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new OptionError(`${name}: expected a whole number from ${min} to ${max}, got "${text}"`);
}

const text = { type: 'string' } as const;
const FLAGS = {
  port: text,
  'bind-ip': text,
  bind_ip: text,
  'replica-set': text,
  replSet: text,
  'data-dir': text,
  dbpath: text,
  config: { type: 'string', short: 'f' },
  'log-path': text,
  logpath: text,
  'election-timeout-ms': text,
  'heartbeat-every-ms': text,
  'sync-ms': text,
  'lag-ms': text,
  help: { type: 'boolean' },
  version: { type: 'boolean' },
} as const;

function parseFlags(argv: string[]) {
  try {
    return parseArgs({ args: argv, options: FLAGS, allowPositionals: false }).values;
  } catch (error) {
    throw new OptionError(`${(error as Error).message}; see --help`);
  }
}

/** What the command line asks for. @throws OptionError naming the option, its value and what is expected. */
export function parseOptions(argv: string[]): StandInOptions | 'help' | 'version' {
  const flags = parseFlags(argv);
  if (flags.help) return 'help';
  if (flags.version) return 'version';
  const file = flags.config ? readSettings(flags.config) : {};
  const replicaSet = flags['replica-set'] ?? flags.replSet ?? file['replication.replSetName'];
  if (!replicaSet) throw new OptionError('--replica-set: expected a name, got none; or set replication.replSetName in --config');
  const dataDir = flags['data-dir'] ?? flags.dbpath ?? file['storage.dbPath'];
  if (!dataDir) throw new OptionError('--data-dir: expected a folder, got none; or set storage.dbPath in --config');
  const logPath = flags['log-path'] ?? flags.logpath ?? file['systemLog.path'];
  return {
    port: wholeNumber('--port', flags.port ?? file['net.port'] ?? '27017', 1, 65535),
    bindIp: flags['bind-ip'] ?? flags.bind_ip ?? file['net.bindIp'] ?? '127.0.0.1',
    replicaSet,
    dataDir,
    ...(logPath ? { logPath } : {}),
    electionTimeoutMs: wholeNumber('--election-timeout-ms', flags['election-timeout-ms'] ?? '10000', 100, 600_000),
    heartbeatEveryMs: wholeNumber('--heartbeat-every-ms', flags['heartbeat-every-ms'] ?? '2000', 20, 60_000),
    syncMs: wholeNumber('--sync-ms', flags['sync-ms'] ?? '0', 0, 3_600_000),
    lagMs: wholeNumber('--lag-ms', flags['lag-ms'] ?? '0', 0, 3_600_000),
  };
}
