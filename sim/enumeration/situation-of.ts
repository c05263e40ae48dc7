/** What the control plane would see of a state: the observation and memory the real planner is asked with. Plans nothing. */
import { configVersion } from '../../lambdas/core/config/version';
import type { HelloFact, NodeProbe } from '../../lambdas/core/facts';
import type { JobOf, PlannedJob } from '../../lambdas/core/jobs';
import { EMPTY_MEMORY, type Health, type Memory, type NodeHealth, type Sickness } from '../../lambdas/core/memory';
import { slotNames } from '../../lambdas/core/names';
import type { Node, Observation } from '../../lambdas/core/observation';
import { lookAt, type Situation } from '../../lambdas/core/plan/situation';
import { type ClusterSpec, defaultWriteConcernOf, parseSpec } from '../../lambdas/core/spec';
import { type Entity, get, HEALTH, isVoter, MEMBER, serves } from './entity';
import { COMMAND, entitiesOf, hasPrimary, INITIATED, PENDING, type State, unpack } from './state';

export const REPLICA_SET = 'orion_rs';
/** All waiting is over between two steps: rests, cool-downs and back-offs are long past. */
const NOW_MS = 1_800_000_000_000;
const LONG_AGO_MS = NOW_MS - 86_400_000;
const VERSION = 10;
/** Above every `_id` in use; the walk gives each host one of its own. */
const NEXT_MEMBER_ID = 200;
const LIFE = 'city@0';
/** Every member runs the configuration it should: the walk is about who is a member. */
const IN_STEP = configVersion({ role: 'mongo', replicaSet: REPLICA_SET });

/** How nodes that run but do not answer us look: we could not look at all, or their probes failed for long. */
export type Blindness = 'unknown' | 'dead';

/** How one state is shown to the planner. */
export interface View {
  blindness: Blindness;
  /** Which member the configuration lists first; slots stand in the order of the state. */
  firstMember: number;
}

export function specOf(size: number): ClusterSpec {
  const parsed = parseSpec({ name: 'city', mongo: { count: size } });
  if (!parsed.ok) throw new Error(`size ${size}: expected 1, 3, 5 or 7; ${parsed.problems.join('; ')}`);
  return parsed.value;
}

const HOSTS = Array.from({ length: 64 }, (_, index) => `10.0.3.${index + 1}:27017`);

/** Host of the entity at an index of `entitiesOf`. */
export function hostAt(index: number): string {
  return HOSTS[index] as string;
}

export function indexOfHost(host: string): number {
  return Number(/\.(\d+):/.exec(host)?.[1]) - 1;
}

export function instanceIdAt(index: number): string {
  return `i-${(index + 256).toString(16)}`;
}

export function indexOfInstance(instanceId: string): number {
  return Number.parseInt(instanceId.slice(2), 16) - 256;
}

/** Hosts by vote, of the newest configuration, from one member on and round. */
export function hostsOf(state: State, firstMember = 0): { voters: string[]; silent: string[] } {
  const voters: string[] = [];
  const silent: string[] = [];
  const all = entitiesOf(state);
  for (let turn = 0; turn < all.length; turn++) {
    const i = (turn + firstMember) % all.length;
    const entity = all[i] as Entity;
    if (get(entity, 'member') !== MEMBER.none) (isVoter(entity) ? voters : silent).push(hostAt(i));
  }
  return { voters, silent };
}

function healthOf(entity: Entity, blindness: Blindness): NodeHealth {
  const made = (health: Health, sickness?: Sickness, everHealthy = true): NodeHealth => ({
    health,
    sinceMs: LONG_AGO_MS,
    good: health === 'healthy' ? 2 : 0,
    bad: health === 'dead' ? 3 : 0,
    everHealthy,
    ...(sickness ? { sickness } : {}),
  });
  switch (get(entity, 'health')) {
    case HEALTH.up:
      return made('healthy');
    case HEALTH.boot:
    case HEALTH.taken:
      return made('unknown', undefined, false);
    case HEALTH.down:
      return made('dead', 'process');
    default:
      return blindness === 'dead' ? made('dead', 'process') : made('unknown');
  }
}

