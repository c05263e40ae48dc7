/** Runs one plan: faults, calm, convergence, deletion, with the checkers watching. The same plan gives the same run, to the byte of its journal. */
import { type JournalEntry, PortError } from '../../lambdas/app/ports';
import type { Violation } from '../checkers/checker';
import { openJobs } from '../checkers/jobs';
import { watch } from '../checkers/watch';
import { Client } from '../client';
import { World } from '../world';
import { CITY, plantStrangers } from './acts';
import { addressBoundMs, convergenceBoundS, twinsBoundMs } from './bounds';
import { FaultRunner, type Happening } from './fault-runner';
import { hasSurvivor, isMajorityGone, problemOf, specOf } from './outside';
import { Person } from './person';
import type { SwarmPlan } from './swarm-plan';

const NEIGHBOUR = 'village';
const WRITES_EVERY_MS = 4_000;
const LOOK_EVERY_S = 5;
/** Once all is well it must stay so, and nothing may be planned, for this long. */
const STAYS_WELL_S = 45;
/** How long a cluster whose majority is gone must go on saying so, s. */
const STAYS_STOPPED_S = 120;
/** A worker that died leaves its message invisible for six minutes, three times at most, s. */
const QUIET_BOUND_S = 1_200;
/** After trouble before, a job may have to be given up and rested for until this long after, ms. */
const AFTERMATH_MS = 900_000;
const JOURNAL_KEPT = 400;

export type Outcome = {
  seed: number;
  /** `well`: as its spec says, or gone as asked. `stopped`: its majority is gone for good and it says so. `not converged`: neither in time. */
  end: 'well' | 'stopped' | 'not converged';
  /** Why it did not converge. */
  problem?: string;
  violations: Violation[];
  virtualS: number;
  happenings: Happening[];
  journal: (JournalEntry & { cluster: string })[];
};

/** A world under a plan, from its beginning to its end. */
class Run {
  readonly world: World;
  readonly faults: FaultRunner;
  /** One on the first address that leads anywhere, one on the second address, where there is one. */
  readonly clients: readonly Client[];
  readonly violations: Violation[];
  private readonly person: Person;
  private readonly endChecks: () => void;
  private isForced = false;
  private readonly clusters: readonly string[];

  constructor(readonly plan: SwarmPlan) {
    const { seed, settings, neighbour } = plan;
    const { claims, ...deployed } = settings;
    const world = new World({ seed, settings: claims ? deployed : { ...deployed, claimQueueUrl: undefined } });
    this.world = world;
    this.clusters = neighbour ? [CITY, NEIGHBOUR] : [CITY];
    this.faults = new FaultRunner(world, plan);
    this.person = new Person(world);
    this.clients = [undefined, 'entry2'].map((address) => new Client(world, CITY, address, WRITES_EVERY_MS));
    const self = this;
    const watching = watch(world, this.clients, {
      get addressOnDeadMs() {
        return addressBoundMs(self.spec, world.settings, self.wasHampered);
      },
      get twinsMs() {
        return twinsBoundMs(self.wasHampered);
      },
      get isExcused() {
        return self.faults.isHampered;
      },
      get isDataForfeit() {
        return self.isForced || self.person.gaveUpData || isMajorityGone(world, CITY);
      },
    });
    this.violations = watching.violations;
    this.endChecks = watching.end;
    this.listen();
    plantStrangers(world);
    for (const cluster of this.clusters) this.ask(cluster);
    for (const client of this.clients) client.start();
  }

  /** Asks for a cluster, under the same key however often: a request that became a dead letter is sent again by a person. */
  private ask(cluster: string): void {
    const spec = cluster === CITY ? this.plan.spec : { orion: { count: 1 } };
    this.world.send('provision', { kind: 'createCluster', cluster, jobKey: `create-${cluster}`, spec });
  }

  /** Clusters whose creation became a dead letter are asked for once more, now that nothing is in the way. */
  private async isCreated(): Promise<boolean> {
    const { world } = this;
    const missing = () => this.clusters.filter((cluster) => !world.state.specs.has(cluster));
    await this.passUntil(() => missing().length === 0, QUIET_BOUND_S);
    for (const cluster of missing()) this.ask(cluster);
    return this.passUntil(() => missing().length === 0, QUIET_BOUND_S);
  }

  private async passUntil(isOver: () => boolean, boundS: number): Promise<boolean> {
    for (let passedS = 0; passedS < boundS && !isOver(); passedS += LOOK_EVERY_S) await this.world.pass(LOOK_EVERY_S);
    return isOver();
  }

  private get spec() {
    const spec = specOf(this.world, CITY) ?? this.world.state.rows.get(CITY)?.spec;
    if (spec) return spec;
    throw new Error('bounds were asked for before the cluster had a spec');
  }

  private get wasHampered(): boolean {
    return this.faults.isHampered || this.world.scheduler.nowMs - this.faults.hamperedMs < AFTERMATH_MS;
  }

