/** What is to be known of a role in one entry: data and pure functions. Types only; what a role is stands in its own file. */

/** Where a process of the role listens. `north` serves context clients, `south` devices, `admin` those who look after it. */
export type PortName = 'north' | 'south' | 'admin';

/** A request whose answer tells something; anything but `status` is a no. */
export interface HttpProbe {
  port: PortName;
  path: string;
  headers?: Readonly<Record<string, string>>;
  status: number;
}

/** The three sicknesses of a stateless role; each has another cure. */
export interface Health {
  /** Fails when the process is dead: it is restarted, then replaced. */
  process: HttpProbe;
  /** Fails when the database is out of reach as well: not the process's fault, it is never replaced for it. Null: nothing tells. */
  truth: HttpProbe | null;
  /** How it shows that it has too much to do: a reason for more of them, never for a restart. */
  overload: string;
}

/** Versions whose settings are the same, from `from` on, below `below`; `source` says where that stands. */
export interface VersionSeries {
  from: string;
  below: string;
  source: string;
}

/** What a process must be told of the cluster around it. */
export interface Surroundings {
  /** Its place in its role, from 1: `sth2` is 2. */
  index: number;
  /** Members of the replica set, host:port. */
  seeds: readonly string[];
  replicaSet: string;
  writeConcern: 'majority' | 1 | 0;
  readPreference: 'primary' | 'primaryPreferred' | 'secondary' | 'secondaryPreferred' | 'nearest';
  /** Where the brokers are reached: the balancers' address, so that a dead broker is nobody's concern. */
  broker: { host: string; port: number };
  /** Where the balancers offer this very role. */
  offered: { host: string; port: number };
  /** What the spec says beyond counts and versions. */
  options: RoleOptions;
}

/** Choices that only some roles have. */
export interface RoleOptions {
  /** IoT agents: the MQTT broker they listen to. `shared`: it knows shared subscriptions (MQTT 5). */
  mqtt?: { host: string; port: number; shared: boolean };
  /** Cygnus: where events wait to be stored. */
  channel?: 'memory' | 'file';
}

/** A file the process reads beside its environment; `path` is where. */
export interface SettingsFile {
  path: string;
  content: string;
}

export interface RoleEntry<Name extends string = string> {
  name: Name;
  /** What people call it. */
  title: string;
  /** `sth` of `sth1`. */
  slotPrefix: string;
  ports: { north: number; south?: number; admin?: number };
  /** The ports that the balancers offer to others. */
  frontends: readonly ('north' | 'south')[];
  /** `active-passive`: one gets all requests, the others wait as `backup`. */
  backend: 'round-robin' | 'active-passive';
  /** `why`: why not fewer or more. */
  count: { min: number; max: number; usual: number; why: string };
  needs: { replicaSet: boolean; brokers: boolean };
  health: Health;
  versions: readonly VersionSeries[];
  usualVersion: string;
  image(version: string): string;
  /** The HTTP client that its image brings, for checks from inside. */
  client: 'curl' | 'node';
  environment(version: string, around: Surroundings): Record<string, string>;
  /** The one file it reads beside its environment; undefined where it needs none. */
  file(version: string, around: Surroundings): SettingsFile | undefined;
  /** Choices that the spec offers for it. */
  options: readonly (keyof RoleOptions)[];
  /** Folders that must outlive the process. */
  keeps: readonly string[];
  sizing: { instanceType: string; why: string };
  /**
   * Seconds a process gets to end what it began once nothing new is sent to it. `until`: `connections`, it may stop sooner, when nobody
   * is connected to it any more; `time`, it has work left that no connection tells of.
   */
  drain: { waitS: number; until: 'connections' | 'time'; rule: string };
  /** `on`: the probe that says so; `afterS`: for how long it must have failed. */
  restart: { on: 'process' | 'truth'; afterS: number; rule: string };
  /** What people must know before they rely on it: losses, duplicates, limits. */
  remarks: readonly string[];
}
