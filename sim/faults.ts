/** Faults that are on at the moment; whoever simulates a part asks here. Holds settings, breaks nothing by itself. */
import type { NodeConfig } from '../lambdas/core/jobs';

/** APIs that can be away or throttled, one at a time. */
export type Api = 'compute' | 'addresses' | 'commands' | 'specs' | 'rows' | 'claims' | 'budget' | 'journal' | 'queues';

export interface Faults {
  /** Share of messages delivered twice. */
  duplicateShare: number;
  /** Share of port calls after which the handler dies. */
  crashShare: number;
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
}

/** A calm day: some doubles, as SQS promises no less, and a false alarm of a balancer every ten minutes or so. */
export function calm(): Faults {
  return {
    duplicateShare: 0.02,
    crashShare: 0,
    throttleShare: 0,
    apisDown: new Set(),
    zonesLost: new Set(),
    zonesFull: new Set(),
    refuses: () => undefined,
    isDeadly: () => false,
    deaf: new Set(),
    falseAlarmShare: 0.0005,
  };
}
