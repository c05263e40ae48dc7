/** Plans the entry pair's addresses: allocate, associate, move off a dead balancer. Never moves one off a holder that may be alive. */
import type { AddressFact } from '../facts';
import { addressNames } from '../names';
import type { Node } from '../observation';
import { addressCount } from '../spec';
import { common, emptyStep, mayTry, type Situation, type Step } from './situation';

/** Balancers that serve, best first: those that hold no address yet, then by slot. */
function candidates(s: Situation): Node[] {
  const holders = new Set(s.observation.addresses.map((address) => address.holder));
  const healthy = s.slots.wanted.lb.flatMap(({ current }) => (current?.health.health === 'healthy' ? [current] : []));
  return healthy.sort((a, b) => Number(holders.has(a.fact.instanceId)) - Number(holders.has(b.fact.instanceId)));
}

function planMove(s: Situation, address: AddressFact, step: Step): void {
  const holder = s.observation.nodes.find((node) => node.fact.instanceId === address.holder);
  if (holder && holder.health.health !== 'dead') return;
  const [to] = candidates(s).filter((node) => node.fact.instanceId !== address.holder);
  const why = address.holder
    ? `its holder ${holder ? `${holder.fact.slot} (${address.holder}) is dead: ${holder.health.detail ?? holder.health.sickness}` : `${address.holder} is gone`}`
    : 'it is free';
  if (!to) {
    const words = `${address.name} (${address.publicIp}) needs a holder, ${why}, but no load balancer is healthy`;
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
  for (const address of s.observation.addresses) {
    const first = s.observation.addresses.find((a) => a.name === address.name);
    const superfluous = !names.includes(address.name) || (first !== address && !address.holder);
    const base = `release/${address.allocationId}`;
    if (superfluous && mayTry(s, base))
      step.jobs.push({
        kind: 'releaseAddress',
        ...common(s, base, `${address.name} (${address.publicIp}) is not wanted`),
        allocationId: address.allocationId,
      });
  }
  return step;
}
