/**
 * Orion's settings for a broker among several, from the size of its instance and what a spec says instead. Numbers in, numbers out.
 * The rules are Orion's own (telefonicaid/fiware-orion, doc/manuals/admin/perf_tuning.md and cli.md, 4.7.0).
 */

/** What a broker is started with; all of it may be said in a spec (`orion.settings`). */
export interface OrionSettings {
  /** How late a broker learns of the subscriptions another one took, seconds (`-subCacheIval`). */
  subCacheIntervalS: number;
  /** Which requests of one process wait for each other (`-reqMutexPolicy`); between brokers it orders nothing. */
  mutexPolicy: 'all' | 'read' | 'write' | 'none';
  /** Threads for requests; 0: a thread each (`-reqPoolSize`). */
  requestPoolSize: number;
  /** Connections to MongoDB (`-dbPoolSize`). */
  mongoPoolSize: number;
  /** Connections of clients at a time (`-maxConnections`). */
  maxConnections: number;
  /** How notifications are sent (`-notificationMode`). */
  notificationMode: 'transient' | 'persistent' | 'threadpool';
  /** With `threadpool`: how many may wait, and how many are sent at a time. */
  notificationQueue: number;
  notificationThreads: number;
  /** Files and sockets the process may have open. */
  fileDescriptors: number;
}

/** What a spec says; the rest follows from the size. */
export type OrionOverrides = { [K in keyof OrionSettings]?: OrionSettings[K] | undefined };

export const FILE_DESCRIPTORS_MAX = 1_048_576;
const FILE_DESCRIPTORS_MIN = 65_536;
/** Orion's "extra": log files, listening sockets, libraries. */
const OTHER_FILES = 200;
/** libcurl keeps up to so many connections a notification thread. */
const CONNECTIONS_A_THREAD = 5;
const SMALLEST_VCPUS = 2;

/** Processors of an instance type by its size: `t3.medium` 2, `m7g.xlarge` 4, `c7i.8xlarge` 32; an unknown size counts as the smallest. */
export function vcpusOf(instanceType: string): number {
  const size = instanceType.split('.')[1] ?? '';
  const times = /^(?:metal-)?(\d+)xl(?:arge)?$/.exec(size)?.[1];
  if (times) return 4 * Number(times);
  return size === 'xlarge' ? 4 : SMALLEST_VCPUS;
}

/**
 * More than this many descriptors are needed. Orion's rule counts the pool of request threads, which handle many connections each:
 * counted are the connections themselves, where they are more.
 */
export function descriptorsNeeded(settings: Omit<OrionSettings, 'fileDescriptors'>): number {
  const { notificationMode, notificationThreads, requestPoolSize, maxConnections, mongoPoolSize } = settings;
  const threads = notificationMode === 'threadpool' ? notificationThreads : 0;
  return CONNECTIONS_A_THREAD * threads + Math.max(requestPoolSize, maxConnections) + mongoPoolSize + OTHER_FILES;
}

/**
 * Settings of a broker on such an instance.
 * Requests: about a thread a core, but never so few that two slow forwards keep `/version` from answering, which would look like death.
 */
export function orionSettings(instanceType: string, overrides: OrionOverrides = {}): OrionSettings {
  const vcpus = vcpusOf(instanceType);
  const said = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined)) as Partial<OrionSettings>;
  const requestPoolSize = said.requestPoolSize ?? Math.max(4, vcpus);
  const settings = {
    // A minute, Orion's default, is meant for a single broker: so long would the others know nothing of a subscription.
    subCacheIntervalS: 10,
    mutexPolicy: 'none' as const,
    requestPoolSize,
    mongoPoolSize: Math.max(10, 2 * requestPoolSize),
    maxConnections: 510 * vcpus,
    notificationMode: 'threadpool' as const,
    notificationQueue: 500 * vcpus,
    notificationThreads: 10 * vcpus,
    ...said,
  };
  const room = 2 ** Math.ceil(Math.log2(2 * descriptorsNeeded(settings)));
  return { fileDescriptors: Math.min(FILE_DESCRIPTORS_MAX, Math.max(FILE_DESCRIPTORS_MIN, room)), ...settings };
}
