/** Faults that are on at the moment; whoever simulates a part asks here. Holds settings, breaks nothing by itself. */
import type { NodeConfig } from '../lambdas/core/node-config';
import type { Cut } from './network';

/** APIs that can be away or throttled, one at a time. */
export type Api = 'compute' | 'addresses' | 'commands' | 'specs' | 'rows' | 'claims' | 'budget' | 'journal' | 'queues';

export interface Faults {
  /** Share of messages delivered twice. */
  duplicateShare: number;
  /** Both copies of a double come at the same moment. */
  doublesAtOnce: boolean;
  /** Share of messages that come late, and by how much at most, ms; others overtake them. */
  delayShare: number;
  delayMaxMs: number;
  /** Share of the schedule's minutes that never come. */
  lostTickShare: number;
  /** Share of port calls before or after which the handler dies. */
  crashShare: number;
  /** Share of conditional writes that lose, half of them though they were done (a lost answer, and the client's own retry). */
  conflictShare: number;
  /** Share of calls that are done and whose answer is lost. */
  lostAnswerShare: number;
  /** Share of answers that lack a part: no status checks, probes that could not be made. */
  partialShare: number;
  /** A launched node is not listed for up to this long, ms. */
  unseenMaxMs: number;
  /** Reads show a terminated node or a moved address as it was for up to this long, ms. */
  staleMaxMs: number;
  /** Clocks of workers and nodes are off by up to this much, either way, ms. */
  skewMaxMs: number;
  /** Share of calls answered with "slow down". */
  throttleShare: number;
  /** APIs that do not answer at all. */
  apisDown: Set<Api>;
  /** Zones whose nodes nobody reaches and that launch nothing. */
  zonesLost: Set<string>;
  /** Zones without capacity for new nodes. */
  zonesFull: Set<string>;
  /** What a node's own check says of a configuration it does not take; undefined where it takes it. */
  refuses: (config: NodeConfig) => string | undefined;
  /** Configurations with which a process starts, and dies soon after. */
  isDeadly: (config: NodeConfig) => boolean;
  /** Balancers that do not hear their peer, by instance id. */
  deaf: Set<string>;
  /** Share of advertisement intervals in which a balancer takes a peer that it hears for silent. */
  falseAlarmShare: number;
  /** Ways that packets do not get through. */
  cuts: Set<Cut>;
}

/** A calm day: some doubles, as SQS promises no less, and a false alarm of a balancer every ten minutes or so. */
export function calm(): Faults {
  return {
    duplicateShare: 0.02,
    doublesAtOnce: false,
    delayShare: 0,
    delayMaxMs: 0,
    lostTickShare: 0,
    crashShare: 0,
    conflictShare: 0,
    lostAnswerShare: 0,
    partialShare: 0,
    unseenMaxMs: 5_000,
    staleMaxMs: 0,
    skewMaxMs: 0,
    throttleShare: 0,
    apisDown: new Set(),
    zonesLost: new Set(),
    zonesFull: new Set(),
    refuses: () => undefined,
    isDeadly: () => false,
    deaf: new Set(),
    falseAlarmShare: 0.0005,
    cuts: new Set(),
  };
}
