/** Simulated SQS with its functions: at least once, in any order, three receives, then the dead-letter queue. Knows nothing of what jobs mean. */
import type { QueueName } from '../lambdas/core/jobs';
import type { Faults } from './faults';
import { between, type Random } from './random';
import type { Scheduler } from './scheduler';

export interface Message {
  id: string;
  queue: QueueName;
  body: string;
  receives: number;
}

/** done: acknowledged. failed: reported as a batch item failure. died: the worker is gone, nothing was reported. */
export type Handled = 'done' | 'failed' | 'died';
export type Handler = (message: Message) => Promise<Handled>;

const LATENCY_MS: [number, number] = [5, 60];
const RECEIVES_MAX = 3;
/** Six times each function's timeout, as deployed. */
const VISIBILITY_MS: Record<QueueName, number> = { 'health-check': 180_000, provision: 360_000, failover: 180_000 };
/** Invocations at once, as deployed. */
const CONCURRENCY: Record<QueueName, number> = { 'health-check': 20, provision: 10, failover: 20 };

export class MessageQueues {
  readonly deadLetters: Message[] = [];
  /** Messages not acknowledged yet, by id. */
  readonly open = new Map<string, Message>();
  private readonly waiting: Record<QueueName, Message[]> = { 'health-check': [], provision: [], failover: [] };
  private readonly busy: Record<QueueName, number> = { 'health-check': 0, provision: 0, failover: 0 };
  private count = 0;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly faults: Faults,
    private readonly handler: Handler,
  ) {}

  send(queue: QueueName, body: string, delayS = 0): string {
    const message: Message = { id: `m-${++this.count}`, queue, body, receives: 0 };
    this.open.set(message.id, message);
    const copies = this.random() < this.faults.duplicateShare ? 2 : 1;
    let inMs = this.latencyMs();
    for (let copy = 0; copy < copies; copy++) {
      if (copy > 0 && !this.faults.doublesAtOnce) inMs = this.latencyMs();
      this.scheduler.after(delayS * 1000 + inMs, () => this.arrive(message));
    }
    return message.id;
  }

  private latencyMs(): number {
    const { delayShare, delayMaxMs } = this.faults;
    const isLate = delayShare > 0 && this.random() < delayShare;
    return between(this.random, ...LATENCY_MS) + (isLate ? between(this.random, 0, delayMaxMs) : 0);
  }

  private arrive(message: Message): void {
    this.waiting[message.queue].push(message);
    this.pump(message.queue);
  }

  private pump(queue: QueueName): void {
    while (this.busy[queue] < CONCURRENCY[queue]) {
      const message = this.waiting[queue].shift();
      if (!message) return;
      this.busy[queue]++;
      message.receives++;
      this.scheduler.spawn(0, () => this.receive(message));
    }
  }

  private async receive(message: Message): Promise<void> {
    const handled = await this.handler(message);
    this.busy[message.queue]--;
    if (handled === 'done') this.open.delete(message.id);
    else this.scheduler.after(VISIBILITY_MS[message.queue], () => this.return(message));
    this.pump(message.queue);
  }

  private return(message: Message): void {
    if (!this.open.has(message.id)) return;
    if (message.receives < RECEIVES_MAX) {
      this.arrive(message);
      return;
    }
    this.open.delete(message.id);
    this.deadLetters.push(message);
  }
}
