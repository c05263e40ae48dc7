/** Who hears whom: ways that are cut between tiers, zones, single nodes and the control plane. Delays nothing and takes nothing down. */
import type { SimNode } from './sim-node';

/** The functions of the control plane, as one place in the network. */
const CONTROL = 'control';
export type Place = SimNode | typeof CONTROL;

/** Those a cut is about: all that fit every field given. */
export interface Side {
  tier?: SimNode['fact']['role'] | typeof CONTROL;
  zone?: string;
  instanceId?: string;
}

/** Packets of these to those are lost; the other way is a cut of its own. */
export interface Cut {
  from: Side;
  to: Side;
}

function isOf({ tier, zone, instanceId }: Side, place: Place): boolean {
  if (place === CONTROL) return tier === CONTROL;
  const { fact } = place;
  return (
    (tier === undefined || tier === fact.role) &&
    (zone === undefined || zone === fact.zone) &&
    (instanceId === undefined || instanceId === fact.instanceId)
  );
}

/** Whether packets get from one place to another. */
export function carries(cuts: ReadonlySet<Cut>, from: Place, to: Place): boolean {
  for (const cut of cuts) if (isOf(cut.from, from) && isOf(cut.to, to)) return false;
  return true;
}

/** Whether a request gets there and its answer back. */
export function connects(cuts: ReadonlySet<Cut>, a: Place, b: Place): boolean {
  return cuts.size === 0 || (carries(cuts, a, b) && carries(cuts, b, a));
}
