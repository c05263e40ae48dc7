/** Draws everything of a run from its seed: cluster, deployment, timings, which kinds of fault are on and how often. Runs nothing. */
import { ENABLERS } from '../../lambdas/core/catalogue/enablers';
import { conflictWithMongo, MONGO_USUAL } from '../../lambdas/core/catalogue/versions';
import type { Role } from '../../lambdas/core/names';
import type { SpecInput } from '../../lambdas/core/spec';
import { ZONES } from '../cloud';
import type { Api } from '../faults';
import { makeRandom, type Random } from '../random';
import { ALL_ZONES, type CutSide, type Fault, type FaultEvent, type SwarmPlan, type Victim } from './swarm-plan';

/** Mixed into the seed, so that the plan's luck and the world's are not the same numbers. */
const DRAW_SEED = 0x5a17;
/** Mixed in for the roles beside the brokers: clusters without them are what they were before there were any. */
const ENABLERS_SEED = 0xca7a;
/** Nodes are harmed from here on, s: a cluster takes about that long to come up. */
const UP_AT_S = 180;
/** How likely each kind of fault is on in a run. */
const KIND_SHARE = 0.22;
const APIS: readonly Api[] = ['compute', 'addresses', 'commands', 'specs', 'rows', 'claims', 'budget', 'journal', 'queues'];

/** Draws from one source of chance. */
class Draw {
  constructor(readonly random: Random) {}

  within(min: number, max: number): number {
    return Math.round((min + this.random() * (max - min)) * 1000) / 1000;
  }

  whole(min: number, max: number): number {
    return min + Math.floor(this.random() * (max - min + 1));
  }

  luck(share: number): boolean {
    return this.random() < share;
  }

  of<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.random() * choices.length)] as T;
  }

  role(): Role {
    return this.of(['lb', 'orion', 'orion', 'mongo', 'mongo'] as const);
  }

  victim(role = this.role()): Victim {
    const victim: Victim = { role, pick: this.within(0, 1) };
    return role !== 'orion' && this.luck(0.4) ? { ...victim, lead: true } : victim;
  }
}

function drawSpec(d: Draw): SpecInput {
  const policy = {
    deadAfterChecks: d.whole(2, 4),
    deadAfterS: d.whole(5, 30),
    healthyAfterChecks: d.whole(1, 3),
    bootGraceS: d.whole(120, 300),
    restartsBeforeReplace: d.whole(0, 2),
    slotCooldownS: d.of([0, 30, 60, 120]),
    breakerShare: d.of([0.34, 0.5, 0.5, 0.7]),
    mongoCaughtUpForS: d.whole(1, 10),
    mongoSyncMaxS: d.whole(60, 300),
  };
  const lbs = d.luck(0.9) ? 2 : 1;
  return {
    name: 'city',
    lb: { count: lbs },
    orion: { count: d.whole(1, 4), min: 1, max: 8 },
    mongo: { count: d.of([1, 3, 3, 3, 3, 3, 3, 3, 5, 5]), writeConcern: d.luck(0.85) ? 'majority' : 1 },
    entry: {
      mode: lbs > 1 && d.luck(0.35) ? 'active-active' : 'active-passive',
      advertIntervalS: d.of([0.3, 0.5, 1]),
      protocol: d.of(['http', 'http', 'tcp']),
    },
    policy,
  };
}

function side(d: Draw): CutSide {
  return d.luck(0.5) ? { tier: d.role() } : d.luck(0.5) ? { zone: d.of(ZONES) } : { victim: d.victim() };
}

/** Between tiers, between zones, between the balancers, around one node, or from where the control plane looks. */
function drawCut(d: Draw): Fault {
  const bothWays = d.luck(0.6);
  const [a, b] = d.luck(0.5) ? [ZONES[0], ZONES[1]] : [ZONES[1], ZONES[2]];
  switch (d.whole(0, 4)) {
    case 0:
      return {
        kind: 'cut',
        from: { tier: d.of(['lb', 'orion', 'mongo'] as const) },
        to: { tier: d.of(['orion', 'mongo'] as const) },
        bothWays,
      };
    case 1:
      return { kind: 'cut', from: { zone: a }, to: { zone: b }, bothWays };
    case 2:
      return { kind: 'cut', from: { victim: { ...d.victim('lb'), lead: true } }, to: { tier: 'lb' }, bothWays };
    case 3:
      return { kind: 'cut', from: { victim: d.victim('mongo') }, to: { tier: 'mongo' }, bothWays };
    default:
      // Out of everybody's sight at once: an empty side is everybody.
      return { kind: 'cut', from: { tier: 'control' }, to: d.luck(0.4) ? {} : side(d), bothWays };
  }
}

