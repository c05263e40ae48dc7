/** A replica set of engines under a virtual clock for the tests: delays, losses, partitions, crashes. Checks nothing itself. */
import type {
  DurableState,
  Envelope,
  Json,
  MemberOptions,
  OpTime,
  PendingCommand,
  ReachFunction,
  Reply,
} from '../../../sim/replica-set/contract';
import { Member } from '../../../sim/replica-set/member';

/** A small seeded generator (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface Weather {
  /** Longest delay of a message, ms. */
  delayMsMax: number;
  /** Shares of messages lost and doubled. */
  lost: number;
  doubled: number;
}

export class TestSet {
  nowMs = 1_000_000;
  readonly random: () => number;
  weather: Weather = { delayMsMax: 2, lost: 0, doubled: 0 };
  readonly members = new Map<string, Member>();
  private readonly disks = new Map<string, DurableState>();
  private letters: { dueMs: number; envelope: Envelope }[] = [];
  private side = new Map<string, number>();
  private readonly lostWays = new Set<string>();
  private underWay: PendingCommand[] = [];
  /** Options of single members, for those started from now on. */
  readonly own = new Map<string, Partial<MemberOptions>>();

  constructor(
    seed: number,
    private readonly options: Partial<MemberOptions> = {},
  ) {
    this.random = seeded(seed);
  }

  start(...hosts: string[]): void {
    for (const host of hosts) {
      const durable = this.disks.get(host);
      const options = { replicaSet: 'rs', random: this.random, nowMs: this.nowMs, ...this.options, ...this.own.get(host), host };
      this.members.set(host, new Member(durable ? { ...options, durable } : options));
    }
  }

  /** The process dies; its disk stays unless `wiped`. */
  crash(host: string, wiped = false): void {
    const member = this.members.get(host);
    if (member && !wiped) this.disks.set(host, structuredClone(member.durable()));
    if (wiped) this.disks.delete(host);
    this.members.delete(host);
  }

  /** Members of different groups don't hear each other; no argument heals. */
  partition(...groups: string[][]): void {
    this.side = new Map(groups.flatMap((group, i) => group.map((host) => [host, i] as const)));
    this.lostWays.clear();
  }

  /** What `from` sends does not reach `to` any more; the other way stays. */
  cutOneWay(from: string, ...to: string[]): void {
    for (const host of to) this.lostWays.add(`${from} ${host}`);
  }

  private isLost(from: string, to: string): boolean {
    return this.lostWays.has(`${from} ${to}`) || (this.side.size > 0 && this.side.get(to) !== this.side.get(from));
  }

  member(host: string): Member {
    const member = this.members.get(host);
    if (!member) throw new Error(`${host} is down`);
    return member;
  }

  get primaries(): Member[] {
    return [...this.members.values()].filter((m) => m.state === 'PRIMARY');
  }

  get primary(): Member {
    const [primary] = this.primaries.sort((a, b) => b.term - a.term);
    if (!primary) throw new Error('no primary');
    return primary;
  }

  command(host: string, command: Record<string, unknown>): Reply {
    return this.member(host).adminCommand(command, this.nowMs);
  }

  /** What a host's quorum check hears of the others: both ways must be open. */
  reachFrom(from: string): ReachFunction {
    return (host) => {
      const member = this.members.get(host);
      return member && !this.isLost(from, host) && !this.isLost(host, from) ? member.quorumAnswer() : 'unreachable';
    };
  }

  /** Begins a command that may wait; it goes on as time passes. */
  begin(host: string, command: Record<string, unknown>, reach = this.reachFrom(host)): PendingCommand {
    const pending = this.member(host).begin(command, this.nowMs, reach);
    this.underWay.push(pending);
    return pending;
  }

  /** Runs a command to its end, as long as it takes. */
  ask(host: string, command: Record<string, unknown>, reach?: ReachFunction): Reply {
    const pending = this.begin(host, command, reach);
    this.until(() => pending.reply !== undefined, 120_000);
    return pending.reply as Reply;
  }

  initiate(...hosts: string[]): Reply {
    const members = hosts.map((host, _id) => ({ _id, host }));
    return this.command(hosts[0] ?? '', { replSetInitiate: { _id: 'rs', members } });
  }

  /** Changes a copy of the primary's configuration and asks for it. */
  reconfig(change: (members: Record<string, unknown>[]) => Record<string, unknown>[]): Reply {
    const { config } = this.command(this.primary.host, { replSetGetConfig: 1 }) as unknown as {
      config: { version: number; members: Record<string, unknown>[] };
    };
    return this.command(this.primary.host, {
      replSetReconfig: { ...config, version: config.version + 1, members: change(config.members) },
    });
  }

  write(id: string, doc: Json = { id }, host = this.primary.host): OpTime {
    const result = this.member(host).write([{ op: 'put', ns: 'orion.entities', id, doc }], this.nowMs);
    if (result.ok === 0) throw new Error(result.errmsg);
    return result.optime;
  }

  private post(envelopes: Envelope[]): void {
    for (const envelope of envelopes) {
      if (this.weather.lost > 0 && this.random() < this.weather.lost) continue;
      const copies = this.weather.doubled > 0 && this.random() < this.weather.doubled ? 2 : 1;
      for (let i = 0; i < copies; i++)
        this.letters.push({ dueMs: this.nowMs + 1 + Math.floor(this.random() * this.weather.delayMsMax), envelope });
    }
  }

  private step(): void {
    for (const member of this.members.values()) if (member.nextWakeMs <= this.nowMs) this.post(member.tick(this.nowMs));
    this.underWay = this.underWay.filter((pending) => !pending.look(this.nowMs));
    const due = this.letters.filter(({ dueMs }) => dueMs <= this.nowMs);
    if (due.length === 0) return;
    this.letters = this.letters.filter(({ dueMs }) => dueMs > this.nowMs);
    for (const { envelope } of due) {
      const { to, from } = envelope;
      if (this.isLost(from, to)) continue;
      this.post(this.members.get(to)?.receive(structuredClone(envelope), this.nowMs) ?? []);
    }
  }

  /** Lets time pass, from event to event; `each` is called after every step. */
  run(forMs: number, each?: () => void): void {
    const endMs = this.nowMs + forMs;
    for (;;) {
      this.step();
      each?.();
      const wakes = [...this.members.values()].map((m) => m.nextWakeMs);
      const nextMs = Math.max(this.nowMs + 1, Math.min(...wakes, ...this.letters.map((l) => l.dueMs)));
      if (nextMs > endMs) break;
      this.nowMs = nextMs;
    }
    this.nowMs = endMs;
  }

  /** Runs until `isSo`; an error after `withinMs`. Answers how long it took, ms. */
  until(isSo: () => boolean, withinMs = 60_000): number {
    const startMs = this.nowMs;
    while (!isSo()) {
      if (this.nowMs - startMs > withinMs) throw new Error(`not so within ${withinMs} ms: ${isSo}`);
      this.run(50);
    }
    return this.nowMs - startMs;
  }

  states(): Record<string, string> {
    return Object.fromEntries([...this.members].map(([host, m]) => [host, m.state]));
  }
}

/** Three members with a primary and everything replicated. */
export function healthySet(seed = 1, options: Partial<MemberOptions> = {}): TestSet {
  const set = new TestSet(seed, options);
  set.start('a:1', 'b:1', 'c:1');
  set.initiate('a:1', 'b:1', 'c:1');
  set.until(() => set.primaries.length === 1);
  set.run(5_000);
  return set;
}
