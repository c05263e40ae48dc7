/** Plans the entry pair's addresses: allocate, associate, move off a dead balancer. Never moves one off a holder that may be alive. */
import { whyNotAt } from '../entry-place';
import type { AddressFact } from '../facts';
import { addressNames } from '../names';
import type { Node } from '../observation';
import { addressCount } from '../spec';
import { planSecondAddresses, planSpread } from './entry-spread';
import { common, emptyStep, mayTry, type Situation, type Step } from './situation';

/** How many other addresses a balancer holds, or is about to. */
function loadOf(s: Situation, step: Step, node: Node, address: AddressFact): number {
  const { instanceId } = node.fact;
  const others = s.observation.addresses.filter((other) => other !== address && other.holder === instanceId).length;
  const coming = [...s.inFlight, ...step.jobs].filter(
    (job) => job.kind === 'moveAddress' && job.to === instanceId && job.allocationId !== address.allocationId,
  ).length;
  return others + coming;
}

/** The balancer that should take an address: one that serves, with the fewest; or why there is none. */
function chooseTaker(s: Situation, step: Step, address: AddressFact): Node | string {
  const healthy = s.slots.wanted.lb.flatMap(({ current }) => (current?.health.health === 'healthy' ? [current] : []));
  const others = healthy.filter(({ fact }) => fact.instanceId !== address.holder);
  const able = others.filter((node) => whyNotAt(address.name, node.fact, node.probe) === undefined);
  const [taker] = able.sort((a, b) => loadOf(s, step, a, address) - loadOf(s, step, b, address));
  if (taker) return taker;
  const whyNot = others.flatMap((node) => whyNotAt(address.name, node.fact, node.probe) ?? []);
  return whyNot.length > 0 ? whyNot.join('; ') : 'no load balancer is healthy';
}

function planMove(s: Situation, address: AddressFact, step: Step): void {
  const holder = s.observation.nodes.find((node) => node.fact.instanceId === address.holder);
  if (holder && holder.health.health !== 'dead') return;
  const why = address.holder
    ? `its holder ${holder ? `${holder.fact.slot} (${address.holder}) is dead: ${holder.health.detail ?? holder.health.sickness}` : `${address.holder} is gone`}`
    : 'it is free';
  const to = chooseTaker(s, step, address);
  if (typeof to === 'string') {
    const words = `${address.name} (${address.publicIp}) needs a holder, ${why}, but ${to}`;
    // A free address of a young cluster just waits for its first balancer; a lost one is trouble.
    (address.holder ? step.blocked : step.notes).push(words);
    return;
  }
  const base = `move/${address.name}/${to.fact.instanceId}`;
  if (!mayTry(s, base) || s.inFlight.some((job) => job.kind === 'moveAddress' && job.allocationId === address.allocationId)) return;
  step.jobs.push({
    kind: 'moveAddress',
    ...common(s, base, `${address.name} goes to ${to.fact.slot} (${to.fact.instanceId}), because ${why}`),
    allocationId: address.allocationId,
    to: to.fact.instanceId,
    expect: { holder: address.holder ?? null },
  });
}

/** Why an address is given up; an address that somebody uses goes only because the spec says so, and the journal says that. */
function whySuperfluous(s: Situation, { name, publicIp }: AddressFact, isTwin: boolean): string {
  if (isTwin) return `${name} (${publicIp}) is not wanted: there is another address of that name`;
  const { entry, lb } = s.spec;
  const asked = entry.mode === 'active-active' ? `lb.count is ${lb.count}` : `entry.mode is ${entry.mode}`;
  return `${name} (${publicIp}) is not wanted any more, its clients lose it: ${asked}`;
}

function planReleases(s: Situation, names: readonly string[], step: Step): void {
  for (const address of s.observation.addresses) {
    const first = s.observation.addresses.find((a) => a.name === address.name);
    const isTwin = first !== address && !address.holder;
    const base = `release/${address.allocationId}`;
    if ((isTwin || !names.includes(address.name)) && mayTry(s, base))
      step.jobs.push({
        kind: 'releaseAddress',
        ...common(s, base, whySuperfluous(s, address, isTwin)),
        allocationId: address.allocationId,
      });
  }
}

/** Addresses: missing ones are allocated, free ones associated, those of dead holders moved, superfluous ones released. */
export function planEntry(s: Situation): Step {
  const step = emptyStep();
  const names = addressNames(addressCount(s.spec));
  for (const name of names) {
    const address = s.observation.addresses.find((a) => a.name === name);
    if (address) planMove(s, address, step);
    else if (mayTry(s, `allocate/${name}`))
      step.jobs.push({ kind: 'allocateAddress', ...common(s, `allocate/${name}`, `${name} does not exist yet`), name });
  }
  planReleases(s, names, step);
  if (names.length > 1) {
    planSecondAddresses(s, names, step);
    planSpread(s, names, step);
  }
  return step;
}
