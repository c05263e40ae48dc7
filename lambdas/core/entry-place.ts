/** Where an Elastic IP leads on a balancer: entry1 to its first private address, entry2 to its second. Works out, moves nothing. */
import type { InstanceFact, NodeProbe } from './facts';

/**
 * `at`: the private address it leads to. `missing`: the balancer needs one more first. `any`: the cloud tells of no further ones.
 * The name decides, so that two moves to one balancer never meet on one private address: EC2 would drop the Elastic IP that was there.
 */
export type Place = { is: 'at'; ip: string; secondary: boolean } | { is: 'missing' } | { is: 'any' };

/** The place of the address called `name` (`entry1`, …) on a balancer. */
export function placeOf(name: string, { privateIp, secondaryIps }: InstanceFact): Place {
  const nth = Number(/\d+$/.exec(name)?.[0] ?? 1);
  const secondary = nth > 1;
  const ip = secondary ? secondaryIps?.[nth - 2] : privateIp;
  if (ip) return { is: 'at', ip, secondary };
  return secondary && secondaryIps ? { is: 'missing' } : { is: 'any' };
}

/** Why a balancer that serves could not serve this address as well; undefined when it could. `probe`: what it answered. */
export function whyNotAt(name: string, fact: InstanceFact, probe: NodeProbe | undefined): string | undefined {
  const place = placeOf(name, fact);
  if (place.is === 'missing') return `${fact.slot} (${fact.instanceId}) has no private address for ${name} yet`;
  if (place.is === 'any' || !place.secondary) return undefined;
  const outcome = probe?.role === 'lb' ? probe.secondary : undefined;
  if (outcome?.is === 'ok') return undefined;
  const detail = outcome ? outcome.detail : 'not looked at yet';
  return `${fact.slot} (${fact.instanceId}) does not answer at ${place.ip}, where ${name} would lead: ${detail}`;
}
