/** Plays the events of a plan in a world: begins them, ends them, ends all when the calm comes. Judges nothing. */
import type { Cut, Side } from '../network';
import type { World } from '../world';
import { actAsPerson, CITY, findVictim, strike } from './acts';
import { isHampering, type Standing, sumUp } from './standing-faults';
import type { CutSide, Fault, FaultEvent, SwarmPlan } from './swarm-plan';

/** One thing that happened, for the report. */
export interface Happening {
  atS: number;
  text: string;
}

function describe({ kind, ...rest }: Fault): string {
  const shown = { ...rest } as Record<string, unknown>;
  delete shown.atS;
  delete shown.forS;
  return Object.keys(shown).length > 0 ? `${kind} ${JSON.stringify(shown)}` : kind;
}

export class FaultRunner {
  readonly happenings: Happening[] = [];
  private readonly standing = new Map<FaultEvent, Standing>();
  private readonly ends = new Map<FaultEvent, () => void>();
  private isCalm = false;
  /** When the control plane was last hampered, ms. */
  hamperedMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly world: World,
    private readonly plan: SwarmPlan,
  ) {
    sumUp(world.faults, []);
    const { scheduler } = world;
    for (const event of plan.events) scheduler.after(event.atS * 1000, () => this.begin(event));
    scheduler.after(plan.calmAtS * 1000, () => this.calm());
    world.cloud.listeners.push({
      launched: (node) => {
        const waiting = [...this.standing].find(([{ kind }]) => kind === 'neverSyncs');
        if (node.fact.role !== 'mongo' || node.fact.cluster !== CITY || !waiting) return;
        node.neverSyncs = true;
        this.note(`${node.fact.slot} (${node.fact.instanceId}) will never finish its sync`);
        this.end(waiting[0]);
      },
    });
  }

  get isHampered(): boolean {
    for (const { fault } of this.standing.values()) if (isHampering(fault)) return true;
    return false;
  }

  private note(text: string): void {
    this.happenings.push({ atS: this.world.secondsPassed, text });
  }

  private sideOf(side: CutSide): Side | undefined {
    if (!('victim' in side)) return side;
    const node = findVictim(this.world, side.victim);
    return node && { instanceId: node.fact.instanceId };
  }

  private cutsOf(fault: Fault): Cut[] {
    if (fault.kind !== 'cut') return [];
    const [from, to] = [this.sideOf(fault.from), this.sideOf(fault.to)];
    if (!from || !to) return [];
    return fault.bothWays
      ? [
          { from, to },
          { from: to, to: from },
        ]
      : [{ from, to }];
  }

  private begin(event: FaultEvent): void {
    if (this.isCalm) return;
    const { world } = this;
    if ('victim' in event) this.hit(event);
    else if (event.kind === 'flapping') this.flap(event, event.everyS);
    else if (
      event.kind === 'personScales' ||
      event.kind === 'personEdits' ||
      event.kind === 'personBreaksSpec' ||
      event.kind === 'personSends'
    ) {
      const undo = actAsPerson(world, event);
      if (undo) this.ends.set(event, undo);
    } else {
      this.standing.set(event, { fault: event, cuts: this.cutsOf(event) });
      sumUp(world.faults, this.standing.values());
    }
    if (!('victim' in event)) this.note(describe(event));
    world.scheduler.after(event.forS * 1000, () => this.end(event));
  }

  private hit(event: Extract<FaultEvent, { victim: unknown }>): void {
    const node = findVictim(this.world, event.victim);
    if (!node) return;
    const end = strike(this.world, node, event);
    if (end) this.ends.set(event, end);
    this.note(`${event.kind} ${node.fact.slot} (${node.fact.instanceId})${end ? `, for ${event.forS} s` : ''}`);
  }

  private flap(event: FaultEvent, everyS: number): void {
    this.ends.set(event, () => undefined);
    const again = (): void => {
      if (!this.ends.has(event)) return;
      this.world.replicaSets.flap(CITY);
      this.world.scheduler.after(everyS * 1000, again);
    };
    again();
  }

  private end(event: FaultEvent): void {
    const undo = this.ends.get(event);
    this.ends.delete(event);
    undo?.();
    const was = this.standing.get(event);
    if (was && isHampering(was.fault)) this.hamperedMs = this.world.scheduler.nowMs;
    if (this.standing.delete(event)) sumUp(this.world.faults, this.standing.values());
    if (undo || was) this.note(`${event.kind} ends`);
  }

  /** Ends whatever lasts. What is broken for good stays so. */
  private calm(): void {
    this.isCalm = true;
    for (const event of this.plan.events) if (this.standing.has(event) || this.ends.has(event)) this.end(event);
    this.note('faults stop');
  }
}
