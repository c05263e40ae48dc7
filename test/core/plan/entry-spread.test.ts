import { describe, expect, it } from '@jest/globals';
import { findViolations } from '../../../lambdas/core/invariants';
import type { JobOf } from '../../../lambdas/core/jobs';
import type { Health } from '../../../lambdas/core/memory';
import type { Node } from '../../../lambdas/core/observation';
import { planSituation } from '../../../lambdas/core/plan/plan';
import { summarize } from '../../../lambdas/core/status';
import { aHealth, aHealthyWorld, aNode, change, dead, inStep, look, NOW_MS, planOf, type World, withNodes } from '../../builders';

const LB1 = 'i-1011';
const LB2 = 'i-1021';

/** A balancer with a second private address at which it answers. */
function able(node: Node): Node {
  const probe = { role: 'lb', atMs: NOW_MS, process: { is: 'ok', latencyMs: 1 }, secondary: { is: 'ok', latencyMs: 1 } } as const;
  return { ...node, fact: { ...node.fact, secondaryIps: [`10.0.9.${node.fact.slot.slice(2)}`] }, probe };
}

/** The holders of entry1 and entry2; undefined: free. */
type Held = [string | undefined, string | undefined];

function held(world: World, [first, second]: Held): World {
  const addresses = [first, second].map((holder, i) => ({
    allocationId: `eipalloc-${i + 1}`,
    cluster: 'city',
    name: `entry${i + 1}`,
    publicIp: `203.0.113.${i + 1}`,
    ...(holder ? { holder } : {}),
  }));
  return { ...world, observation: { ...world.observation, addresses } };
}

/** A pair that is well, both able to hold both addresses; each address was last at home with its own balancer. */
function aPair(of: Held = [LB1, LB2]): World {
  const world = aHealthyWorld({ entry: { mode: 'active-active' } });
  const pair = change(change(world, 'lb1', able), 'lb2', able);
  const memory = { ...pair.memory, addressHomes: { entry1: 'lb1', entry2: 'lb2' } };
  return inStep(held({ ...pair, memory }, of));
}

const since = (world: World, slot: string, s: number) =>
  change(world, slot, (node) => ({ ...node, health: { ...node.health, sinceMs: NOW_MS - s * 1000 } }));
const movesOf = (world: World) => planOf(world).jobs.flatMap((job) => (job.kind === 'moveAddress' ? [job] : []));
const kindsOf = (world: World) => planOf(world).jobs.map(({ kind }) => kind);

