/** A client of a simulated cluster: writes one entity a second, or as often as told, through an address of it, remembers what was acknowledged. Repairs nothing. */
import type { OpTime } from './replica-set/contract';
import type { SimNode } from './sim-node';
import type { SimWorld } from './sim-world';

/** A write that is on no majority by then counts as failed, ms. */
const ACKNOWLEDGE_MS = 5_000;
const LOOK_MS = 100;
const NAMESPACE = 'orion.entities';

export interface Outage {
  fromMs: number;
  untilMs: number;
}

export class Client {
  readonly acknowledged = new Set<string>();
  readonly failures: number[] = [];
  private count = 0;
  private stopped = false;

  constructor(
    private readonly world: SimWorld,
    private readonly cluster: string,
    /** The address it uses; without it the first that leads anywhere. */
    private readonly address?: string,
    private readonly everyMs = 1_000,
  ) {}

  start(): void {
    this.request();
  }

  stop(): void {
    this.stopped = true;
  }

  private request(): void {
    if (this.stopped) return;
    const { scheduler, dataPath, replicaSets } = this.world;
    scheduler.after(this.everyMs, () => this.request());
    const id = `${this.address ?? ''}Room${++this.count}`;
    const primary = dataPath.primaryThrough(this.cluster, this.address);
    const written = primary?.member?.write([{ op: 'insert', ns: NAMESPACE, id, doc: { id } }], scheduler.nowMs);
    if (!primary || !written || written.ok !== 1) {
      this.failures.push(scheduler.nowMs);
      return;
    }
    replicaSets.nudge(primary);
    this.awaitMajority(primary, id, written.optime, scheduler.nowMs);
  }

  private awaitMajority(primary: SimNode, id: string, optime: OpTime, sentMs: number): void {
    const { scheduler, cloud } = this.world;
    const fate = cloud.isServing(primary) ? primary.member?.fateOf(optime) : 'lost';
    if (fate === 'committed') this.acknowledged.add(id);
    else if (fate === 'lost' || scheduler.nowMs - sentMs > ACKNOWLEDGE_MS) this.failures.push(sentMs);
    else scheduler.after(LOOK_MS, () => this.awaitMajority(primary, id, optime, sentMs));
  }

  /** Seconds in which a request failed, within a span. */
  failedSeconds(fromMs: number, untilMs: number): number {
    return this.failures.filter((atMs) => atMs >= fromMs && atMs < untilMs).length;
  }

  /** Acknowledged writes the present primary does not have; without a primary there is nobody to ask, which is another trouble. */
  lost(): string[] {
    const primary = this.world.replicaSets.primaryOf(this.cluster);
    if (!primary) return [];
    const documents = primary.member?.read(NAMESPACE) ?? {};
    return [...this.acknowledged].filter((id) => !(id in documents));
  }
}