function helloOf(state: State, entity: Entity, index: number, hosts: ReturnType<typeof hostsOf>): HelloFact {
  const isStale = get(entity, 'stale') === 1;
  if (get(entity, 'member') === MEMBER.none && !isStale) return { isWritablePrimary: false, secondary: false, hosts: [], passives: [] };
  const isPrimary = get(entity, 'primary') === 1;
  // Until a change is committed only the primary is sure to run it; a member left behind claims the newest of all.
  const setVersion = isStale ? VERSION + 1 : state.pending !== PENDING.none && !isPrimary ? VERSION - 1 : VERSION;
  return {
    setName: REPLICA_SET,
    setVersion,
    isWritablePrimary: isPrimary,
    secondary: !isPrimary && !isStale && serves(entity),
    me: hostAt(index),
    hosts: hosts.voters,
    passives: isStale ? [...hosts.silent, hostAt(index)] : hosts.silent,
    lastWriteS: NOW_MS / 1000,
    ...(isPrimary ? { electionId: '7fffffff0000000000000001' } : {}),
  };
}

type Bare = Omit<Node, 'probe'>;
/** What EC2 and memory tell of a node is the same in many states, and made once. Nobody changes it. */
const BARE = new Map<string, Bare>();

function bareNodeOf(
  entity: Entity,
  { index, slot, incarnation }: { index: number; slot: string; incarnation: number },
  blindness: Blindness,
): Bare {
  const key = `${slot} ${incarnation} ${index} ${get(entity, 'health')} ${blindness}`;
  const known = BARE.get(key);
  if (known) return known;
  const bare: Bare = {
    fact: {
      instanceId: instanceIdAt(index),
      cluster: 'city',
      role: 'mongo',
      slot,
      incarnation,
      zone: 'a',
      state: 'running',
      privateIp: hostAt(index).split(':')[0] as string,
      launchedAtMs: LONG_AGO_MS,
      status: 'ok',
    },
    health: healthOf(entity, blindness),
    ...(get(entity, 'health') === HEALTH.taken ? {} : { configVersion: IN_STEP }),
  };
  BARE.set(key, bare);
  return bare;
}

function probeOf(state: State, entity: Entity, index: number, hosts: ReturnType<typeof hostsOf>): NodeProbe {
  return { role: 'mongo', atMs: NOW_MS, process: { is: 'ok', latencyMs: 1 }, hello: helloOf(state, entity, index, hosts) };
}

/** Balancers and brokers: always well, so that the walk is about the replica set alone. */
function constantNodes(): Node[] {
  const others = [
    ['lb1', 'lb'],
    ['lb2', 'lb'],
    ['ctx1', 'orion'],
    ['ctx2', 'orion'],
  ] as const;
  return others.map(([slot, role], i) => ({
    fact: {
      instanceId: `i-${i + 1}`,
      cluster: 'city',
      role,
      slot,
      incarnation: 1,
      zone: 'a',
      state: 'running',
      launchedAtMs: LONG_AGO_MS,
      status: 'ok',
    },
    health: { health: 'healthy', sinceMs: LONG_AGO_MS, good: 2, bad: 0, everHealthy: true },
    configVersion: 'any',
  }));
}
const CONSTANT_NODES = constantNodes();
/** Nodes beside the members, all well. */
export const OTHERS = CONSTANT_NODES.length;

/** The job a command under way came from, as far as the planner looks at it. */
function jobOf(state: State): PlannedJob | undefined {
  const target = entitiesOf(state).findIndex((entity) => get(entity, 'command'));
  const base = (name: string) => ({ cluster: 'city', jobKey: `${LIFE}/${name}#0`, reason: 'planned before' });
  const expect: JobOf<'reconfigReplicaSet'>['expect'] = { setVersion: VERSION, voters: [], nonVoters: [] };
  const onNode = { instanceId: instanceIdAt(target), replicaSet: REPLICA_SET };
  const host = hostAt(target);
  switch (state.command) {
    case COMMAND.none:
      return undefined;
    case COMMAND.initiate:
      return { kind: 'initiateReplicaSet', ...base('initiate'), ...onNode, members: [host] };
    case COMMAND.stepDown:
      return { kind: 'stepDownPrimary', ...base('step-down'), ...onNode, expect };
    case COMMAND.terminate:
      return {
        kind: 'terminateNode',
        ...base(`terminate/${onNode.instanceId}`),
        role: 'mongo',
        slot: 'mdb1',
        instanceId: onNode.instanceId,
        expect: { holdsAddress: false },
      };
    default: {
      const name = state.command === COMMAND.add ? 'add' : state.command === COMMAND.remove ? 'remove' : 'raise-vote';
      const change = name === 'add' ? { change: name, host, memberId: NEXT_MEMBER_ID } : { change: name, host };
      return { kind: 'reconfigReplicaSet', ...base(`reconfig/${name}/${host}`), ...onNode, change, expect } as PlannedJob;
    }
  }
}