describe('an active/active pair', () => {
  it('is left alone while each balancer holds an address, in whichever order', () => {
    expect(planOf(aPair()).sentence).toBe('as it should be: nothing to do');
    expect(planOf(aPair([LB2, LB1])).jobs).toEqual([]);
  });

  it('gets an address a balancer, and free ones go to a balancer each', () => {
    const world = aPair();
    const none = { ...world, observation: { ...world.observation, addresses: [] } };
    expect(planOf(none).jobs).toMatchObject([
      { kind: 'allocateAddress', name: 'entry1' },
      { kind: 'allocateAddress', name: 'entry2' },
    ]);
    expect(movesOf(aPair([undefined, undefined])).map(({ allocationId, to }) => [allocationId, to])).toEqual([
      ['eipalloc-1', LB1],
      ['eipalloc-2', LB2],
    ]);
    expect(movesOf(aPair([undefined, LB1])).map(({ to }) => to)).toEqual([LB2]);
  });

  it('has a dead balancer’s address go to the other one, which keeps its own', () => {
    const moves = movesOf(change(aPair(), 'lb1', (node) => dead(node)));
    expect(moves).toMatchObject([{ allocationId: 'eipalloc-1', to: LB2, expect: { holder: LB1 } }]);
    expect(moves[0]).not.toHaveProperty('gives');
  });

  it('gives each balancer a second private address before any of them dies', () => {
    const world = change(aPair(), 'lb2', (node) => ({ ...node, fact: { ...node.fact, secondaryIps: [] } }));
    expect(planOf(world).jobs).toMatchObject([{ kind: 'addPrivateAddress', instanceId: LB2, expect: { secondaryCount: 0 } }, {}]);
    const attempts = { [`private-address/${LB2}`]: { count: 1, failures: 0, lastAtMs: NOW_MS - 10_000 } };
    // It was given one a moment ago; EC2's reads are late.
    expect(kindsOf({ ...world, memory: { ...world.memory, attempts } })).not.toContain('addPrivateAddress');
  });

  it('waits until the taker answers where the address would lead, and says so', () => {
    const silent = change(aPair(), 'lb1', (node) => {
      const { probe: _, ...rest } = node;
      return rest;
    });
    const { blocked } = planOf(change(silent, 'lb2', (node) => dead(node)));
    expect(blocked.join()).toMatch(/entry2 .* needs a holder, .*lb1 \(i-1011\) does not answer at 10\.0\.9\.1, where entry2 would lead/);
    // entry1 leads to the first private address, which answers as the balancer itself does.
    expect(movesOf(change(held(silent, [LB2, LB2]), 'lb2', (node) => dead(node)))).toMatchObject([{ allocationId: 'eipalloc-1', to: LB1 }]);
  });

  it('needs no second private addresses where the cloud tells of none', () => {
    const bare = (node: Node): Node => {
      const { secondaryIps: _, ...fact } = node.fact;
      return { ...node, fact };
    };
    const world = inStep(change(change(aPair(), 'lb1', bare), 'lb2', bare));
    expect(planOf(world).jobs).toEqual([]);
    expect(movesOf(change(world, 'lb2', (node) => dead(node)))).toMatchObject([{ allocationId: 'eipalloc-2', to: LB1 }]);
  });
});

describe('a balancer that came back after its successor took the other address', () => {
  /** lb1 died with both, came back with entry2 in hand; its successor has entry1, lb2 none. */
  function aCity(successorHolds: string | undefined = 'i-1012'): World {
    const world = aPair();
    const [lb1] = world.nodes.filter(({ fact }) => fact.slot === 'lb1');
    const successor = able(aNode('lb1', { fact: { incarnation: 2 } }));
    const nodes = [...world.nodes, successor];
    const memory = { ...world.memory, addressHomes: {} };
    return inStep(held({ ...withNodes(world, nodes), memory }, [successorHolds, lb1?.fact.instanceId]));
  }

  it('gives it to the one that holds none, and can go then', () => {
    const [move] = movesOf(aCity());
    expect(move).toMatchObject({ allocationId: 'eipalloc-2', to: LB2, gives: true, expect: { holder: LB1 } });
    expect(move?.reason).toContain('lb1 (i-1011) gives it and leaves: its successor holds one');
    expect(findViolations(look(aCity()), move ? [move] : [])).toEqual([]);
    expect(kindsOf(held(aCity(), ['i-1012', LB2]))).toEqual(['terminateNode']);
  });

  it('keeps it while its successor holds none', () => {
    const gifts = movesOf(aCity(LB2)).filter(({ gives }) => gives);
    expect(gifts).toEqual([]);
    const [move] = movesOf(aCity());
    expect(findViolations(look(aCity(LB2)), move ? [move] : []).join()).toContain('the giver would keep none');
  });
});