/** Kinds that go on in the background for a while; each draws its own strength. */
const BACKGROUND: readonly ((d: Draw) => Fault)[] = [
  (d) => ({ kind: 'doubles', share: d.within(0.05, 0.5), atOnce: d.luck(0.5) }),
  (d) => ({ kind: 'delays', share: d.within(0.02, 0.3), maxS: d.whole(2, 90) }),
  (d) => ({ kind: 'lostTicks', share: d.within(0.1, 0.9) }),
  (d) => ({ kind: 'crashes', share: d.within(0.002, 0.03) }),
  (d) => ({ kind: 'conflicts', share: d.within(0.02, 0.3) }),
  (d) => ({ kind: 'lostAnswers', share: d.within(0.005, 0.1) }),
  (d) => ({ kind: 'partialAnswers', share: d.within(0.01, 0.2) }),
  (d) => ({ kind: 'throttling', share: d.within(0.01, 0.3) }),
  (d) => ({ kind: 'falseAlarms', share: d.within(0.001, 0.02) }),
  (d) => ({ kind: 'lateReads', unseenS: d.whole(5, 60), staleS: d.whole(0, 20) }),
  (d) => ({ kind: 'clockSkew', maxS: d.within(0.1, 2) }),
  (d) => ({ kind: 'noCapacity', zone: d.luck(0.3) ? ALL_ZONES : d.of(ZONES) }),
  (d) => ({ kind: 'flapping', everyS: d.whole(15, 90) }),
  () => ({ kind: 'neverSyncs' }),
];

/** Outages: they begin at some moment and last a while. */
const OUTAGES: readonly ((d: Draw) => Fault)[] = [
  (d) => ({ kind: 'apiDown', api: d.of(APIS) }),
  () => ({ kind: 'allApisDown' }),
  drawCut,
  (d) => ({ kind: 'zoneLost', zone: d.of(ZONES) }),
];

/** What strikes one node. */
const BLOWS: readonly ((d: Draw) => Fault)[] = [
  (d) => ({ kind: 'terminated', victim: d.victim() }),
  (d) => ({ kind: 'processDies', victim: d.victim(), forGood: d.luck(0.5) }),
  (d) => ({ kind: 'hangs', victim: d.victim(), forGood: false }),
  (d) => ({ kind: 'hangs', victim: d.victim(d.of(['lb', 'orion'] as const)), forGood: true }),
  (d) => ({ kind: 'reboots', victim: d.victim() }),
  (d) => ({ kind: 'slow', victim: d.victim(), byMs: d.whole(200, 1_900) }),
  (d) => ({ kind: 'diskFull', victim: d.victim() }),
];

/** What people do meanwhile. */
const PEOPLE: readonly ((d: Draw) => Fault)[] = [
  (d) => ({ kind: 'personTerminates', victim: d.victim() }),
  (d) => ({ kind: 'personScales', role: 'orion', count: d.whole(1, 6), twice: d.luck(0.3), back: d.luck(0.4) }),
  (d) => ({ kind: 'personScales', role: 'mongo', count: d.of([1, 3, 3, 5, 5, 7]), twice: d.luck(0.3), back: d.luck(0.2) }),
  (d) => ({ kind: 'personScales', role: 'lb', count: d.whole(1, 2), twice: d.luck(0.3), back: d.luck(0.2) }),
  (d) => ({ kind: 'personEdits', edit: d.of(['policy', 'version', 'advert', 'mode'] as const) }),
  () => ({ kind: 'personBreaksSpec' }),
  (d) => ({
    kind: 'personSends',
    body: d.of(['junk', 'unknownCluster', 'unconfirmedDelete', 'repairMajority', 'claimOfStranger'] as const),
  }),
];

/** Faults of this kind leave something broken that only the control plane mends. */
function isForGood(fault: Fault): boolean {
  return fault.kind === 'diskFull' || ('forGood' in fault && fault.forGood);
}

interface Spans {
  calmAtS: number;
  /** How many nodes may be left broken: more would open the breaker for good, which is a person's to mend. */
  forGoodMax: number;
}

