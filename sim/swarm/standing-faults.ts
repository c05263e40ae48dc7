/** Faults that last: sets a world's fault settings to what the events under way add up to. Harms no node by itself. */
import { ZONES } from '../cloud';
import { type Api, calm, type Faults } from '../faults';
import type { Cut } from '../network';
import { ALL_ZONES, type Fault } from './swarm-plan';

const ALL_APIS: readonly Api[] = ['compute', 'addresses', 'commands', 'specs', 'rows', 'claims', 'budget', 'journal', 'queues'];

/** A fault under way, with the cuts it makes; victims are looked up by then. */
export interface Standing {
  fault: Fault;
  cuts: readonly Cut[];
}

function zonesOf(zone: string): readonly string[] {
  return zone === ALL_ZONES ? ZONES : [zone];
}

/** The setting that holds the share of a kind. */
const SHARE_OF = {
  doubles: 'duplicateShare',
  delays: 'delayShare',
  lostTicks: 'lostTickShare',
  crashes: 'crashShare',
  conflicts: 'conflictShare',
  lostAnswers: 'lostAnswerShare',
  partialAnswers: 'partialShare',
  throttling: 'throttleShare',
  falseAlarms: 'falseAlarmShare',
} as const satisfies Record<Extract<Fault, { share: number }>['kind'], keyof Faults>;

function add(faults: Faults, { fault, cuts }: Standing): void {
  if ('share' in fault) faults[SHARE_OF[fault.kind]] = Math.max(faults[SHARE_OF[fault.kind]], fault.share);
  for (const cut of cuts) faults.cuts.add(cut);
  switch (fault.kind) {
    case 'doubles':
      faults.doublesAtOnce ||= fault.atOnce;
      break;
    case 'delays':
      faults.delayMaxMs = Math.max(faults.delayMaxMs, fault.maxS * 1000);
      break;
    case 'lateReads':
      faults.unseenMaxMs = Math.max(faults.unseenMaxMs, fault.unseenS * 1000);
      faults.staleMaxMs = Math.max(faults.staleMaxMs, fault.staleS * 1000);
      break;
    case 'clockSkew':
      faults.skewMaxMs = Math.max(faults.skewMaxMs, fault.maxS * 1000);
      break;
    case 'noCapacity':
      for (const zone of zonesOf(fault.zone)) faults.zonesFull.add(zone);
      break;
    case 'zoneLost':
      for (const zone of zonesOf(fault.zone)) faults.zonesLost.add(zone);
      break;
    case 'apiDown':
      faults.apisDown.add(fault.api);
      break;
    case 'allApisDown':
      for (const api of ALL_APIS) faults.apisDown.add(api);
      break;
  }
}

/** Makes `faults` what the standing ones add up to; with none it is a calm day, without doubles and false alarms. */
export function sumUp(faults: Faults, standing: Iterable<Standing>): void {
  Object.assign(faults, calm(), { duplicateShare: 0, falseAlarmShare: 0 });
  for (const one of standing) add(faults, one);
}

/** Faults during which the control plane can't be expected to act in time, or to know what is so. */
const HAMPERING: ReadonlySet<Fault['kind']> = new Set([
  'delays',
  'lostTicks',
  'crashes',
  'conflicts',
  'lostAnswers',
  'partialAnswers',
  'throttling',
  'lateReads',
  'noCapacity',
  'zoneLost',
  'apiDown',
  'allApisDown',
  'cut',
]);

export function isHampering(fault: Fault): boolean {
  return HAMPERING.has(fault.kind);
}
