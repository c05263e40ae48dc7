import { describe, expect, it } from '@jest/globals';
import { chooseNextLook } from '../../lambdas/core/plan/next-look';
import { planSituation } from '../../lambdas/core/plan/plan';
import { summarize } from '../../lambdas/core/status';
import {
  aHealth,
  aHealthyWorld,
  aNode,
  caughtUp,
  change,
  hostOfNode,
  look,
  memberHosts,
  NOW_MS,
  setOf,
  type World,
  withHello,
  withNodes,
  withReplicaSet,
} from '../builders';

function statusOf(world: World) {
  const s = look(world);
  return summarize(s, planSituation(s));
}

function nextLook(world: World) {
  const s = look(world);
  return chooseNextLook(s, planSituation(s));
}

describe('summarize', () => {
  it('calls a cluster converged that has all it should and nothing else', () => {
    const status = statusOf(aHealthyWorld());
    expect(status).toMatchObject({ converged: true, blocked: [], inFlight: [], sentence: 'as it should be: nothing to do' });
    expect(status.slots.map((slot) => slot.slot)).toEqual(['lb1', 'lb2', 'ctx1', 'ctx2', 'mdb1', 'mdb2', 'mdb3']);
  });

  it.each([
    ['a node is missing', (w: World) => change(w, 'ctx1', () => undefined)],
    ['a node is not healthy', (w: World) => change(w, 'ctx1', (node) => ({ ...node, health: aHealth('suspect') }))],
    ['a node is not in step', (w: World) => change(w, 'lb2', (node) => ({ ...node, configVersion: 'old' }))],
    ['there is one too many', (w: World) => withNodes(w, [...w.nodes, aNode('ctx3')])],
    [
      'a member has no vote',
      (w: World) => {
        const [a = '', b = '', c = ''] = w.nodes.filter((node) => node.fact.role === 'mongo').map(hostOfNode);
        return withNodes(w, withReplicaSet(w.nodes, { voters: [a, b], nonVoters: [c] }));
      },
    ],
    [
      'nobody holds the address',
      (w: World) => ({ ...w, observation: { ...w.observation, addresses: w.observation.addresses.map(({ holder: _, ...free }) => free) } }),
    ],
  ])('does not when %s', (_, edit) => {
    expect(statusOf(edit(aHealthyWorld())).converged).toBe(false);
  });

  it('says what each member is, and who holds the address', () => {
    const { slots } = statusOf(aHealthyWorld());
    expect(slots.map((slot) => slot.member).filter(Boolean)).toEqual(['primary', 'secondary', 'secondary']);
    expect(slots.filter((slot) => slot.holdsAddress).map((slot) => slot.slot)).toEqual(['lb1']);
  });

  it('shows a joining member, since when it is where it is, and the step the set is in', () => {
    const base = aHealthyWorld();
    const [a = '', b = '', c = ''] = memberHosts(base);
    const joining = setOf(base, { voters: [a, b], nonVoters: [c] });
    const syncing = { ...joining, memory: { ...joining.memory, behindSinceMs: { [c]: NOW_MS - 40_000 } } };
    const seen = statusOf(
      withNodes(
        syncing,
        syncing.nodes.map((node) => (hostOfNode(node) === c ? withHello(node, { secondary: false }) : node)),
      ),
    );
    expect(seen.slots.at(-1)).toMatchObject({ slot: 'mdb3', member: 'syncing, no vote yet', memberSinceMs: NOW_MS - 40_000 });
    expect(seen.replicaSetStep).toBe('replica set: mdb3 joins without a vote and is catching up (21600 s at most)');
    const ready = statusOf(caughtUp(joining, c));
    expect(ready.slots.at(-1)).toMatchObject({ member: 'secondary, no vote yet, caught up', memberSinceMs: NOW_MS - 60_000 });
    expect(ready.replicaSetStep).toBe(`reconfigReplicaSet: ${c} has caught up; 2 of 3 votes`);
    expect(statusOf(base).replicaSetStep).toBeUndefined();
  });

  it('shows an empty slot as missing', () => {
    expect(statusOf(change(aHealthyWorld(), 'ctx2', () => undefined)).slots.find((slot) => slot.slot === 'ctx2')).toEqual({
      slot: 'ctx2',
      role: 'orion',
      health: 'missing',
    });
  });
});

describe('chooseNextLook', () => {
  it('needs none while nothing moves', () => {
    expect(nextLook(aHealthyWorld())).toEqual({ atMs: 0 });
  });

  it('looks again soon while something moves, sooner while a job runs', () => {
    const suspect = change(aHealthyWorld(), 'ctx1', (node) => ({ ...node, health: aHealth('suspect') }));
    expect(nextLook(suspect)).toEqual({ delayS: 2, atMs: NOW_MS + 2_000 });
    expect(nextLook(change(aHealthyWorld(), 'ctx1', () => undefined))).toEqual({ delayS: 1, atMs: NOW_MS + 1_000 });
  });

  it('looks again soon while a majority elects its primary, and at its usual pace while none can be elected', () => {
    const base = aHealthyWorld();
    const led = setOf(base, { voters: memberHosts(base), primary: null });
    expect(nextLook(led).delayS).toBe(2);
    const lost = ['mdb2', 'mdb3'].reduce((world, slot) => change(world, slot, (node) => ({ ...node, health: aHealth('unknown') })), led);
    expect(nextLook(lost)).toEqual({ atMs: 0 });
  });

  it('keeps to one chain of looks', () => {
    const world = change(aHealthyWorld(), 'ctx1', () => undefined);
    const waiting = { ...world, memory: { ...world.memory, lookAgainAtMs: NOW_MS + 500 } };
    expect(nextLook(waiting)).toEqual({ atMs: NOW_MS + 500 });
    const due = { ...world, memory: { ...world.memory, lookAgainAtMs: NOW_MS } };
    expect(nextLook(due).delayS).toBe(1);
  });
});
