/**
 * Plans what active/active needs beyond one address: a second private address a balancer, and an address a balancer.
 * The one place that lets an address leave a healthy holder: one at a time, to a balancer that holds none, off one that keeps another or
 * has a successor that holds one.
 */
import { placeOf, whyNotAt } from '../entry-place';
import type { AddressFact } from '../facts';
import { QUICK_MS } from '../health';
import type { PlannedJob } from '../jobs';
import { addressNames } from '../names';
import type { Node } from '../observation';
import { addressCount } from '../spec';
import { common, mayTry, type Situation, type Step } from './situation';
import { isInStep } from './wanted-config';

/** EC2's reads may not show a new private address, or who holds an Elastic IP, for so long, ms. */
const SEEN_WITHIN_MS = 30_000;

/** Gives each balancer as many private addresses as it may have to hold Elastic IPs, before any of them dies. */
export function planSecondAddresses(s: Situation, names: readonly string[], step: Step): void {
  for (const { slot, current } of s.slots.wanted.lb) {
    if (current?.fact.state !== 'running' || current.health.health === 'dead') continue;
    const { instanceId, secondaryIps = [] } = current.fact;
    const missing = names.filter((name) => placeOf(name, current.fact).is === 'missing');
    const base = `private-address/${instanceId}`;
    const attempt = s.memory.attempts[base];
    const isSettling = attempt !== undefined && s.nowMs - attempt.lastAtMs < SEEN_WITHIN_MS;
    if (missing.length === 0 || isSettling || !mayTry(s, base)) continue;
    const reason = `${slot} (${instanceId}) gets a second private address, so that it could serve ${missing.join(', ')} as well`;
    step.jobs.push({
      kind: 'addPrivateAddress',
      ...common(s, base, reason),
      role: 'lb',
      slot,
      instanceId,
      expect: { secondaryCount: secondaryIps.length },
    });
  }
}

function touchesEntry(job: PlannedJob): boolean {
  const isAddress = job.kind === 'moveAddress' || job.kind === 'allocateAddress' || job.kind === 'releaseAddress';
  return isAddress || ('role' in job && job.role === 'lb');
}

/** The balancers, when nothing of the entry pair is in trouble or under way: each slot filled, healthy and in step. */
function quietPair(s: Situation, step: Step): Node[] | undefined {
  const pair = s.slots.wanted.lb.flatMap(({ current }) => current ?? []);
  const well = pair.every((node) => node.health.health === 'healthy' && isInStep(s.configs, node));
  const quiet = !s.breaker.open && ![...s.inFlight, ...step.jobs].some(touchesEntry);
  return well && quiet && pair.length === s.spec.lb.count ? pair : undefined;
}

/** What EC2 shows so soon after a gift may be the state before it: a second one would leave the giver with none. */
function gaveLately({ memory, nowMs }: Situation): boolean {
  return Object.entries(memory.attempts).some(([base, { lastAtMs }]) => base.startsWith('give/') && nowMs - lastAtMs < SEEN_WITHIN_MS);
}

/** A slow one would lose the address to the next claim, and get it back at the next look. */
function isQuick({ probe }: Node): boolean {
  return probe?.process.is !== 'ok' || probe.process.latencyMs <= QUICK_MS;
}

function heldBy(addresses: readonly AddressFact[], { fact }: Node): AddressFact[] {
  return addresses.filter(({ holder }) => holder === fact.instanceId);
}

/** Who has an address to give: a balancer of the pair that keeps another, or one that came back after its successor took one. */
function findGiver(s: Situation, wanted: readonly AddressFact[], pair: readonly Node[]): Node | undefined {
  const returned = s.slots.wanted.lb.flatMap(({ current, extras }) => (current && heldBy(wanted, current).length > 0 ? extras : []));
  const isGiver = (node: Node) => node.health.health === 'healthy' && heldBy(wanted, node).length > 0;
  return pair.find((node) => heldBy(wanted, node).length > 1) ?? returned.find(isGiver);
}

/** Which of a giver's addresses goes: the taker slot's own, else the last that the taker can serve. */
function chooseGift(s: Situation, held: readonly AddressFact[], taker: Node): AddressFact | undefined {
  const able = held.filter(({ name }) => whyNotAt(name, taker.fact, taker.probe) === undefined);
  return able.find(({ name }) => s.memory.addressHomes[name] === taker.fact.slot) ?? able.at(-1);
}

/**
 * Lets a balancer with several addresses give one to a balancer with none. A taker must have been well for as long as a slot rests after
 * its replacement, so that a flapping one does not pull its address back and forth; a pair that never had one each need not wait.
 */
export function planSpread(s: Situation, names: readonly string[], step: Step): void {
  const pair = quietPair(s, step);
  const wanted = s.observation.addresses.filter(({ name }) => names.includes(name));
  if (!pair || wanted.length !== names.length) return;
  const taker = pair.find((node) => heldBy(wanted, node).length === 0);
  const giver = findGiver(s, wanted, pair);
  if (!taker || !giver) return;
  if (!isQuick(taker)) {
    step.notes.push(`${taker.fact.slot} (${taker.fact.instanceId}) answers too slowly to be given an address`);
    return;
  }
  const held = heldBy(wanted, giver);
  const gift = chooseGift(s, held, taker);
  if (!gift) {
    step.notes.push(held.flatMap(({ name }) => whyNotAt(name, taker.fact, taker.probe) ?? []).join('; '));
    return;
  }
  const [to, from] = [taker, giver].map(({ fact }) => `${fact.slot} (${fact.instanceId})`);
  const restS = s.memory.addressHomes[gift.name] === undefined ? 0 : s.spec.policy.slotCooldownS;
  if (s.nowMs - taker.health.sinceMs < restS * 1000) {
    step.notes.push(`${gift.name} returns to ${to} once that has been healthy for ${restS} s`);
    return;
  }
  const base = `give/${gift.name}/${taker.fact.instanceId}`;
  if (!mayTry(s, base) || gaveLately(s)) return;
  const rest = held.filter((address) => address !== gift).map(({ name }) => name);
  const gives = rest.length > 0 ? `gives it and keeps ${rest.join(', ')}` : 'gives it and leaves: its successor holds one';
  step.jobs.push({
    kind: 'moveAddress',
    ...common(s, base, `${gift.name} goes to ${to}, which is well and holds no address; ${from} ${gives}`),
    allocationId: gift.allocationId,
    to: taker.fact.instanceId,
    gives: true,
    expect: { holder: giver.fact.instanceId },
  });
}

/** Whether each wanted address is held by a balancer of its own, and each balancer could serve all of them. */
export function isSpread(s: Situation): boolean {
  const names = addressNames(addressCount(s.spec));
  const pair = s.slots.wanted.lb.flatMap(({ current }) => current ?? []);
  const wanted = s.observation.addresses.filter(({ name }) => names.includes(name));
  const serving = pair.filter((node) => heldBy(wanted, node).length > 0);
  const able = names.length === 1 || pair.every(({ fact, probe }) => names.every((name) => whyNotAt(name, fact, probe) === undefined));
  return wanted.length === names.length && serving.length === names.length && able;
}