/** What is dead here was restarted before, in vain. */
const RESTARTED = Object.fromEntries(HOSTS.map((_, i) => [`restart/${instanceIdAt(i)}`, { count: 9, failures: 0, lastAtMs: LONG_AGO_MS }]));

function memoryOf(state: State, spec: ClusterSpec): Memory {
  const caughtUpSinceMs: Record<string, number> = {};
  if (hasPrimary(state))
    for (const [i, entity] of entitiesOf(state).entries())
      if (get(entity, 'member') !== MEMBER.none && serves(entity) && get(entity, 'health') === HEALTH.up)
        caughtUpSinceMs[hostAt(i)] = LONG_AGO_MS;
  const job = jobOf(state);
  return {
    ...EMPTY_MEMORY,
    inFlight: job ? { [job.jobKey]: { job, plannedAtMs: NOW_MS } } : {},
    attempts: RESTARTED,
    replicaSetInitiated: state.initiated === INITIATED.seen,
    ...(job?.kind === 'initiateReplicaSet' ? { initiating: { instanceId: job.instanceId, atMs: NOW_MS } } : {}),
    caughtUpSinceMs,
    nextMemberId: NEXT_MEMBER_ID,
    writeConcernSet: defaultWriteConcernOf(spec),
  };
}

/** The situation the planner is in, with slots in the order they stand in. */
export function situationOf(state: State, spec: ClusterSpec, { blindness, firstMember }: View): Situation {
  const hosts = hostsOf(state, firstMember);
  const names = slotNames('mongo', state.wanted.length + state.surplus.length);
  let index = 0;
  const nodes = [...state.wanted, ...state.surplus].flatMap((slot, at) =>
    unpack(slot).map((entity, older): Node => {
      const bare = bareNodeOf(entity, { index, slot: names[at] as string, incarnation: older + 1 }, blindness);
      const probe = get(entity, 'health') === HEALTH.up ? { probe: probeOf(state, entity, index, hosts) } : {};
      index++;
      return { ...bare, ...probe };
    }),
  );
  const address = { allocationId: 'eipalloc-1', cluster: 'city', name: 'entry1', publicIp: '203.0.113.1', holder: 'i-1' };
  const observation: Observation = {
    cluster: 'city',
    atMs: NOW_MS,
    cloudKnown: true,
    zones: ['a'],
    nodes: [...CONSTANT_NODES, ...nodes],
    addresses: [address],
  };
  return lookAt(spec, 'active', observation, memoryOf(state, spec), NOW_MS);
}

/** What a command under way or given up carries: its change and the configuration it expects. */
export function payloadOf(state: State, which: 'command' | 'zombie'): { action: string; payload: Record<string, unknown> } {
  const kind = state[which];
  const expects = which === 'command' ? state.expects : state.zombieExpects;
  const all = entitiesOf(state);
  const target = all.findIndex((entity) => get(entity, which));
  const host = hostAt(target);
  const { voters, silent } = hostsOf(state);
  if (kind === COMMAND.initiate) {
    const members = all.flatMap((entity, i) => (get(entity, which) ? [hostAt(i)] : []));
    return { action: 'initiate', payload: { replicaSet: REPLICA_SET, members } };
  }
  const expect = expectOf(state, expects, voters, silent);
  if (kind === COMMAND.stepDown) return { action: 'step-down', payload: { replicaSet: REPLICA_SET, expect } };
  const change = kind === COMMAND.add ? 'add' : kind === COMMAND.remove ? 'remove' : 'raise-vote';
  return {
    action: 'reconfig',
    payload: { replicaSet: REPLICA_SET, change: { change, host, ...(change === 'add' ? { memberId: NEXT_MEMBER_ID } : {}) }, expect },
  };
}

/** Of "another configuration" the worst: the version is the same, as after a change that was rolled back, and a host differs. */
function expectOf(state: State, expects: number, voters: string[], silent: string[]): Record<string, unknown> {
  if (expects === 0) return { setVersion: VERSION, voters, nonVoters: silent };
  if (expects === 2) return { setVersion: VERSION, voters, nonVoters: [...silent, '10.9.9.9:27017'] };
  const pending = hostAt(entitiesOf(state).findIndex((entity) => get(entity, 'pending')));
  const without = (hosts: string[]) => hosts.filter((host) => host !== pending);
  const base = { voters: without(voters), nonVoters: without(silent) };
  if (state.pending === PENDING.removedVoter) base.voters.push(pending);
  if (state.pending === PENDING.removedSilent || state.pending === PENDING.raised) base.nonVoters.push(pending);
  return { setVersion: VERSION - 1, ...base };
}

export { VERSION };