describe('the return of an address to a balancer that holds none', () => {
  const both = (): World => aPair([LB2, LB2]);

  it('is one move, of the address that was at home there, once the taker has been well for as long as a slot rests', () => {
    const moves = movesOf(since(both(), 'lb1', 61));
    expect(moves).toMatchObject([{ allocationId: 'eipalloc-1', to: LB1, gives: true, expect: { holder: LB2 } }]);
    expect(moves[0]?.reason).toBe(
      'entry1 goes to lb1 (i-1011), which is well and holds no address; lb2 (i-1021) gives it and keeps entry2',
    );
    expect(movesOf(since(both(), 'lb1', 59))).toEqual([]);
    expect(planOf(since(both(), 'lb1', 59)).sentence).toContain('entry1 returns to lb1 (i-1011) once that has been healthy for 60 s');
  });

  it('comes no sooner after another gift than EC2 may need to show that one', () => {
    const given = (agoMs: number): World => {
      const world = since(both(), 'lb1', 61);
      const attempts = { 'give/entry2/i-1011': { count: 1, failures: 1, lastAtMs: NOW_MS - agoMs } };
      return { ...world, memory: { ...world.memory, attempts } };
    };
    expect([movesOf(given(20_000)).length, movesOf(given(31_000)).length]).toEqual([0, 1]);
  });

  it('waits while the taker answers too slowly: the next claim would take it away again', () => {
    const slow = (latencyMs: number): World =>
      change(since(both(), 'lb1', 61), 'lb1', (node) => {
        const { probe } = node;
        return probe ? { ...node, probe: { ...probe, process: { is: 'ok', latencyMs } } } : node;
      });
    expect([movesOf(slow(501)).length, movesOf(slow(500)).length]).toEqual([0, 1]);
  });

  it('knows where an address was at home, whatever its number', () => {
    const world = since(both(), 'lb1', 61);
    const swapped = { ...world, memory: { ...world.memory, addressHomes: { entry1: 'lb2', entry2: 'lb1' } } };
    expect(movesOf(swapped)).toMatchObject([{ allocationId: 'eipalloc-2', to: LB1 }]);
  });

  it('need not wait in a pair that never had one each: nobody uses its addresses yet', () => {
    const world = since(both(), 'lb1', 1);
    expect(movesOf({ ...world, memory: { ...world.memory, addressHomes: {} } })).toMatchObject([{ gives: true, to: LB1 }]);
  });

  it.each(['suspect', 'unknown', 'dead'] as const)('waits while either balancer is %s', (health: Health) => {
    for (const slot of ['lb1', 'lb2']) {
      const world = change(both(), slot, (node) => ({ ...node, health: aHealth(health, 'process') }));
      expect(movesOf(world).filter(({ gives }) => gives)).toEqual([]);
    }
  });

  it('waits for whatever else is under way in the pair', () => {
    const world = both();
    const busy = (job: Record<string, unknown>): World => {
      const full = { cluster: 'city', jobKey: 'city@1/other#0', reason: 'planted', ...job } as unknown as JobOf<'restartRole'>;
      return { ...world, memory: { ...world.memory, inFlight: { [full.jobKey]: { job: full, plannedAtMs: NOW_MS } } } };
    };
    for (const job of [
      { kind: 'restartRole', role: 'lb', slot: 'lb2', instanceId: LB2 },
      { kind: 'launchNode', role: 'lb', slot: 'lb1', incarnation: 2, zone: 'a', instanceType: 't3.small' },
      { kind: 'moveAddress', allocationId: 'eipalloc-2', to: LB1, expect: { holder: LB2 } },
      { kind: 'allocateAddress', name: 'entry2' },
    ])
      expect(movesOf(busy(job))).toEqual([]);
    expect(movesOf(busy({ kind: 'restartRole', role: 'orion', slot: 'ctx1', instanceId: 'i-2011' }))).toHaveLength(1);
    const behind = change(world, 'lb1', (node) => ({ ...node, configVersion: 'old' }));
    expect(movesOf(behind)).toEqual([]);
  });

  it('happens in active/active alone', () => {
    const passive = aHealthyWorld();
    expect(movesOf(held(passive, [LB2, LB2]))).toEqual([]);
  });
});

