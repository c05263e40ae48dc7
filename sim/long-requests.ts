/** A client whose requests take their time: some each second through a cluster's address, each on one broker until its end. Repairs nothing. */
import { between, type Random } from './random';
import type { SimNode } from './sim-node';
import type { SimWorld } from './sim-world';

const EVERY_MS = 250;
const LASTS_MS: [number, number] = [200, 8_000];
const LOOK_MS = 200;

/** A request that got no answer, and why. */
export interface Unanswered {
  atMs: number;
  why: string;
}

export class LongRequests {
  answered = 0;
  readonly unanswered: Unanswered[] = [];
  private stopped = false;

  /** `random`: a source of its own, so that its many draws leave everybody else's luck as it is. */
  constructor(
    private readonly world: SimWorld,
    private readonly cluster: string,
    private readonly random: Random,
  ) {}

  start(): void {
    if (this.stopped) return;
    this.world.scheduler.after(EVERY_MS, () => this.start());
    this.request();
  }

  stop(): void {
    this.stopped = true;
  }

  private request(): void {
    const { scheduler, dataPath } = this.world;
    const broker = dataPath.brokerFor(this.cluster, this.random);
    if (!broker) {
      this.unanswered.push({ atMs: scheduler.nowMs, why: 'no balancer or no broker takes it' });
      return;
    }
    broker.requests++;
    this.await(broker, broker.starts, scheduler.nowMs + between(this.random, ...LASTS_MS));
  }

  /** A request ends with its broker's process, and with the connection that a lost instance takes along. */
  private await(broker: SimNode, starts: number, untilMs: number): void {
    const { scheduler, cloud } = this.world;
    const isThere = cloud.isServing(broker) && broker.starts === starts;
    if (isThere && scheduler.nowMs < untilMs) {
      scheduler.after(LOOK_MS, () => this.await(broker, starts, untilMs));
      return;
    }
    broker.requests--;
    if (isThere) this.answered++;
    else this.unanswered.push({ atMs: scheduler.nowMs, why: `${broker.fact.slot} (${broker.fact.instanceId}) stopped under it` });
  }
}
