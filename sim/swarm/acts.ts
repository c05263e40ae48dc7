/** Acts that strike once: on nodes, and what people do. Uses what the world offers to anybody, never a row or a plan. */
import { serviceEntry } from '../../lambdas/core/catalogue/catalogue';
import { isService, type Role } from '../../lambdas/core/names';
import { countOf } from '../../lambdas/core/spec';
import type { SimNode } from '../sim-node';
import type { World } from '../world';
import { specOf } from './outside';
import type { Fault, Victim } from './swarm-plan';

export const CITY = 'city';
export const STRANGER = 'strange';
const COMES_BACK_MS = 3_000;

function leadOf(world: World, role: Role): SimNode | undefined {
  if (role === 'mongo') return world.replicaSets.primaryOf(CITY);
  const held = [...world.cloud.addresses.values()].find((address) => address.cluster === CITY && address.holder);
  return role === 'lb' ? world.cloud.nodes.get(held?.holder ?? '') : undefined;
}

/** The node a fault is meant for; undefined where no such node runs. */
export function findVictim(world: World, { role, pick, lead }: Victim): SimNode | undefined {
  const leader = lead ? leadOf(world, role) : undefined;
  if (leader) return leader;
  const nodes = [...world.cloud.nodes.values()].filter(
    ({ fact }) => fact.cluster === CITY && fact.role === role && fact.state === 'running',
  );
  return nodes[Math.min(nodes.length - 1, Math.floor(pick * nodes.length))];
}

/** systemd starts a process again that has ended by itself, and every one after a boot. */
function bringUp(world: World, node: SimNode): void {
  if (node.fact.state === 'running' && !node.hung && node.process === 'dead') world.commands.bringUp(node);
}

/** Strikes a node for `forS`; answers how to end it, where it ends. */
export function strike(world: World, node: SimNode, fault: Extract<Fault, { victim: Victim }>): (() => void) | undefined {
  switch (fault.kind) {
    case 'terminated':
    case 'personTerminates':
      world.cloud.terminate(node.fact.instanceId, false);
      return undefined;
    case 'processDies':
      if (node.process === 'running') node.process = 'dead';
      if (!fault.forGood) world.scheduler.after(COMES_BACK_MS, () => bringUp(world, node));
      return undefined;
    case 'hangs':
      node.hung = true;
      return fault.forGood
        ? undefined
        : () => {
            node.hung = false;
          };
    case 'reboots':
      node.hung = true;
      if (node.process === 'running') node.process = 'dead';
      return () => {
        node.hung = false;
        bringUp(world, node);
      };
    case 'losesDatabase':
      // The drivers of the others find the primary again by themselves, as their entries say.
      if (isService(node.fact.role) && serviceEntry(node.fact.role).restart.on === 'truth') node.lostDatabase = true;
      return undefined;
    case 'diskFull':
      node.diskFull = true;
      if (node.fact.role === 'mongo' && node.process === 'running') node.process = 'dead';
      return undefined;
    case 'slow':
      node.slowMs = fault.byMs;
      if (node.member) node.member.lagMs = fault.byMs;
      return () => {
        delete node.slowMs;
        if (node.member) node.member.lagMs = 0;
      };
  }
}

type PersonFault = Extract<Fault, { kind: 'personScales' | 'personEdits' | 'personBreaksSpec' | 'personSends' }>;

/** Rewrites the stored spec as an editor would; answers the text that was there. */
export function editSpec(world: World, change: (spec: Record<string, never>) => unknown): string | undefined {
  const stored = world.state.specs.get(CITY);
  if (!stored || world.deleted.has(CITY)) return undefined;
  let spec: Record<string, never>;
  try {
    spec = JSON.parse(stored.text);
  } catch {
    return undefined;
  }
  const changed = change(spec);
  const text = typeof changed === 'string' ? changed : JSON.stringify(changed);
  world.state.specs.set(CITY, { text, version: stored.version + 1 });
  return stored.text;
}