describe('an address on a healthy holder', () => {
  const gift = (more: Partial<JobOf<'moveAddress'>> = {}): JobOf<'moveAddress'> => ({
    kind: 'moveAddress',
    cluster: 'city',
    jobKey: 'planted',
    reason: 'planted',
    allocationId: 'eipalloc-1',
    to: LB1,
    gives: true,
    expect: { holder: LB2 },
    ...more,
  });
  const violations = (world: World, ...jobs: JobOf<'moveAddress'>[]) => findViolations(look(world), jobs).join('; ');
  const both = aPair([LB2, LB2]);

  it('may be given only by one that keeps another to one that is well and holds none, one at a time', () => {
    expect(violations(both, gift())).toBe('');
    const { gives: _, ...plain } = gift();
    expect(violations(both, plain)).toContain('its holder is healthy, not dead');
    expect(violations(aPair([LB2, LB1]), gift())).toContain('the giver would keep none');
    expect(violations(aPair([LB1, LB2]), gift())).toContain('the giver does not hold it');
    expect(violations(held(both, [LB2, LB1]), gift({ expect: { holder: LB2 } }))).toContain('would keep none');
    expect(violations(both, gift(), gift({ allocationId: 'eipalloc-2', jobKey: 'other' }))).toContain('another address is on its way');
    const unwell = change(both, 'lb1', (node) => ({ ...node, health: aHealth('suspect') }));
    expect(violations(unwell, gift())).toContain('not both healthy');
    expect(violations({ ...both, spec: aHealthyWorld().spec }, gift())).toContain('entry.mode is active-passive');
    expect(violations(both, gift({ to: 'i-2011' }))).toContain('the taker fills no slot');
  });
});

describe('an address that the spec gives up', () => {
  it('goes with the mode, and the journal says what its clients lose; the first one stays where it is', () => {
    const passive = { ...aPair([LB2, LB1]), spec: aHealthyWorld().spec };
    const { jobs } = planOf(passive);
    expect(jobs).toMatchObject([{ kind: 'releaseAddress', allocationId: 'eipalloc-2' }]);
    expect(jobs[0]?.reason).toBe('entry2 (203.0.113.2) is not wanted any more, its clients lose it: entry.mode is active-passive');
  });

  it.each([
    ['lb1', [LB1, LB2]],
    ['lb2', [LB2, LB1]],
  ] as [string, Held][])('goes before its balancer does: scaled to one, %s stays, which holds the first', (stays, of) => {
    const { spec } = aHealthyWorld({ entry: { mode: 'active-active' }, lb: { count: 1 } });
    const world = { ...aPair(of), spec };
    const before = planOf(world);
    expect(before.jobs.map(({ kind }) => kind).filter((kind) => kind !== 'applyConfig')).toEqual(['releaseAddress']);
    expect(before.jobs[0]?.reason).toContain('its clients lose it: lb.count is 1');
    expect(before.notes.join()).toContain('still holds an address');
    const released = { ...world, observation: { ...world.observation, addresses: world.observation.addresses.slice(0, 1) } };
    const gone = planOf(released).jobs.flatMap((job) => (job.kind === 'terminateNode' ? [job.slot] : []));
    expect(gone).toEqual([stays === 'lb1' ? 'lb2' : 'lb1']);
  });
});

describe('the status of an active/active pair', () => {
  const statusOf = (world: World) => {
    const s = look(world);
    return summarize(s, planSituation(s));
  };

  it('shows both addresses with their holders, and is as it should be with one each alone', () => {
    const status = statusOf(aPair());
    expect(status.converged).toBe(true);
    expect(status.addresses).toEqual([
      { name: 'entry1', publicIp: '203.0.113.1', holder: LB1 },
      { name: 'entry2', publicIp: '203.0.113.2', holder: LB2 },
    ]);
    expect(statusOf(since(aPair([LB2, LB2]), 'lb1', 1)).converged).toBe(false);
    const unable = change(aPair(), 'lb1', (node) => {
      const { probe: _, ...rest } = node;
      return rest;
    });
    expect(statusOf(unable).converged).toBe(false);
  });
});
