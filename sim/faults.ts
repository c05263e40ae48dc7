/** Faults that are on at the moment; whoever simulates a part asks here. Holds settings, breaks nothing by itself. */

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
}

/** A calm day: some doubles, as SQS promises no less. */
export function calm(): Faults {
  return { duplicateShare: 0.02, crashShare: 0, throttleShare: 0, apisDown: new Set(), zonesLost: new Set(), zonesFull: new Set() };
}