  /** A worker may fail because something outside did; any other error, and a plan its own invariants drop, is a bug. */
  private listen(): void {
    const { world } = this;
    const report = (checker: string, text: string) => void this.violations.push({ atMs: world.scheduler.nowMs, checker, text });
    world.onLog = (_level, message, { error, violations }) => {
      if (error !== undefined && !(error instanceof PortError))
        report('worker-error', `${message}: ${error instanceof Error ? error.stack : error}`);
      if (violations !== undefined && message.includes('unsafe')) report('unsafe-plan', String(violations));
    };
  }

  private problem(): string | undefined {
    for (const cluster of this.clusters) {
      const problem = problemOf(this.world, cluster);
      if (problem) return `${cluster}: ${problem}`;
    }
    return undefined;
  }

  /** It says that it has stopped, as people see it. */
  private saysItStopped(): boolean {
    const blocked = this.world.state.rows.get(CITY)?.status?.blocked ?? [];
    return blocked.some((text) => text.includes('majority lost') || text.includes('was initiated before'));
  }

  private planned(): number {
    return this.world.state.journal.filter(({ event }) => event === 'planned').length;
  }

  /** Well from outside, said to be so, and at rest for a while. */
  private async becomesWell(boundS: number): Promise<boolean> {
    const { world } = this;
    const untilS = world.secondsPassed + boundS;
    while (world.secondsPassed < untilS) {
      await world.pass(LOOK_EVERY_S);
      this.person.look();
      if (this.problem() || !this.saysAllIsWell()) {
        if (!this.isForced && !world.deleted.has(CITY) && isMajorityGone(world, CITY) && this.saysItStopped()) return false;
        continue;
      }
      const before = this.planned();
      await world.pass(STAYS_WELL_S);
      if (!this.problem() && this.saysAllIsWell() && this.planned() === before) return true;
    }
    return false;
  }

  private saysAllIsWell(): boolean {
    return this.clusters.every((cluster) => {
      if (this.world.deleted.has(cluster)) return true;
      const row = this.world.state.rows.get(cluster);
      return row?.status?.converged === true && Object.keys(row.memory.inFlight).length === 0;
    });
  }

  private get boundS(): number {
    return convergenceBoundS(this.spec, this.world.settings);
  }

  /** A majority gone for good: it must stop and go on saying so; a person may then let the survivors go on. */
  private async endsStopped(): Promise<Outcome['end']> {
    const { world } = this;
    if (!isMajorityGone(world, CITY) || !this.saysItStopped()) return 'not converged';
    await world.pass(STAYS_STOPPED_S);
    if (!this.saysItStopped()) return 'not converged';
    if (!this.plan.personRepairs || !hasSurvivor(world, CITY)) return 'stopped';
    this.isForced = true;
    world.send('provision', { kind: 'repairMajority', cluster: CITY, confirm: CITY });
    return (await this.becomesWell(this.boundS)) ? 'well' : 'not converged';
  }

  private async delete(): Promise<boolean> {
    const { world } = this;
    for (const client of this.clients) client.stop();
    await world.pass(10);
    world.send('provision', { kind: 'deleteCluster', cluster: CITY, confirm: CITY });
    const boundS = this.boundS;
    return this.passUntil(() => problemOf(world, CITY) === undefined, boundS);
  }

  /** Messages that a dead worker holds come back, and every job comes to an end. */
  private async becomeQuiet(): Promise<void> {
    const { world } = this;
    await this.passUntil(() => openJobs(world).length === 0, QUIET_BOUND_S);
  }

  async finish(): Promise<Outcome> {
    const { world, plan, violations } = this;
    await world.pass(plan.calmAtS);
    const isWell = (await this.isCreated()) && (await this.becomesWell(this.boundS));
    let end: Outcome['end'] = isWell ? 'well' : await this.endsStopped();
    let problem = end === 'not converged' ? this.whyNot() : undefined;
    if (end !== 'not converged' && plan.deletes && !(await this.delete())) {
      end = 'not converged';
      problem = `being deleted: ${problemOf(world, CITY)}`;
    }
    if (end !== 'not converged') await this.becomeQuiet();
    for (const client of this.clients) client.stop();
    this.endChecks();
    const virtualS = Math.round(world.secondsPassed);
    const journal = world.state.journal.slice(-JOURNAL_KEPT);
    return { seed: plan.seed, end, ...(problem ? { problem } : {}), violations, virtualS, happenings: this.faults.happenings, journal };
  }

  private whyNot(): string {
    if (!this.world.state.specs.has(CITY)) return 'it was never created';
    const status = this.world.state.rows.get(CITY)?.status;
    const said = status?.blocked[0] ?? status?.sentence ?? 'it has no status';
    const seen = this.problem() ?? (this.saysAllIsWell() ? 'it goes on planning' : 'it does not say that all is well');
    return `${seen}; its status says: ${said}`;
  }
}

/** Runs a plan to its end. Never throws for what the control plane did; that is a violation. */
export function runPlan(plan: SwarmPlan): Promise<Outcome> {
  return new Run(plan).finish();
}