const EDITS = {
  policy: (spec: Record<string, object>) => ({ ...spec, policy: { ...spec.policy, slotCooldownS: 45, deadAfterS: 12 } }),
  version: (spec: Record<string, object>) => ({ ...spec, orion: { ...spec.orion, version: '4.2.0' } }),
  advert: (spec: Record<string, object>) => ({ ...spec, entry: { ...spec.entry, advertIntervalS: 0.7 } }),
  /** Another version for one role, other ports for another, all others are given up; where there is a replica set for them. */
  enablers: (spec: Record<string, { count?: number }>) =>
    spec.mongo?.count === 1
      ? spec
      : { ...spec, enablers: { 'sth-comet': { version: '2.12.0' }, 'iotagent-json': { ports: { north: 4042 } } } },
  /** From one address to one a balancer, or back. */
  mode: ({ entry, ...spec }: Record<string, { mode?: string }>) => ({
    ...spec,
    entry: { ...entry, mode: entry?.mode === 'active-active' ? 'active-passive' : 'active-active' },
  }),
};

function sendSomething(world: World, body: Extract<Fault, { kind: 'personSends' }>['body']): void {
  switch (body) {
    case 'junk':
      world.send('provision', '{"kind":"launchNode"');
      world.send('failover', { kind: 'moveAddress', cluster: CITY });
      return;
    case 'unknownCluster':
      world.send('provision', { kind: 'scale', cluster: 'nowhere', role: 'orion', count: 3 });
      world.send('health-check', { kind: 'check', cluster: 'nowhere' });
      return;
    case 'unconfirmedDelete':
      world.send('provision', { kind: 'deleteCluster', cluster: CITY });
      return;
    case 'repairMajority':
      world.send('provision', { kind: 'repairMajority', cluster: CITY });
      return;
    case 'claimOfStranger':
      for (const { fact } of world.cloud.nodes.values())
        if (fact.cluster === STRANGER)
          world.send('failover', {
            kind: 'claimAddress',
            cluster: CITY,
            claimant: fact.instanceId,
            atMs: Math.round(world.scheduler.nowMs),
            state: 'MASTER',
          });
  }
}

/** What a person does; answers how it is undone, where it is. */
export function actAsPerson(world: World, fault: PersonFault): (() => void) | undefined {
  if (world.deleted.has(CITY)) return undefined;
  switch (fault.kind) {
    case 'personScales': {
      const { role, count, twice, back } = fault;
      const spec = specOf(world, CITY);
      const before = spec && countOf(spec, role);
      const ask = (wanted: number) => world.send('provision', { kind: 'scale', cluster: CITY, role, count: wanted });
      for (let n = twice ? 2 : 1; n > 0; n--) ask(count);
      return back && before !== undefined ? () => void ask(before) : undefined;
    }
    case 'personEdits':
      editSpec(world, EDITS[fault.edit]);
      return undefined;
    case 'personBreaksSpec': {
      // Somebody who finds it broken has nothing to put back.
      if (!specOf(world, CITY)) return undefined;
      const before = editSpec(world, (spec) => JSON.stringify({ ...spec, mongo: { count: 4 } }));
      return before === undefined ? undefined : () => void editSpec(world, () => before);
    }
    case 'personSends':
      sendSomething(world, fault.body);
      return undefined;
  }
}

/** Instances and an address of somebody else, under names that slots have. */
export function plantStrangers(world: World): void {
  const { cloud } = world;
  for (const [role, slot] of [
    ['lb', 'lb1'],
    ['orion', 'ctx1'],
    ['mongo', 'mdb1'],
  ] as const)
    cloud.launch({
      cluster: STRANGER,
      role,
      slot,
      incarnation: 1,
      zone: world.settings.zones[0] ?? '',
      instanceType: 't3.small',
      token: `strange/${slot}`,
    });
  cloud.allocate(STRANGER, 'entry1');
}