function drawEvents(d: Draw, { calmAtS, forGoodMax }: Spans): FaultEvent[] {
  const events: FaultEvent[] = [];
  const add = (fault: Fault, fromS: number, lastsS: number): void => {
    const atS = Math.round(d.within(fromS, calmAtS - 30));
    events.push({ atS, forS: Math.max(1, Math.min(Math.round(lastsS), calmAtS - atS)), ...fault });
  };
  for (const kind of BACKGROUND) {
    if (!d.luck(KIND_SHARE)) continue;
    const fault = kind(d);
    if (d.luck(0.5)) events.push({ atS: 0, forS: calmAtS, ...fault });
    else add(fault, 0, d.within(60, 600));
  }
  for (const kind of OUTAGES) if (d.luck(KIND_SHARE)) for (let n = d.whole(1, 3); n > 0; n--) add(kind(d), 60, d.within(5, 300));
  let forGood = 0;
  for (let n = d.whole(0, 7); n > 0; n--) {
    const fault = d.of(BLOWS)(d);
    if (isForGood(fault) && ++forGood > forGoodMax) continue;
    add(fault, UP_AT_S, d.within(5, 240));
  }
  if (d.luck(0.5)) for (let n = d.whole(1, 3); n > 0; n--) add(d.of(PEOPLE)(d), d.luck(0.9) ? UP_AT_S : 30, d.within(10, 200));
  return events;
}

/** Roles whose usual version goes with what the members run. */
const POSSIBLE = ENABLERS.filter(({ name, usualVersion }) => !conflictWithMongo(name, usualVersion, MONGO_USUAL));

/** What strikes one node of a role of the catalogue, or a person does with the role. */
function enablerEvent(d: Draw, { name: role, count }: (typeof POSSIBLE)[number]): Fault {
  const victim = { role, pick: d.within(0, 1) };
  switch (d.whole(0, 7)) {
    case 0:
      return { kind: 'terminated', victim };
    case 1:
      return { kind: 'processDies', victim, forGood: d.luck(0.5) };
    case 2:
      return { kind: 'hangs', victim, forGood: false };
    case 3:
      return { kind: 'reboots', victim };
    case 4:
      return { kind: 'slow', victim, byMs: d.whole(200, 1_900) };
    case 5:
      return { kind: 'losesDatabase', victim };
    case 6:
      return { kind: 'personScales', role, count: d.whole(count.min, Math.min(count.max, 4)), twice: d.luck(0.3), back: d.luck(0.4) };
    default:
      return { kind: 'personEdits', edit: 'enablers' };
  }
}

/** Which roles of the catalogue a cluster has, in one of five, and what happens to them. */
function drawEnablers(d: Draw, calmAtS: number): { enablers: SpecInput['enablers']; events: FaultEvent[] } {
  const roles = d.luck(0.2) ? POSSIBLE.filter(() => d.luck(0.5)) : [];
  const specOf = ({ ports }: (typeof POSSIBLE)[number], i: number) =>
    ports.south === undefined ? {} : { ports: { south: ports.south + i } };
  const events = roles.flatMap((entry) =>
    Array.from({ length: d.whole(0, 2) }, (): FaultEvent => {
      const atS = Math.round(d.within(UP_AT_S, calmAtS - 30));
      return { atS, forS: Math.max(1, Math.min(d.whole(5, 240), calmAtS - atS)), ...enablerEvent(d, entry) };
    }),
  );
  return { enablers: Object.fromEntries(roles.map((entry, i) => [entry.name, specOf(entry, i)])), events };
}

/** A source of a seed. The first numbers of close seeds are alike in nothing but their source; a few thrown away cost nothing. */
function sourceOf(seed: number): Draw {
  const d = new Draw(makeRandom(seed));
  for (let i = 0; i < 4; i++) d.random();
  return d;
}

/** The plan of a seed; the same seed, the same plan. */
export function drawPlan(seed: number): SwarmPlan {
  const d = sourceOf(seed ^ DRAW_SEED);
  const spec = drawSpec(d);
  const calmAtS = d.whole(420, 960);
  const nodes = (spec.lb?.count ?? 2) + (spec.orion?.count ?? 2) + (spec.mongo?.count ?? 3);
  const hasSet = spec.mongo?.count !== 1;
  const more = hasSet ? drawEnablers(sourceOf(seed ^ ENABLERS_SEED), calmAtS) : { enablers: {}, events: [] };
  return {
    seed,
    spec: { ...spec, enablers: more.enablers },
    neighbour: d.luck(0.08),
    settings: { tickEveryS: d.of([5, 10, 10, 15]), terminationsPer10Min: d.of([2, 3, 5, 10, 20]), claims: d.luck(0.85) },
    calmAtS,
    events: [...drawEvents(d, { calmAtS, forGoodMax: Math.floor(nodes * (spec.policy?.breakerShare ?? 0.5)) - 1 }), ...more.events].sort(
      (a, b) => a.atS - b.atS,
    ),
    personRepairs: d.luck(0.5),
    deletes: d.luck(0.3),
  };
}
