/** Drives the engine in real time: wakes it, saves before it speaks, wakes those who wait for it. Decides nothing itself. */
import type { Envelope } from '../../sim/replica-set/contract';
import type { Member } from '../../sim/replica-set/member';
import type { Disk } from './disk';

interface Waiter {
  isSo: () => boolean;
  done: (isSo: boolean) => void;
}

const TIMER_MS_MAX = 60_000;
/** Longest that a timer of Node counts. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

export class LiveMember {
  private outgoing: Envelope[] = [];
  private waiters = new Set<Waiter>();
  private savedVersion = -1;
  private timer: NodeJS.Timeout | undefined;
  private isFlushDue = false;
  isStopped = false;

  constructor(
    readonly member: Member,
    private readonly disk: Disk,
    private readonly send: (envelope: Envelope) => void,
  ) {
    this.flushSoon();
  }

  /** Does something with the member; what follows from it is saved and sent right after. */
  act<T>(work: (member: Member, nowMs: number) => T): T {
    const result = work(this.member, Date.now());
    this.flushSoon();
    return result;
  }

  receive(envelope: Envelope): void {
    if (this.isStopped) return;
    this.outgoing.push(...this.member.receive(envelope, Date.now()));
    this.flushSoon();
  }

  /** Waits until something is so and saved; false after `timeoutMs`. */
  waitUntil(isSo: () => boolean, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = timeoutMs <= TIMEOUT_MS_MAX ? setTimeout(() => waiter.done(false), timeoutMs) : undefined;
      const waiter: Waiter = {
        isSo,
        done: (answer) => {
          clearTimeout(timer);
          this.waiters.delete(waiter);
          resolve(answer);
        },
      };
      this.waiters.add(waiter);
      this.flushSoon();
    });
  }

  /** Something that somebody waits for may have changed outside the member. */
  nudge(): void {
    this.flushSoon();
  }

  /** Several things that happen in one turn of the event loop are saved once. */
  private flushSoon(): void {
    if (this.isFlushDue || this.isStopped) return;
    this.isFlushDue = true;
    setImmediate(() => this.flush());
  }

  private flush(): void {
    this.isFlushDue = false;
    if (this.isStopped) return;
    this.tick();
    // Who waits may go on with a command, which changes the member.
    const done = [...this.waiters].filter((waiter) => waiter.isSo());
    this.tick();
    this.save();
    for (const envelope of this.outgoing.splice(0)) this.send(envelope);
    for (const waiter of done) waiter.done(true);
    this.arm();
  }

  private tick(): void {
    const { member } = this;
    if (member.nextWakeMs <= Date.now()) this.outgoing.push(...member.tick(Date.now()));
  }

  private save(): void {
    if (this.savedVersion === this.member.durableVersion) return;
    this.savedVersion = this.member.durableVersion;
    this.disk.save(this.member.durable());
  }

  private arm(): void {
    clearTimeout(this.timer);
    const waitMs = Math.max(0, this.member.nextWakeMs - Date.now());
    if (waitMs === 0) this.flushSoon();
    else this.timer = setTimeout(() => this.flush(), Math.min(waitMs, TIMER_MS_MAX));
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    for (const waiter of [...this.waiters]) waiter.done(false);
  }
}
