/** A simulated world: clock, cloud, nodes, queues, stores and the real use cases fed by them. Starts nothing and checks nothing by itself. */
import { runFailover, runHealthCheck, runProvision } from '../lambdas/app/dispatch';
import type { JournalEntry, Ports, Settings } from '../lambdas/app/ports';
import { decodeMessage, type QueueName } from '../lambdas/core/jobs';
import type { NodeConfig } from '../lambdas/core/node-config';
import { Cloud, ZONES } from './cloud';
import { Commands } from './commands';
import { DataPath } from './data-path';
import { calm, type Faults } from './faults';
import { Keepalived } from './keepalived';
import { type Handled, type Message, MessageQueues } from './message-queues';
import { between, makeRandom, type Random } from './random';
import { ReplicaSets } from './replica-sets';
import { Scheduler } from './scheduler';
import { makeSimPorts } from './sim-ports';
import type { Invocation, SimWorld } from './sim-world';
import { emptyState, type StoredState } from './stores';

/** Virtual time begins here: a Monday at three in the morning. */
export const START_MS = Date.UTC(2026, 0, 5, 3, 0, 0);
const MINUTE_MS = 60_000;
/** Mixed into the seed: keepalived draws its own luck, so that its many looks leave everybody else's as it is. */
const KEEPALIVED_SEED = 0x5eed;
const CLAIM_QUEUE_URL = 'https://sim/failover';
/** EventBridge's way from EC2 to the queue, ms. */
const EVENT_MS: [number, number] = [300, 2_000];

export interface WorldOptions {
  seed: number;
  faults?: Faults;
  settings?: Partial<Settings>;
}

export class World implements SimWorld {
  readonly random: Random;
  readonly scheduler = new Scheduler(START_MS);
  readonly faults: Faults;
  readonly state: StoredState = emptyState();
  readonly counters = new Map<string, number>();
  readonly deleted = new Set<string>();
  readonly cloud: Cloud;
  readonly replicaSets: ReplicaSets;
  readonly dataPath: DataPath;
  readonly commands: Commands;
  readonly queues: MessageQueues;
  readonly settings: Settings;
  onJournal?: (cluster: string, entry: JournalEntry) => void;
  onDeletion?: (cluster: string) => void;
  onLog?: (level: string, message: string, fields: Record<string, unknown>) => void;
  /** May put something between the worker of a queue and its ports. */
  onPorts?: (queue: QueueName, ports: Ports) => Ports;
  private readonly configs = new Map<string, NodeConfig>();
  private readonly ends = new Map<Invocation, (handled: Handled) => void>();

  constructor({ seed, faults = calm(), settings = {} }: WorldOptions) {
    this.random = makeRandom(seed);
    this.faults = faults;
    this.settings = {
      tickEveryS: 10,
      zones: ZONES,
      terminationsPer10Min: 20,
      probeTimeoutMs: 2_000,
      claimQueueUrl: CLAIM_QUEUE_URL,
      ...settings,
    };
    this.cloud = new Cloud(this.scheduler, this.random, faults);
    this.replicaSets = new ReplicaSets(this.scheduler, this.random, this.cloud, faults);
    this.dataPath = new DataPath(this.cloud, this.replicaSets, faults);
    this.commands = new Commands(this.scheduler, this.random, this.cloud, this.replicaSets, faults, (id, version) =>
      this.configs.get(`${id}/${version}`),
    );
    this.queues = new MessageQueues(this.scheduler, this.random, faults, (message) => this.handle(message));
    new Keepalived(this, makeRandom(seed ^ KEEPALIVED_SEED));
    this.cloud.listeners.push({ stateChanged: () => this.announce() });
    this.minute();
  }

  /** Virtual seconds since the beginning. */
  get secondsPassed(): number {
    return (this.scheduler.nowMs - START_MS) / 1000;
  }

  /** EventBridge's schedule. */
  private minute(): void {
    const { lostTickShare } = this.faults;
    if (lostTickShare === 0 || this.random() >= lostTickShare) this.send('health-check', { kind: 'minute' });
    this.scheduler.after(MINUTE_MS, () => this.minute());
  }

  /** EventBridge's word that an instance changed its state. */
  private announce(): void {
    this.scheduler.after(between(this.random, ...EVENT_MS), () => this.send('health-check', { kind: 'sweep' }));
  }

  send(queue: QueueName, body: unknown, delayS = 0): string {
    const job = body as { kind?: string; cluster?: string; confirm?: string; instanceId?: string; version?: string; config?: NodeConfig };
    if (job.kind === 'deleteCluster' && job.cluster && job.confirm === job.cluster) {
      this.onDeletion?.(job.cluster);
      this.deleted.add(job.cluster);
    }
    if (job.kind === 'applyConfig' && job.config) this.configs.set(`${job.instanceId}/${job.version}`, job.config);
    return this.queues.send(queue, typeof body === 'string' ? body : JSON.stringify(body), delayS);
  }

  onCrash(invocation: Invocation): void {
    this.ends.get(invocation)?.('died');
  }

  private handle(message: Message): Promise<Handled> {
    const invocation: Invocation = { dead: false };
    return new Promise((resolve) => {
      const end = (handled: Handled) => {
        this.ends.delete(invocation);
        resolve(handled);
      };
      this.ends.set(invocation, end);
      this.run(message, invocation).then(end, (error: unknown) => {
        this.onLog?.('error', 'message failed', { message, error });
        end('failed');
      });
    });
  }

  /** What lambdas/sqs-batch.ts does for one record, without AWS. */
  private async run({ queue, body, id }: Message, invocation: Invocation): Promise<Handled> {
    const ports = makeSimPorts(this, invocation);
    const context = { ports: this.onPorts?.(queue, ports) ?? ports, settings: this.settings };
    const decoded = decodeMessage(queue, body);
    if (!decoded.ok) {
      this.onLog?.('error', 'message can not be decoded', { queue, problems: decoded.problems });
      return 'failed';
    }
    if (queue === 'health-check') await runHealthCheck(context, decoded.value as Parameters<typeof runHealthCheck>[1]);
    else if (queue === 'provision') await runProvision(context, decoded.value as Parameters<typeof runProvision>[1], id);
    else await runFailover(context, decoded.value as Parameters<typeof runFailover>[1]);
    return 'done';
  }

  /** Lets virtual time pass; answers whether `isOver` came true. */
  pass(forS: number, isOver?: () => boolean): Promise<boolean> {
    return this.scheduler.runUntil(this.scheduler.nowMs + forS * 1000, isOver);
  }
}
